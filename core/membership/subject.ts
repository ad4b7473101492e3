import { conjunction, isImplied, isUnsatisfiable, negations } from "../selector/index.ts";
import type { LabelSelector } from "../selector/index.ts";

/** Pods as a cluster can say them: labels of the pod and labels of its namespace, both must match. */
export interface Subject {
  readonly pods: LabelSelector;
  readonly namespaces: LabelSelector;
}

/**
 * More alternatives than this are refused: each is one object, or one peer of each rule, in every cluster. Subtracting a selector of
 * five labels from one member leaves five.
 */
export const MAX_SUBJECTS = 64;

/**
 * Pods in one of `from` and in none of `without`, or "too many" when it takes more than {@link MAX_SUBJECTS} subjects to say so.
 *
 * ```
 *   F \ W  =  F ∧ ¬(p1 ∧ p2 ∧ n1)  =  (F ∧ ¬p1) ∨ (F ∧ ¬p2) ∨ (F ∧ ¬n1)
 * ```
 *
 * The alternatives may overlap; one that lies within another is dropped.
 */
export function subtractSubjects(from: readonly Subject[], without: readonly Subject[]): readonly Subject[] | "too many" {
  let left = from;
  for (const out of without) {
    const alternatives = negated(out);
    const next = widest(left.flatMap((subject) => subtractOne(subject, out, alternatives)));
    if (next === "too many") return next;
    left = next;
  }
  return left;
}

function subtractOne(subject: Subject, out: Subject, alternatives: readonly Subject[]): readonly Subject[] {
  if (intersectSubject(subject, out) === undefined) return [subject];
  return alternatives.flatMap((alternative) => intersectSubject(subject, alternative) ?? []);
}

/** Pods in both, or undefined when that is provably nobody. */
function intersectSubject(a: Subject, b: Subject): Subject | undefined {
  const pods = conjunction(a.pods, b.pods);
  const namespaces = conjunction(a.namespaces, b.namespaces);
  return pods === "none" || namespaces === "none" ? undefined : { pods, namespaces };
}

/** Everything that is not in the subject, as alternatives. */
function negated({ pods, namespaces }: Subject): readonly Subject[] {
  if (isUnsatisfiable(pods) || isUnsatisfiable(namespaces)) return [{ pods: {}, namespaces: {} }];
  return [
    ...negations(namespaces).map((namespacesNot): Subject => ({ pods: {}, namespaces: namespacesNot })),
    ...negations(pods).map((podsNot): Subject => ({ pods: podsNot, namespaces: {} })),
  ];
}

/** Without those that lie within another one; of equals the first stays. Gives up early: comparing thousands takes seconds. */
function widest(subjects: readonly Subject[]): readonly Subject[] | "too many" {
  const kept: Subject[] = [];
  for (const subject of subjects) {
    if (kept.some((other) => isWithin(subject, other))) continue;
    if (kept.length >= 2 * MAX_SUBJECTS) return "too many";
    for (let index = kept.length - 1; index >= 0; index -= 1) {
      const other = kept[index];
      if (other !== undefined && isWithin(other, subject)) kept.splice(index, 1);
    }
    kept.push(subject);
  }
  return kept.length > MAX_SUBJECTS ? "too many" : kept;
}

function isWithin(narrow: Subject, wide: Subject): boolean {
  return isImplied(narrow.pods, wide.pods) && isImplied(narrow.namespaces, wide.namespaces);
}
