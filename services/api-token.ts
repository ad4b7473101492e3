import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { readSecret } from "./secrets.ts";

/** Where the token lies that was made on first start; only its owner can read it. */
export const TOKEN_FILE = "api.token";

/** The API's token: the one that the settings name, or one made on first start. */
export async function apiToken(settings: SettingsFile, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  if (settings.api.token !== undefined) return await readSecret(settings.api.token, environment);
  const file = join(settings.stateFolder, TOKEN_FILE);
  const made = randomBytes(32).toString("base64url");
  try {
    await writeFile(file, `${made}\n`, { mode: 0o600, flag: "wx" });
    return made;
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    return (await readFile(file, "utf8")).trim();
  }
}
