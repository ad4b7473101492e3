import { openAlertmanager } from "../../../adapters/chat/alertmanager.ts";
import { openEmail } from "../../../adapters/chat/email.ts";
import { openSlackBot, openSlackWebhook } from "../../../adapters/chat/slack.ts";
import { openWebhook } from "../../../adapters/chat/webhook.ts";
import type { ChannelSettings } from "../../../core/config/channels-schema.ts";
import { FirebreakError } from "../../../core/model/error.ts";
import type { Channel } from "../../../core/notify/channel.ts";
import type { Parts } from "../../parts.ts";
import { readSecret } from "../../secrets.ts";

type Environment = Parts["environment"];

/** Channels by the names that firebreak.yaml gives them. @throws FirebreakError CONFIG_INVALID when a secret is not there */
export async function openChannels({
  settings,
  environment,
}: Pick<Parts, "settings" | "environment">): Promise<ReadonlyMap<string, Channel>> {
  const opened = Object.entries(settings.channels).map(
    async ([name, channel]) => [name, await openChannel(name, channel, environment)] as const,
  );
  return new Map(await Promise.all(opened));
}

async function openChannel(name: string, settings: ChannelSettings, environment: Environment): Promise<Channel> {
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
