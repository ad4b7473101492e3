import { API, type ApproveAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** `firebreak approve PLAN`: bound to the head that the plan is for; a later one needs another approval. */
export async function approve(plan: string, options: OutputOptions & ConfigOptions): Promise<number> {
  if (!/^[0-9a-f]{12}$/.test(plan))
    throw new FirebreakError("USAGE", `${JSON.stringify(plan)} is no id of a plan (12 hexadecimal digits); the comment shows it`);
  const api = await ApiClient.connect(options.config);
  const answer = await api.post<ApproveAnswer>(API.approve, { plan });
  await printResult(options.output, answer, () => `approved plan ${answer.plan} of pull request #${answer.pull} at ${answer.head}`);
  return 0;
}
