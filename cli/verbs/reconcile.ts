import { API, type ReconcileAnswer } from "../../core/api/shapes.ts";
import { formatReconcile } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** `firebreak reconcile [TARGET]`: asks; `firebreak status` shows what came of it. */
export async function reconcile(target: string | undefined, options: OutputOptions & ConfigOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const answer = await api.post<ReconcileAnswer>(API.reconcile, target === undefined ? {} : { target });
  await printResult(options.output, answer, () => formatReconcile(answer));
  return 0;
}
