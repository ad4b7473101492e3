import { API, type FindingAnswer } from "../../core/api/shapes.ts";
import { formatFindings } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak findings` takes. */
export interface FindingsOptions extends OutputOptions, ConfigOptions {
  readonly all?: true;
  readonly target?: string;
  readonly detailedExitcode?: true;
}

/** `firebreak findings`: open ones, or with `--all` the resolved ones too. */
export async function findings(options: FindingsOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const query = {
    ...(options.all === true ? { all: "true" } : {}),
    ...(options.target === undefined ? {} : { target: options.target }),
  };
  const answer = await api.get<readonly FindingAnswer[]>(API.findings, query);
  await printResult(options.output, answer, () => formatFindings(answer, Date.now()));
  const hasDrift = answer.some(({ resolvedAt }) => resolvedAt === null);
  return options.detailedExitcode === true && hasDrift ? 2 : 0;
}
