import type { GitAuth } from "../adapters/git/index.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { readSecret } from "./secrets.ts";

/** How to log in to the policy repository. @throws FirebreakError CONFIG_INVALID when the token is not there */
export async function gitAuth(
  { repository }: SettingsFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<GitAuth> {
  if (repository.token === undefined) return { kind: "none" };
  return { kind: "basic", username: repository.username, password: await readSecret(repository.token, environment) };
}
