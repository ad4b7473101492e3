import type { Subject } from "../membership/subject.ts";
import type { Direction, Segment } from "../model/kinds.ts";
import type { Labels } from "../selector/index.ts";
import type { DirectedRule, DirectedRules } from "./directed.ts";
import type { EndIndex } from "./end-index.ts";
import { objectName } from "./names.ts";
import type { ObjectRole } from "./names.ts";
import { intersectSubjects, narrowSubjects } from "./subjects.ts";
import type { Placer } from "./subjects.ts";
import type { ClusterAllow, ClusterObject } from "./want.ts";

/** A segment that can have pods in the cluster, as labels. */
export interface HeldSegment {
  readonly segment: Segment;
  /** Whom it isolates: everybody who may be in it. */
  readonly possible: readonly Subject[];
  /** To whom its rules apply: those who are in it for certain; the same list unless labels cannot tell. */
  readonly certain: readonly Subject[];
}

/** Pods that rules, or an essential, allow something without isolating them. */
export interface RuleEnd {
  readonly role: Exclude<ObjectRole, { readonly kind: "own" | "cell" }>;
  readonly subjects: readonly Subject[];
  readonly rules: readonly DirectedRule[];
}

/** Everything one direction is built from. */
export interface SegmentContext {
  readonly direction: Direction;
  readonly placer: Placer;
  readonly rules: DirectedRules;
  /** Ends that may share pods with an enforced segment. */
  readonly ends: EndIndex<RuleEnd>;
}

/**
 * The objects of one enforced segment S: its own (the default deny with the rules that name it), and for every other end R that may
 * share pods with it one for S ∧ R with the rules that R adds.
 *
 * Where labels cannot tell who is left out of S, its own object isolates whoever may be in it, and the rules that name S are for
 * those who are in it for certain.
 */
export function compileSegment(context: SegmentContext, held: HeldSegment): readonly ClusterObject[] {
  const { rules, ends } = context;
  const { segment, possible, certain } = held;
  const named = rules.naming(segment.name);
  const isExact = possible === certain;
  const own = isExact ? inOrder(rules.forAny, named) : rules.forAny;
  // Where labels cannot tell, a rule that names S and R says something new for pods that are in R for certain.
  const counted = new Set(isExact ? [...rules.forAny, ...named] : rules.forAny);
  const self: RuleEnd = { role: { kind: "end", name: segment.name }, subjects: certain, rules: named };
  return [
    ...placeRules(context, segment, { kind: "own" }, possible, own),
    ...(isExact ? [] : compileEnd(context, held, self, new Set())),
    ...ends.near(possible).flatMap((end) => compileEnd(context, held, end, counted)),
  ];
}

/** S ∧ R: what the rules of R that do not name S anyway add for pods that are in both. */
function compileEnd(
  context: SegmentContext,
  { segment, possible }: HeldSegment,
  { role, subjects, rules }: RuleEnd,
  counted: ReadonlySet<DirectedRule>,
): readonly ClusterObject[] {
  const more = rules.filter((rule) => !counted.has(rule));
  if (more.length === 0) return [];
  return placeRules(context, segment, role, intersectSubjects(possible, subjects), more);
}

/** One object for the rules that count for all of the subjects, and one per combination of label values for those that compare labels. */
function placeRules(
  context: SegmentContext,
  segment: Segment,
  role: Exclude<ObjectRole, { readonly kind: "cell" }>,
  subjects: readonly Subject[],
  rules: readonly DirectedRule[],
): readonly ClusterObject[] {
  if (subjects.length === 0) return [];
  const everybody: ClusterAllow[] = [];
  const cells = new Map<string, { readonly values: Labels; readonly allows: ClusterAllow[] }>();
  for (const { text, values, allows } of rules.flatMap((rule) => rule.cells)) {
    if (text === "") everybody.push(...allows);
    else {
      const cell = cells.get(text) ?? { values, allows: [] };
      cells.set(text, cell);
      cell.allows.push(...allows);
    }
  }
  return [
    ...(role.kind === "own" || everybody.length > 0 ? placeObjects(context, segment, role, subjects, everybody) : []),
    ...[...cells].flatMap(([text, { values, allows }]) => {
      const cellRole: ObjectRole = { kind: "cell", name: role.kind === "own" ? "" : role.name, values: text };
      return placeObjects(context, segment, cellRole, narrowSubjects(subjects, values), allows);
    }),
  ];
}

function placeObjects(
  { direction, placer }: SegmentContext,
  segment: Segment,
  role: ObjectRole,
  subjects: readonly Subject[],
  allows: readonly ClusterAllow[],
): readonly ClusterObject[] {
  return placer.place(subjects).map(({ namespace, pods }) => ({
    namespace,
    name: objectName(segment.name, direction, role, pods),
    direction,
    subject: pods,
    segment: segment.name,
    allows,
  }));
}

/** Two lists of rules, each in order, as one. */
function inOrder(a: readonly DirectedRule[], b: readonly DirectedRule[]): readonly DirectedRule[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : [...a, ...b].sort((one, other) => one.order - other.order);
}
