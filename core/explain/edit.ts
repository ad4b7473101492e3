import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { brokenBy } from "../adopt/breaks.ts";
import { withEdit, type FileEdit } from "../adopt/file.ts";
import { parseDefinitions } from "../model/parse.ts";
import type { Definitions } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import { partyName } from "../guardrail/words.ts";
import type { AllowingEdit } from "./answer.ts";
import type { Question } from "./ask.ts";
import { candidates } from "./candidates.ts";
import { knownAs } from "./known-as.ts";
import { canMeet, findPair, verdictOf, type Pair } from "./pair.ts";
import type { ConnectivityWorld } from "../guardrail/world.ts";

/** Why there is no edit, as a sentence; or the edit. */
export type EditAnswer = { readonly ok: AllowingEdit } | { readonly none: string };

/** What an edit is made from. */
export interface EditInputs {
  /** The definitions as they are. */
  readonly files: readonly SourceFile[];
  /** The path of a file as the patch shall name it. */
  readonly patchPath: (path: string) => string;
  /** How definitions are looked at besides: a segment that is asked about as if it were enforced. Default: as they are. */
  readonly view?: (definitions: Definitions) => Definitions;
}

/**
 * The smallest edit of definitions that would allow what is denied: the port added to a rule that has both segments already, else a rule
 * added to the policy of whoever opens that responder, else a new policy in a file of its own, with a segment for an end that none holds.
 *
 * Spliced, so that nothing else of a file changes; then read again and asked again: an edit that does not do it is not shown. One that
 * allows every pair that was asked about comes before one that allows only the pair that is told.
 */
export function smallestEdit(world: ConnectivityWorld, inputs: EditInputs, question: Question, pair: Pair): EditAnswer {
  const from = knownAs(world, question.from, pair.from);
  const to = knownAs(world, question.to, pair.to);
  if (typeof from === "string") return { none: from };
  if (typeof to === "string") return { none: to };
  if (!canMeet(pair)) return { none: `${partyName(pair.from)} and ${partyName(pair.to)} have no address family in common` };
  let partial: AllowingEdit | undefined;
  for (const candidate of candidates(world.definitions, inputs.files, from, to, question.portText)) {
    const edit = proven(world, inputs, question, pair, candidate);
    if (edit?.isWhole === true) return { ok: edit.edit };
    partial ??= edit?.edit;
  }
  if (partial !== undefined) return { ok: partial };
  return { none: "no rule would allow it: it is closed for another reason, which stands above" };
}

/** The edit, when it really allows the pair, and whether it allows all that was asked about. */
function proven(
  world: ConnectivityWorld,
  { files, patchPath, view = (definitions) => definitions }: EditInputs,
  question: Question,
  pair: Pair,
  candidate: FileEdit,
): { readonly edit: AllowingEdit; readonly isWhole: boolean } | undefined {
  const { path, before, after, what } = candidate;
  const { definitions } = parseDefinitions(withEdit(files, candidate), { allow: undefined });
  if (definitions === undefined) return undefined;
  // Targets and workloads stay as they are in this world: made up as applied, or as they were seen.
  const changed: Definitions = { ...view(definitions), clusters: world.definitions.clusters, fleets: world.definitions.fleets };
  const source = world.intentOf(changed);
  const known = world.enforceableOf(changed);
  if (verdictOf(known, question, pair) !== "allowed") return undefined;
  const edit = {
    patch: patchOf(patchPath(path), before, after),
    file: path,
    what,
    breaks: brokenBy(world, { definitions: changed, source }),
  };
  return { edit, isWhole: findPair(known, question).verdict === "allowed" };
}

/** One file's change as `git apply` takes it. An empty header puts a tab behind a name, which is how one with blanks ends. */
export function patchOf(path: string, before: string, after: string): string {
  const [old, young] = [before === "" ? "/dev/null" : `a/${path}`, `b/${path}`];
  const header = path.includes(" ") ? "" : undefined;
  return createTwoFilesPatch(old, young, before, after, header, header, { context: 3, headerOptions: FILE_HEADERS_ONLY });
}
