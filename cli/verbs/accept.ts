import { FirebreakError } from "../../core/model/error.ts";
import { API, type AcceptAnswer } from "../../core/api/shapes.ts";
import { formatAccept } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** `firebreak accept REVISION`: bound to the whole commit id, so that nobody accepts what a short one may come to mean. */
export async function accept(revision: string, options: OutputOptions & ConfigOptions): Promise<number> {
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(revision)) {
    throw new FirebreakError(
      "USAGE",
      `${JSON.stringify(revision)} is no whole commit id (40 hexadecimal digits); git rev-parse prints it`,
    );
  }
  const api = await ApiClient.connect(options.config);
  const answer = await api.post<AcceptAnswer>(API.accept, { revision });
  await printResult(options.output, answer, () => formatAccept(answer));
  return answer.accepted ? 0 : 1;
}
