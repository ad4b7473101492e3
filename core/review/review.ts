import type { OperatorInputs } from "../compile/inputs.ts";
import { estatesOf } from "../estate/pair.ts";
import type { Estate } from "../estate/estate.ts";
import { revisionDiff } from "../explain/between.ts";
import { asIfApplied, asIfAppliedPair } from "../guardrail/world.ts";
import type { Memberships } from "../membership/membership.ts";
import { placed } from "../guardrail/made-up-places.ts";
import { symbolicInventories } from "../guardrail/symbolic.ts";
import { intentOf } from "../intent/intent.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import { definitionsAt } from "../model/expiry.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import { compareNotes, type Note } from "../model/note.ts";
import type { Target } from "../model/target.ts";
import { checkRevision, type EnforcedElsewhere } from "../revision/limits.ts";
import { sourceDiff, type Diff } from "../reach/diff.ts";
import type { Source } from "../reach/source.ts";
import { guardrailProblems, type JudgedRevision } from "../revision/guardrails.ts";
import type { RevisionProblem } from "../revision/judge.ts";
import { emptySegments, lostTests, violatedAlready } from "./already.ts";
import { safeguardChanges, type SafeguardChange } from "./safeguards.ts";
import { listTargets } from "../model/target.ts";
import { touchedTargets, type Touched } from "./touched.ts";

/**
 * What a reader may see: `full` with names and numbers of what runs now; `intent` computed on made-up workloads, from Git alone, for a
 * change by somebody who has no right to know more.
 */
export type Visibility = "full" | "intent";

/** What runs now; nothing of it reaches a review of `intent`. */
export interface LiveWorld {
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  /** Targets gone from Git that are still enforced. */
  readonly orphans: readonly Target[];
  readonly enforced: EnforcedElsewhere;
  /** Which addresses are in which segment, as the service has it now. */
  readonly memberships?: Memberships | undefined;
}

export interface ReviewInput {
  /** The definitions in force; undefined before the first revision. */
  readonly before: Definitions | undefined;
  /** As they would be after the merge. */
  readonly after: Definitions;
  /** Of reading the candidate. */
  readonly notes: readonly Note[];
  /** ms since the epoch: what has expired by then is closed. */
  readonly now: number;
  readonly operator: OperatorInputs;
  /** Undefined: a review of intent. */
  readonly live: LiveWorld | undefined;
}

/** When a policy ends by itself, ms since the epoch; undefined: never. */
export interface Expiry {
  readonly policy: string;
  readonly at: number | undefined;
  /** It has come already: its rules are closed, whatever the merge does. */
  readonly isOver: boolean;
  /** Before; of a new policy the same as `at`. */
  readonly was: number | undefined;
}

/** True when what it allows stays open longer than it would have. */
export function isProlonged({ at, was }: Expiry): boolean {
  return was !== undefined && (at === undefined || at > was);
}

/** What merging a change would do. */
export interface Review {
  readonly visibility: Visibility;
  /** By what is meant. */
  readonly diff: Diff;
  /** By what enforcers can know of it, where that is not the same; undefined when it is, and for `intent`. */
  readonly enforceable: Diff | undefined;
  /** What it alters in how later changes are judged, in what is written where, or in what happens at drift. */
  readonly safeguards: readonly SafeguardChange[];
  /** Why it would be refused: guardrails, limits. */
  readonly problems: readonly RevisionProblem[];
  /** By place: of the candidate, and new ones of compiling it. */
  readonly notes: readonly Note[];
  readonly touched: Touched;
  /** Policies whose end the candidate changes, or that are new and end. */
  readonly expires: readonly Expiry[];
}

/** Reviews a candidate that is valid. The same input gives the same review. */
export function reviewOf(input: ReviewInput): Review {
  return input.live === undefined ? reviewIntent(input) : reviewFull(input, input.live);
}

/** True when a reader must not take the change for harmless: something may be otherwise than it says. */
export function isUncertain({ diff, enforceable, touched }: Review): boolean {
  const doubts = diff.uncertain.length + (enforceable?.uncertain.length ?? 0);
  return doubts > 0 || touched.targets.some(({ how }) => how === "unknown");
}

