import { openForge, type ForgeCredential } from "../adapters/forge/open.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import type { Forge } from "../core/forge/forge.ts";
import { FirebreakError } from "../core/ground/error.ts";
import { reopenedOnChange } from "./reopened.ts";
import { readSecret } from "./secrets.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The forge that firebreak.yaml names; undefined when it names none. No request is made yet. A token in a file is read anew when it changes.
 *
 * @throws FirebreakError CONFIG_INVALID when a secret is not there
 */
export async function openForgeOf({ forge }: SettingsFile, environment: Environment): Promise<Forge | undefined> {
  if (forge === undefined) return undefined;
  const { kind, url, repository } = forge;
  return await reopenedOnChange(forge, environment, async () =>
    openForge({ kind, url, repository, credential: await credentialOf(forge, environment) }),
  );
}

async function credentialOf(
  { token, app }: NonNullable<SettingsFile["forge"]>,
  environment: Environment,
): Promise<ForgeCredential> {
  if (app !== undefined) {
    const { id, installationId } = app;
    return { app: { id, installationId, privateKey: await readSecret(app.privateKey, environment) } };
  }
  if (token !== undefined) return { token: await readSecret(token, environment) };
  throw new FirebreakError("CONFIG_INVALID", "forge names neither a token nor an app"); // the schema asks for exactly one
}
