import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { FirebreakError } from "../core/ground/error.ts";
import type { ChannelSettings } from "../core/config/channels-schema.ts";
import { parseSettings } from "../core/config/settings.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";

type ForgeSettings = NonNullable<SettingsFile["forge"]>;

/**
 * Reads firebreak.yaml and the environment; file paths in it are relative to its folder.
 *
 * @throws FirebreakError CONFIG_INVALID
 */
export async function loadSettings(file: string): Promise<SettingsFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new FirebreakError("CONFIG_INVALID", `read ${file}; \`firebreak init\` writes one, --config names another`, { cause });
  }
  return resolvePaths(parseSettings(text, process.env, file), dirname(resolve(file)));
}

function resolvePaths(settings: SettingsFile, folder: string): SettingsFile {
  const at = <T extends string | undefined>(path: T): T =>
    path === undefined || isAbsolute(path) ? path : (join(folder, path) as T);
  const reference = <T extends string | undefined>(ref: T): T =>
    ref === undefined || !ref.startsWith("file:") ? ref : (`file:${at(ref.slice("file:".length))}` as T);
  const { repository, kubernetes, ssh, readOnly, audit, channels, forge, api } = settings;
  const isRemote = /^https?:\/\//.test(repository.url);
  return {
    ...settings,
    stateFolder: at(settings.stateFolder),
    repository: {
      ...repository,
      url: isRemote ? repository.url : at(repository.url),
      token: reference(repository.token),
      webhookSecret: reference(repository.webhookSecret),
    },
    kubernetes: { kubeconfig: at(kubernetes.kubeconfig) },
    ssh: { identityFile: at(ssh.identityFile), knownHosts: at(ssh.knownHosts) },
    readOnly: { kubeconfig: at(readOnly.kubeconfig), identityFile: at(readOnly.identityFile) },
    audit: { ...audit, folder: at(audit.folder), keyFile: at(audit.keyFile) },
    database: reference(settings.database),
    redis: reference(settings.redis),
    api: { ...api, token: reference(api.token), readToken: reference(api.readToken) },
    channels: Object.fromEntries(Object.entries(channels).map(([name, channel]) => [name, withSecrets(channel, reference)])),
    ...(forge && { forge: withForgeSecrets(forge, reference) }),
  };
}

function withForgeSecrets(forge: ForgeSettings, reference: <T extends string | undefined>(ref: T) => T): ForgeSettings {
  const { token, app } = forge;
  return { ...forge, token: reference(token), ...(app && { app: { ...app, privateKey: reference(app.privateKey) } }) };
}

/** A channel whose secrets are looked up where firebreak.yaml stands. */
function withSecrets(channel: ChannelSettings, reference: <T extends string | undefined>(ref: T) => T): ChannelSettings {
  const { webhook, slack, slackBot, email } = channel;
  return {
    ...channel,
    ...(webhook && { webhook: { ...webhook, urlFrom: reference(webhook.urlFrom), secret: reference(webhook.secret) } }),
    ...(slack && { slack: { webhook: reference(slack.webhook) } }),
    ...(slackBot && { slackBot: { ...slackBot, token: reference(slackBot.token) } }),
    ...(email && { email: { ...email, smtp: reference(email.smtp) } }),
  };
}
