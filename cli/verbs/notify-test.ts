import { FirebreakError } from "../../core/ground/error.ts";
import { didYouMean } from "../../core/model/parse/suggest.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { ISSUES } from "../../core/notify/channel.ts";
import type { Preview } from "../../core/notify/channel.ts";
import { sampleNotice } from "../../core/notify/sample.ts";
import { visible } from "../../core/ground/visible.ts";
import { openChannel } from "../../services/drift/notify/channels.ts";
import { printResult } from "../output.ts";
import { loadSettings } from "../settings.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak notify test` takes. */
export interface NotifyTestOptions extends OutputOptions, ConfigOptions {
  readonly send?: true;
}

const SEND_TIMEOUT_MS = 60_000;

/** `firebreak notify test CHANNEL`: shows what would be sent, and sends it with `--send`; needs no running service. */
export async function notifyTest(name: string, options: NotifyTestOptions): Promise<number> {
  const settings = await loadSettings(options.config);
  const channel = await openChannel(settings, name, process.env);
  if (channel === undefined) throw noSuchChannel(name, settings);
  const notice = sampleNotice(Date.now());
  const preview = channel.preview(notice);
  const failure =
    options.send === true ? await failureOf(channel.send(notice, FIRST, AbortSignal.timeout(SEND_TIMEOUT_MS))) : undefined;
  const isSent = options.send === true && failure === undefined;
  await printResult(options.output, { channel: name, ...preview, sent: isSent }, () => formatPreview(preview, options, isSent));
  if (failure !== undefined) throw failure;
  return 0;
}

const FIRST = { ref: undefined, attempt: 1 };

/** Kept, so that what was to be sent is printed before why it was not. */
async function failureOf(sending: Promise<unknown>): Promise<Error | undefined> {
  try {
    await sending;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function noSuchChannel(name: string, { channels, forge }: SettingsFile): FirebreakError {
  const known = [...Object.keys(channels).sort(), ...(forge === undefined ? [] : [ISSUES])];
  const there = known.length === 0 ? "it has no channels" : `it has ${known.join(", ")}`;
  const near = didYouMean(name, known);
  const text = `there is no channel ${JSON.stringify(name)} in firebreak.yaml: ${there}`;
  return new FirebreakError("USAGE", near === undefined ? text : `${text}. ${near}`);
}

function formatPreview({ to, headers, body }: Preview, { send }: NotifyTestOptions, isSent: boolean): string {
  const state = isSent ? "sent: the channel took it" : send === true ? "not sent" : "not sent: --send sends it";
  return [
    `to       ${visible(to)}`,
    ...Object.entries(headers).map(
      ([header, value], index) => `${index === 0 ? "headers" : "       "}  ${header}: ${visible(value)}`,
    ),
    "",
    ...body.split("\n").map(visible),
    "",
    state,
  ].join("\n");
}
