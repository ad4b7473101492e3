import { API, type FindingAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { unknownName } from "../../core/model/unknown-name.ts";
import { formatFindings } from "../../core/text/answers.ts";
import { wholeAnswers } from "../../core/text/effect.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak findings` takes. */
export interface FindingsOptions extends OutputOptions, ConfigOptions {
  readonly all?: true;
  readonly target?: string;
  readonly full?: true;
  readonly detailedExitcode?: true;
}

/** `firebreak findings [FINDING]`: open ones, or with `--all` the resolved ones too; or one by its fingerprint, open or not. */
export async function findings(finding: string | undefined, options: FindingsOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const query = {
    ...(options.all === true || finding !== undefined ? { all: "true" } : {}),
    ...(options.target === undefined ? {} : { target: options.target }),
  };
  const found = await api.get<readonly FindingAnswer[]>(API.findings, query);
  const answer = finding === undefined ? found : oneOf(found, finding);
  await printResult(options.output, wholeAnswers(answer), () => formatFindings(answer, Date.now(), options.full === true));
  const hasDrift = answer.some(({ resolvedAt }) => resolvedAt === null);
  return options.detailedExitcode === true && hasDrift ? 2 : 0;
}

/** By the fingerprint, or how it begins. @throws FirebreakError NOT_FOUND, or USAGE when several begin so */
function oneOf(found: readonly FindingAnswer[], name: string): readonly FindingAnswer[] {
  const meant = found.filter(({ fingerprint }) => fingerprint.startsWith(name));
  const prints = [...new Set(meant.map(({ fingerprint }) => fingerprint))];
  if (prints.length === 0) {
    const known = found.map(({ fingerprint }) => fingerprint);
    throw unknownName("finding", name, known, "firebreak findings --all lists them");
  }
  if (prints.length > 1) throw new FirebreakError("USAGE", `${name} may be ${prints.slice(0, 5).join(" or ")}: say more of it`);
  return meant;
}
