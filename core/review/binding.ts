import { sha256Hex } from "../membership/hash.ts";

/** What a plan of a pull request holds for; when one of these moves, it is stale. */
export interface Binding {
  /** Full ids of commits: the pull request's, and the branch's that it would be merged into. */
  readonly head: string;
  readonly base: string;
  /** What is in force (sequence and commit) and, for a full plan, the live enforcement objects of the targets it touches. */
  readonly live: string;
}

/** A touched target and the digest of what its enforcer had when it was last read; null: never read. */
export interface LiveDigest {
  readonly id: string;
  readonly observationDigest: string | null;
}

/** Digest of what is in force and live. @param inForce `SEQUENCE COMMIT` */
export function liveDigest(inForce: string, targets: readonly LiveDigest[]): string {
  const sorted = targets
    .map(({ id, observationDigest }) => [id, observationDigest])
    .sort(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1));
  return sha256Hex(JSON.stringify([inForce, sorted])).slice(0, 16);
}

/** Why a plan no longer holds, in words; undefined while it does. */
export function isStale(plan: Binding, now: Binding): string | undefined {
  if (plan.head !== now.head) return "the head has moved";
  if (plan.base !== now.base) return "the branch has moved";
  return plan.live === now.live ? undefined : "what is enforced now has changed";
}

/** Short id of a plan, for people to name it: 12 hexadecimal digits of all that it holds for and what it says. */
export function planId(pull: number, binding: Binding, said: string): string {
  return sha256Hex(JSON.stringify([pull, binding.head, binding.base, binding.live, said])).slice(0, 12);
}
