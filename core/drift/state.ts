import type { TargetState } from "../api/shapes.ts";

/** What a target's state is told from. */
export interface TargetFacts {
  readonly inGit: boolean;
  readonly mode: "plan" | "apply";
  /** Another cluster answers under this name: it waits for a person. */
  readonly isReplaced: boolean;
  /** The last look failed: nobody answered, or nobody could be let in. */
  readonly isUnreachable: boolean;
  /** The last look failed because the target does not let us see what is there. */
  readonly isForbidden: boolean;
  /** The last look failed although the target answered: it refused, or what it said cannot be read. */
  readonly isNotUnderstood: boolean;
  /** The last look that succeeded is too long ago to vouch for anything. */
  readonly isStale: boolean;
  /** An open finding says that live differs from what was applied. */
  readonly hasDrifted: boolean;
  readonly applied: number | null;
  readonly wanted: number | null;
}

/** The one state of a target: the first that holds (docs/design/contracts.md "Work, queue, store"). */
export function targetState(facts: TargetFacts): TargetState {
  if (!facts.inGit) return "orphaned";
  if (facts.mode === "plan") return "plan only";
  if (facts.isReplaced) return "replaced";
  if (facts.isForbidden) return "forbidden";
  if (facts.isNotUnderstood) return "not understood";
  if (facts.isUnreachable) return "unreachable";
  if (facts.isStale) return "stale";
  if (facts.hasDrifted) return "drifted";
  return facts.applied === null || facts.applied !== facts.wanted ? "pending" : "in sync";
}

/** Codes of a look that failed although the target answered. */
const ANSWERED: ReadonlySet<string> = new Set(["HOST_NOT_UNDERSTOOD", "HOST_REFUSED"]);

/** True when the error of a look says that the target answered, and could not be understood. */
export function isNotUnderstood(error: { readonly code: string } | null): boolean {
  return error !== null && ANSWERED.has(error.code);
}

/** True when the error of a look says that the target answered, and that our account lacks rights there. */
export function isForbidden(error: { readonly code: string } | null): boolean {
  return error?.code === "CLUSTER_FORBIDDEN";
}
