import { createTwoFilesPatch } from "diff";
import type { Said } from "../adopt/adoption.ts";
import { allowingEdits } from "../adopt/allow.ts";
import { brokenBy } from "../adopt/breaks.ts";
import { withEdit, type FileEdit } from "../adopt/file.ts";
import { endReader } from "../guardrail/ends.ts";
import { intentOf } from "../intent/intent.ts";
import { parseDefinitions } from "../model/parse.ts";
import type { Definitions } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import type { Party } from "../reach/source.ts";
import { verdictOf, type AllowingEdit, type Pair } from "./answer.ts";
import type { Named, Question } from "./ask.ts";
import type { ConnectivityWorld } from "./world.ts";

/** Why there is no edit, as a sentence; or the edit. */
export type EditAnswer = { readonly ok: AllowingEdit } | { readonly none: string };

/**
 * The smallest edit of policies that would allow a denied pair: the port added to a rule that has both segments already, else a rule added
 * to the policy of whoever opens that responder, else a new policy in a file of its own.
 *
 * Spliced, so that nothing else of a file changes; then read again and asked again: an edit that does not do it is not shown.
 *
 * @param files the definitions as they are, with the paths that the patch shall name
 */
export function smallestEdit(world: ConnectivityWorld, files: readonly SourceFile[], question: Question, pair: Pair): EditAnswer {
  const from = segmentFor(world, question.from, pair.from);
  const to = segmentFor(world, question.to, pair.to);
  if (from === undefined) return { none: `no segment holds ${question.from.text}; define one, then a rule can name it` };
  if (to === undefined) return { none: `no segment holds ${question.to.text}; define one, then a rule can name it` };
  const said: Said = { from: [from], to: [to], ports: [question.portText] };
  for (const candidate of allowingEdits(world.definitions, files, said)) {
    const edit = proven(world, files, question, pair, candidate);
    if (edit !== undefined) return { ok: edit };
  }
  return { none: "no rule would allow it: it is closed for another reason, which stands above" };
}

/** The segment that was named, else the smallest one that holds the workload. */
function segmentFor({ definitions, estate }: ConnectivityWorld, named: Named, party: Party): string | undefined {
  if (named.kind === "segment") return named.text;
  const read = endReader(definitions, estate);
  const holding = [...definitions.segments.keys()].filter((name) => {
    const end = read(name);
    return party.kind === "workload" && end.has(party.workload);
  });
  const sized = holding.map((name) => ({ name, size: estate.workloads.filter(read(name).has).length }));
  return sized.sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1))[0]?.name;
}

/** The edit, when it really allows the pair. */
function proven(
  { definitions: now, estate, approved }: ConnectivityWorld,
  files: readonly SourceFile[],
  question: Question,
  pair: Pair,
  candidate: FileEdit,
): AllowingEdit | undefined {
  const { definitions } = parseDefinitions(withEdit(files, candidate), { allow: undefined });
  if (definitions === undefined) return undefined;
  // Targets and workloads stay as they are in this world: made up as applied, or as they were seen.
  const changed: Definitions = { ...definitions, clusters: now.clusters, fleets: now.fleets };
  const source = intentOf(changed, estate, { as: "approved" });
  if (verdictOf(source, question, pair) !== "allowed") return undefined;
  const { path, before, after, what } = candidate;
  const breaks = brokenBy(changed, source, approved);
  const patch = createTwoFilesPatch(before === "" ? "/dev/null" : `a/${path}`, `b/${path}`, before, after, undefined, undefined, {
    context: 3,
  });
  return { patch: patch.replace(/^=+\n/, ""), file: path, what, breaks };
}
