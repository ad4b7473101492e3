import { API } from "../../core/api/shapes.ts";
import type { ExplainAnswer } from "../../core/explain/answer.ts";
import { explainConnection, withBlame } from "../../core/explain/explain.ts";
import { formatExplain } from "../../core/text/explain.ts";
import { ApiClient } from "../api.ts";
import { revisionOf } from "../commits.ts";
import { isAway, readWorld, serviceNamed } from "../connectivity.ts";
import { blameLine, findClone, pathIn } from "../git-clone.ts";
import { printResult, tell } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak explain` takes. */
export interface ExplainOptions extends OutputOptions {
  readonly definitions?: string;
  readonly inventory?: string;
  readonly config?: string;
  /** A commit of the clone, or for the service a number or whole commit id. */
  readonly at?: string;
  readonly asApplied?: true;
  readonly full?: true;
  readonly detailedExitcode?: true;
}

/** `firebreak explain FROM TO PORT`: of the running service, or of a folder where one is named or no service is; with `--detailed-exitcode` 2 when not all of it is allowed. */
export async function explain(from: string, to: string, port: string, options: ExplainOptions): Promise<number> {
  const answer = await answerAsked({ from, to, port }, options);
  await printResult(options.output, answer, () => formatExplain(answer, options.full === true));
  return options.detailedExitcode === true && answer.verdict !== "allowed" ? 2 : 0;
}

async function answerAsked(
  asked: { readonly from: string; readonly to: string; readonly port: string },
  options: ExplainOptions,
): Promise<ExplainAnswer> {
  const service = serviceNamed(options.config);
  if (options.definitions === undefined && options.inventory === undefined && service !== undefined) {
    try {
      const api = await ApiClient.connect(service);
      return await api.get<ExplainAnswer>(API.explain, {
        ...asked,
        ...(options.at === undefined ? {} : { at: await revisionOf(api, options.at) }),
      });
    } catch (error) {
      if (!isAway(error, options.config)) throw error;
      tell("the service does not answer: answered from the definitions here, and not from what is live");
    }
  }
  const { folder, files, ...world } = await readWorld(options.definitions, options);
  const clone = await findClone(folder);
  const patchPath = clone === undefined ? (path: string) => path : (path: string) => pathIn(clone, path);
  const answer = explainConnection(world, { files, patchPath }, asked);
  // Who touched a line last is asked of what is checked out: of an older commit it would name the wrong one.
  return await withBlame(answer, options.at === undefined ? blameLine : async () => await Promise.resolve(null));
}
