import { FirebreakError } from "../../core/ground/error.ts";
import { API, type AcceptAnswer, type StatusAnswer } from "../../core/api/shapes.ts";
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
  const whole = wholeCommit(revision, await refusedNow(api, revision));
  if (whole === undefined) {
    throw new FirebreakError("NOT_FOUND", `the service refuses no commit ${revision} now; \`firebreak status\` shows which one`);
  }
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
