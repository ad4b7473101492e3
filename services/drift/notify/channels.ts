import { openAlertmanager } from "../../../adapters/chat/alertmanager.ts";
import { openEmail } from "../../../adapters/chat/email.ts";
import { openSlackBot, openSlackWebhook } from "../../../adapters/chat/slack.ts";
import { openWebhook } from "../../../adapters/chat/webhook.ts";
import type { ChannelSettings } from "../../../core/config/channels-schema.ts";
import type { SettingsFile } from "../../../core/config/settings-schema.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import type { Channel } from "../../../core/notify/channel.ts";
import { ISSUES } from "../../../core/notify/channel.ts";
import { openForgeOf } from "../../forge.ts";
import type { Parts } from "../../parts.ts";
import { reopenedOnChange } from "../../reopened.ts";
import { readSecret } from "../../secrets.ts";
import { openIssueChannel } from "./issue-channel.ts";

type Environment = Parts["environment"];

/**
 * Channels by the names that firebreak.yaml gives them, and the forge's issues where there is a forge.
 *
 * @throws FirebreakError CONFIG_INVALID when a secret is not there
 */
export async function openChannels({
  settings,
  environment,
}: Pick<Parts, "settings" | "environment">): Promise<ReadonlyMap<string, Channel>> {
  const names = [...Object.keys(settings.channels), ...(settings.forge === undefined ? [] : [ISSUES])];
  const opened = await Promise.all(names.map(async (name) => [name, await openChannel(settings, name, environment)] as const));
  return new Map(opened.flatMap(([name, channel]) => (channel === undefined ? [] : [[name, channel] as const])));
}

/**
 * One channel by its name; undefined when there is none of that name.
 *
 * @throws FirebreakError CONFIG_INVALID when a secret is not there
 */
export async function openChannel(settings: SettingsFile, name: string, environment: Environment): Promise<Channel | undefined> {
  if (name === ISSUES) {
    const forge = await openForgeOf(settings, environment);
    return forge === undefined ? undefined : openIssueChannel(forge);
  }
  const channel = Object.hasOwn(settings.channels, name) ? settings.channels[name] : undefined;
  return channel === undefined
    ? undefined
    : await reopenedOnChange(channel, environment, async () => await openConfigured(name, channel, environment));
}

async function openConfigured(name: string, settings: ChannelSettings, environment: Environment): Promise<Channel> {
  const { webhook, slack, slackBot, alertmanager, email } = settings;
  const read = async (reference: string): Promise<string> => await readSecret(reference, environment);
  if (webhook !== undefined) {
    const url = webhook.urlFrom === undefined ? (webhook.url ?? "") : await read(webhook.urlFrom);
    const secret = webhook.secret === undefined ? undefined : await read(webhook.secret);
    return openWebhook({ url, secret, signature: webhook.signature, template: webhook.template });
  }
  if (slack !== undefined) return openSlackWebhook({ webhook: await read(slack.webhook) });
  if (slackBot !== undefined) {
    const { channel, url } = slackBot;
    return openSlackBot({ token: await read(slackBot.token), channel, ...(url === undefined ? {} : { url }) });
  }
  if (alertmanager !== undefined) return openAlertmanager(alertmanager);
  if (email !== undefined) return openEmail({ smtp: await read(email.smtp), from: email.from, to: email.to });
  throw new FirebreakError("CONFIG_INVALID", `channels.${name} is of no kind`); // the schema asks for exactly one
}
