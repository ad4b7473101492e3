import { API, type ReleaseAnswer, type ReleaseRequest } from "../../core/api/shapes.ts";
import { formatRelease } from "../../core/text/answers.ts";
import { wholeAnswers } from "../../core/text/effect.ts";
import { ApiClient } from "../api.ts";
import { askYes } from "../ask.ts";
import { printResult, tell } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak release` takes. */
export interface ReleaseOptions extends OutputOptions, ConfigOptions {
  readonly keep?: true;
  readonly forget?: true;
  readonly yes?: true;
  readonly full?: true;
}

/** `firebreak release TARGET`: tells what it opens, asks, and only then does it. Exit 1 when the answer is no. */
export async function release(target: string, options: ReleaseOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const request: ReleaseRequest = { target, confirm: false, keep: options.keep === true, forget: options.forget === true };
  const preview = await api.post<ReleaseAnswer>(API.release, request);
  tell(formatRelease(preview, options.full === true));
  if (options.yes !== true && !(await askYes(`Release ${target}? [y/N] `, "--yes releases without asking"))) {
    tell("nothing was changed");
    return 1;
  }
  const answer = await api.post<ReleaseAnswer>(API.release, { ...request, confirm: true });
  await printResult(options.output, wholeAnswers([answer])[0], () => formatRelease(answer, options.full === true));
  return answer.done ? 0 : 1;
}
