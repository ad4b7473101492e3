import { allPorts, intersectPorts, isEmptyPorts, isSubsetPorts, noPorts, subtractPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { OperatorInputs } from "../compile/inputs.ts";
import { estateOf } from "../estate/build.ts";
import { symbolicInventories } from "../guardrail/symbolic.ts";
import { intentOf } from "../intent/intent.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import { definitionsAt } from "../model/expiry.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import { parseDefinitions } from "../model/parse.ts";
import type { SourceFile } from "../model/source.ts";
import type { PartyClass } from "../reach/classes.ts";
import { sourceDiff, type Diff } from "../reach/diff.ts";
import type { Source } from "../reach/source.ts";
import { formatSaid, type Said, type SayableAdoption, type Scope } from "../finding/adoption.ts";
import { addressSegments } from "./addresses.ts";
import { allowingEdits } from "./allow.ts";
import { brokenBy } from "./breaks.ts";
import { textOf, withEdit, type FileEdit } from "./file.ts";
import { beyond, differencePairs, isAmong, isPair, type PairDifference } from "./pairs.ts";
import { portsOf, revokingEdits } from "./revoke.ts";

/** What adopting is worked out on. */
export interface AdoptionWorld {
  /** Workloads as they are; undefined: made up from the definitions. */
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory> | undefined;
  readonly operator: OperatorInputs;
  /** ms since the epoch: which policies have expired. */
  readonly now: number;
}

/** Files changed so that Git says what is live, and what that means. */
export interface AdoptingEdit {
  readonly files: readonly FileEdit[];
  /** What opens and closes for good when it is merged, everywhere. */
  readonly diff: Diff;
  /** Targets where some of it is not live today, because a segment has members there too. Sorted. */
  readonly elsewhere: { readonly opened: readonly TargetId[]; readonly closed: readonly TargetId[] };
  /** Guardrails that it breaks; each a sentence. */
  readonly breaks: readonly string[];
}

/** edit · said: Git says so already · none: it cannot be said, and why. */
export type AdoptingAnswer = { readonly edit: AdoptingEdit } | { readonly said: true } | { readonly none: string };

/** Edits tried for one part of a change. */
const MAX_TRIES = 40;

/**
 * The smallest edit of definition files after which Git says what was seen live.
 *
 * Shown to be so: the files are read again, and the definitions compared with those before. In the scope of what was seen nothing opens
 * or closes but that; what a segment's members elsewhere get besides is told. Else there is no edit.
 *
 * @param files of the commit that the edit shall stand on
 */
export function adoptingEdit(files: readonly SourceFile[], adoption: SayableAdoption, world: AdoptionWorld): AdoptingAnswer {
  const before = readWorld(files, world, undefined);
  if (before === undefined) return { none: "the definitions of the branch hold errors" };
  const unknown = [...adoption.opened, ...adoption.closed]
    .flatMap(({ from, to }) => [...from, ...to])
    .find((name) => !isKnown(before, name));
  if (unknown !== undefined) return { none: `there is no segment ${unknown} any more` };
  const open = adoption.opened.filter((said) => !isSaid(before, said, "opened"));
  const closed = adoption.closed.filter((said) => !isSaid(before, said, "closed"));
  if (open.length + closed.length === 0) return { said: true };
  const named = addressSegments(before.definitions, files, [...open, ...closed]);
  let now: Step = { files: named.files, edits: named.edits };
  for (const said of closed.map(named.rename)) {
    const next = firstThat(revokingEdits(before.definitions, now.files, said), now, (step) =>
      closes(before, step, said, adoption.scopes, world),
    );
    if (next === undefined)
      return { none: `no single rule of the definitions opens ${formatSaid(said)}, so taking one away does not close it` };
    now = next;
  }
  for (const said of open.map(named.rename)) {
    const { definitions = before.definitions } = parse(now.files);
    const next = firstThat(allowingEdits(definitions, now.files, said), now, (step) => allows(before, step, said, world));
    if (next === undefined) return { none: `no rule would open ${formatSaid(said)}` };
    now = next;
  }
  const wanted = { opened: open.map(named.rename), closed: closed.map(named.rename), scopes: adoption.scopes };
  return proven(before, files, now, wanted, world);
}

interface Step {
  readonly files: readonly SourceFile[];
  readonly edits: readonly FileEdit[];
}

/** Definitions of one state of the files, on the workloads of all of them. */
interface Read {
  readonly definitions: Definitions;
  readonly source: Source;
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
}

function parse(files: readonly SourceFile[]) {
  return parseDefinitions(files, { allow: undefined });
}

/** @param first whose workloads count: both sides of a comparison have the same */
function readWorld(
  files: readonly SourceFile[],
  { inventories, operator, now }: AdoptionWorld,
  first: Read | undefined,
): Read | undefined {
  const { definitions: parsed } = parse(files);
  if (parsed === undefined) return undefined;
  const { definitions } = definitionsAt(parsed, now);
  const workloads = first?.inventories ?? inventories ?? symbolicInventories(definitions).inventories;
  const estate = first?.source.estate ?? estateOf(definitions, workloads);
  return { definitions, inventories: workloads, source: intentOf(definitions, estate, { as: "approved", operator }) };
}

function isKnown({ definitions }: Read, name: string): boolean {
  return definitions.segments.has(name) || name === "any" || name === "internet" || /[.:]/.test(name);
}

/** True when the definitions say it as they are. */
function isSaid(read: Read, said: Said, side: "opened" | "closed"): boolean {
  if ([...said.from, ...said.to].some((name) => /[.:]/.test(name))) return false; // addresses without a name: no rule says them
  const same = differencePairs(read.source, read.source, read.source);
  return holds(same, said, side, () => true);
}

/** Which pairs are asked about. */
type Counts = (from: PartyClass, to: PartyClass) => boolean;

/** True when everybody that it names may (may not) do so after the change. */
function holds(
  { classes, namesOf, after }: PairDifference,
  { from, to, ports }: Said,
  side: "opened" | "closed",
  counts: Counts,
): boolean {
  const wanted = portSetOf(ports);
  const named = (names: readonly string[]) => classes.filter((one) => namesOf(one).some((name) => names.includes(name)));
  const responders = named(to);
  return named(from).every((initiator) =>
    responders.every((responder) => {
      if (!isPair(initiator, responder) || !counts(initiator, responder)) return true;
      const passes = after(initiator, responder);
      return side === "opened" ? isSubsetPorts(wanted, passes) : isEmptyPorts(intersectPorts(wanted, passes));
    }),
  );
}

function portSetOf(ports: readonly string[]): PortSet {
  return ports.includes("any") ? allPorts : portsOf(ports);
}

function firstThat(candidates: Iterable<FileEdit>, now: Step, isGood: (step: Step) => boolean): Step | undefined {
  let tries = 0;
  for (const edit of candidates) {
    tries += 1;
    if (tries > MAX_TRIES) return undefined;
    const step = { files: withEdit(now.files, edit), edits: [...now.edits, edit] };
    if (isGood(step)) return step;
  }
  return undefined;
}

function allows(before: Read, { files }: Step, said: Said, world: AdoptionWorld): boolean {
  const read = readWorld(files, world, before);
  return read !== undefined && holds(differencePairs(read.source, read.source, read.source), said, "opened", () => true);
}

/** Closed where it was seen closed, and nothing else closes there. */
function closes(before: Read, { files }: Step, said: Said, scopes: readonly Scope[], world: AdoptionWorld): boolean {
  const read = readWorld(files, world, before);
  if (read === undefined) return false;
  const difference = differencePairs(before.source, read.source, read.source);
  const isThere: Counts = (from, to) => isAmong(scopes, from, to);
  return (
    holds(difference, said, "closed", isThere) && stray(difference, { opened: [], closed: [said] }, "closed", isThere).length === 0
  );
}

type Wanted = Pick<SayableAdoption, "opened" | "closed">;

/** Changed pairs that nothing of what was wanted says. */
function stray(
  { changes, namesOf }: PairDifference,
  wanted: Wanted,
  side: "opened" | "closed",
  counts: Counts,
): readonly PairDifference["changes"][number][] {
  return changes.filter((change) => {
    if (isEmptyPorts(change[side]) || !counts(change.from, change.to)) return false;
    const names = { from: namesOf(change.from), to: namesOf(change.to) };
    const said = wanted[side]
      .filter(({ from, to }) => from.some((name) => names.from.includes(name)) && to.some((name) => names.to.includes(name)))
      .map(({ ports }) => portSetOf(ports))
      .reduce(unionPorts, noPorts);
    return !isEmptyPorts(subtractPorts(change[side], said));
  });
}

function proven(
  before: Read,
  files: readonly SourceFile[],
  step: Step,
  wanted: Wanted & Pick<SayableAdoption, "scopes">,
  world: AdoptionWorld,
): AdoptingAnswer {
  const after = readWorld(step.files, world, before);
  if (after === undefined) return { none: "the edited definitions would hold errors" };
  const difference = differencePairs(before.source, after.source, after.source);
  const isThere: Counts = (from, to) => isAmong(wanted.scopes, from, to);
  if (!wanted.opened.every((said) => holds(difference, said, "opened", () => true)))
    return { none: "the edit would not open what is open" };
  if (!wanted.closed.every((said) => holds(difference, said, "closed", isThere)))
    return { none: "the edit would not close what is closed" };
  const everywhere = (["opened", "closed"] as const).flatMap((side) => stray(difference, wanted, side, () => true));
  if (everywhere.length > 0) return { none: "the edit would say more than what is live" };
  return {
    edit: {
      files: joinEdits(files, step),
      diff: sourceDiff(before.source, after.source),
      elsewhere: { opened: elsewhere(difference, "opened", wanted.scopes), closed: elsewhere(difference, "closed", wanted.scopes) },
      breaks: brokenBy({ definitions: before.definitions, approved: before.source }, after),
    },
  };
}

/** One edit per file, from how it is to how it shall be. */
function joinEdits(files: readonly SourceFile[], { edits }: Step): readonly FileEdit[] {
  const byPath = Map.groupBy(edits, ({ path }) => path);
  return [...byPath].map(([path, list]) => ({
    path,
    before: textOf(files, path) ?? "",
    after: list.at(-1)?.after ?? "",
    what: list.map(({ what }) => what).join("; "),
  }));
}

function elsewhere({ changes }: PairDifference, side: "opened" | "closed", scopes: readonly Scope[]): readonly TargetId[] {
  const parts = changes.filter((change) => !isEmptyPorts(change[side]));
  return [...new Set(parts.flatMap(({ from, to }) => beyond(scopes, from, to)))].sort();
}
