import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { readSecret } from "../secrets.ts";

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

/** The token that may only read; undefined when the settings name none. */
export async function readOnlyToken(
  { api }: SettingsFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  return api.readToken === undefined ? undefined : (await readSecret(api.readToken, environment)).trim();
}

/** What a token allows: everything, reading, or nothing. */
export type Access = "full" | "read" | "none";

/** @param given what the request brought */
export function accessOf(given: string | undefined, tokens: { readonly full: string; readonly read: string | undefined }): Access {
  if (given === undefined) return "none";
  if (isSameSecret(given, tokens.full)) return "full";
  return tokens.read !== undefined && isSameSecret(given, tokens.read) ? "read" : "none";
}

/** Compares without telling by its time how much was right. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/**
 * True when the Host header names us: a page elsewhere that resolves its own name to our address (DNS rebinding) does not.
 *
 * @param listen ADDRESS:PORT of the setting
 */
export function isOurHost(header: string | undefined, listen: string, hostnames: readonly string[]): boolean {
  if (header === undefined) return false;
  const name = header.replace(/:\d+$/, "").toLowerCase();
  const own = listen.replace(/:\d+$/, "").toLowerCase();
  return ["localhost", "127.0.0.1", "[::1]", own, ...hostnames.map((hostname) => hostname.toLowerCase())].includes(name);
}
