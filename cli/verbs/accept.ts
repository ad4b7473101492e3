import { API, type AcceptAnswer, type StatusAnswer } from "../../core/api/shapes.ts";
import { unknownName } from "../../core/model/unknown-name.ts";
import { formatAccept } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { isWhole, wholeCommit } from "../commits.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/**
 * `firebreak accept REVISION`: bound to the whole commit id, so that nobody accepts what a short one may come to mean. A short one counts when
 * it is the commit that the service refuses now.
 */
export async function accept(revision: string, options: OutputOptions & ConfigOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const refused = await refusedNow(api, revision);
  const whole = wholeCommit(revision, refused);
  if (whole === undefined) throw unknownName("commit", revision, refused, "firebreak status shows which one is refused now");
  const answer = await api.post<AcceptAnswer>(API.accept, { revision: whole });
  await printResult(options.output, answer, () => formatAccept(answer));
  return answer.accepted ? 0 : 1;
}

/** Not asked where the whole id is said. */
async function refusedNow(api: ApiClient, revision: string): Promise<readonly string[]> {
  if (isWhole(revision)) return [];
  const { repository } = await api.get<StatusAnswer>(API.status);
  return repository.refused === null ? [] : [repository.refused.commit];
}
