import { API, type ReconcileAnswer } from "../../core/api/shapes.ts";
import { formatReconcile } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** `firebreak reconcile` with its options. */
export interface ReconcileOptions extends OutputOptions, ConfigOptions {
  /** UID of the cluster that the name stands for from now on. */
  readonly replaced?: string;
}

/** `firebreak reconcile [TARGET]`: asks; `firebreak status` shows what came of it. */
export async function reconcile(target: string | undefined, { replaced, ...options }: ReconcileOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const body = { ...(target === undefined ? {} : { target }), ...(replaced === undefined ? {} : { replaced }) };
  const answer = await api.post<ReconcileAnswer>(API.reconcile, body);
  await printResult(options.output, answer, () => formatReconcile(answer));
  return 0;
}
