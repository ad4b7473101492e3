import { API, type NotifyRetryAnswer } from "../../core/api/shapes.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** `firebreak notify retry [CHANNEL]`: what a channel refused is sent again at once; a person has mended something. */
export async function notifyRetry(channel: string | undefined, options: OutputOptions & ConfigOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const answer = await api.post<NotifyRetryAnswer>(API.notifyRetry, channel === undefined ? {} : { channel });
  await printResult(options.output, answer, () => formatRetry(answer));
  return 0;
}

function formatRetry({ revived }: NotifyRetryAnswer): string {
  if (revived === 0) return "nothing waits for a person";
  return `${revived} ${revived === 1 ? "group" : "groups"} of findings will be told now; \`firebreak status\` shows what comes of it`;
}