function reviewFull(input: ReviewInput, { inventories, orphans, enforced, memberships }: LiveWorld): Review {
  const { before, now, operator } = input;
  const after = definitionsAt(input.after, now).definitions;
  const old = definitionsAt(before ?? nothingOf(input.after), now).definitions;
  const [oldEstate, estate] = estatesOf([old, after], inventories, orphans);
  // Only guardrails ask about workloads that are not there yet.
  const isGuarded = after.guardrails.size > 0 || old.guardrails.size > 0;
  const madeUp = isGuarded ? symbolicInventories(after).inventories : new Map<TargetId, ClusterInventory>();
  const madeUpEstates = estatesOf([old, after], madeUp);
  const judged = (definitions: Definitions, of: Estate, made: Estate): JudgedRevision & { readonly sources: [Source, Source] } => ({
    definitions,
    sources: [intentOf(definitions, of, { as: "approved", operator }), intentOf(definitions, of, { as: "enforceable", operator })],
    madeUp: intentOf(definitions, made, { as: "approved", operator }),
  });
  const [was, will] = [judged(old, oldEstate, madeUpEstates[0]), judged(after, estate, madeUpEstates[1])];
  const diff = sourceDiff(was.sources[0], will.sources[0]);
  const enforceable = sourceDiff(was.sources[1], will.sources[1]);
  const touched = touchedTargets(before && old, after, { inventories, memberships, operator, now });
  return {
    visibility: "full",
    diff,
    safeguards: safeguardChanges(before, input.after),
    enforceable: isSameDiff(diff, enforceable) ? undefined : enforceable,
    problems: [
      ...checkRevision({ before, after: input.after, inventories, enforced }),
      ...(isGuarded ? guardrailProblems(will, before && was, undefined) : []),
    ],
    notes: notesOf(input, [
      ...touched.notes,
      ...lostTests(before, input.after),
      ...violatedAlready(before && old, after, will.sources, "live"),
      ...emptySegments(before && old, after, estate),
    ]),
    touched,
    expires: expiring(input),
  };
}

function reviewIntent(input: ReviewInput): Review {
  const { before, now, operator } = input;
  const at = (definitions: Definitions): Definitions => asIfApplied(definitionsAt(definitions, now).definitions).definitions;
  const after = at(input.after);
  const old = at(before ?? nothingOf(input.after));
  const inventories = placed(symbolicInventories(after).inventories);
  const estates = estatesOf([old, after], inventories);
  const judged = (definitions: Definitions, estate: Estate): JudgedRevision => ({
    definitions,
    sources: [],
    madeUp: intentOf(definitions, estate, { as: "approved", operator }),
  });
  const then = (definitions: Definitions): Definitions => definitionsAt(definitions, now).definitions;
  const first = before && asIfAppliedPair(then(before), then(input.after))[0];
  const touched = touchedTargets(first, after, { inventories, operator, now });
  const targets = withModes(touched.targets, before, input.after);
  const will = judged(after, estates[1]);
  return {
    visibility: "intent",
    diff: revisionDiff(before ?? nothingOf(input.after), input.after, undefined, now),
    safeguards: safeguardChanges(before, input.after),
    enforceable: undefined,
    problems: [
      ...checkRevision({ before, after: input.after, inventories: new Map() }),
      ...guardrailProblems(will, before && judged(old, estates[0]), undefined),
    ],
    // What compiling says of made-up workloads is about nobody.
    notes: notesOf(input, [
      ...lostTests(before, input.after),
      ...violatedAlready(before && old, after, [will.madeUp], "definitions"),
      ...emptySegments(before && old, after, estates[1]),
    ]),
    touched: { ...touched, targets, notes: [] },
    expires: expiring(input),
  };
}

/** The modes that the definitions say, where rules were compared as if all were applied. */
function withModes(touched: Touched["targets"], before: Definitions | undefined, after: Definitions): Touched["targets"] {
  const was = new Map((before === undefined ? [] : listTargets(before)).map(({ id, mode }) => [id, mode]));
  const found = new Map(touched.map((target) => [target.id, target]));
  for (const { id, mode } of listTargets(after)) {
    const known = found.get(id);
    if (was.get(id) === "apply" && mode === "plan") found.set(id, { id, mode, how: "ends" });
    else if (known !== undefined) found.set(id, { ...known, mode });
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Before the first revision nobody is isolated. */
function nothingOf(definitions: Definitions): Definitions {
  return { ...definitions, segments: new Map(), policies: new Map(), guardrails: new Map() };
}

function notesOf({ notes, after, now }: ReviewInput, compiled: readonly Note[]): readonly Note[] {
  const known = new Set<string>();
  const all = [...notes, ...definitionsAt(after, now).notes, ...compiled].filter(({ code, summary, at }) => {
    const key = `${code} ${summary} ${at?.file ?? ""}:${at?.line ?? ""}`;
    return !known.has(key) && known.add(key);
  });
  return all.sort(compareNotes);
}

function expiring({ before, after, now }: ReviewInput): Review["expires"] {
  return [...after.policies.values()].flatMap(({ name, expires }) => {
    const earlier = before?.policies.get(name);
    const was = earlier === undefined ? expires : earlier.expires;
    const isTold = earlier === undefined ? expires !== undefined : was !== expires;
    return isTold ? [{ policy: name, at: expires, isOver: expires !== undefined && expires <= now, was }] : [];
  });
}

/** The same lines and doubts, as people read them. */
function isSameDiff(a: Diff, b: Diff): boolean {
  const text = ({ opened, closed, uncertain }: Diff): string =>
    JSON.stringify([
      [opened, closed].map((lines) => lines.map(({ from, to, ports, workloads }) => [from, to, ports, workloads])),
      uncertain.map((doubt) => doubt.text),
    ]);
  return text(a) === text(b);
}
