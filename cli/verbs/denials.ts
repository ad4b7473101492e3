import { API, type DenialsAnswer } from "../../core/api/shapes.ts";
import { formatDenials } from "../../core/text/denials.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak denials` takes. */
export type DenialsOptions = OutputOptions & ConfigOptions;

/** `firebreak denials [TARGET]`. */
export async function denials(target: string | undefined, options: DenialsOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const answer = await api.get<readonly DenialsAnswer[]>(API.denials, target === undefined ? {} : { target });
  await printResult(options.output, answer, () => formatDenials(answer, Date.now(), target !== undefined));
  return 0;
}
