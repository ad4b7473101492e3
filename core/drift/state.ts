import type { TargetState } from "../api/shapes.ts";

/** What a target's state is told from. */
export interface TargetFacts {
  readonly inGit: boolean;
  readonly mode: "plan" | "apply";
  /** The last look failed. */
  readonly isUnreachable: boolean;
  /** The last look that succeeded is too long ago to vouch for anything. */
  readonly isStale: boolean;
  /** An open finding says that live differs from what was applied. */
  readonly hasDrifted: boolean;
  readonly applied: number | null;
  readonly wanted: number | null;
}

/** The one state of a target: the first that holds (DESIGN.md §5). */
export function targetState(facts: TargetFacts): TargetState {
  if (!facts.inGit) return "orphaned";
  if (facts.mode === "plan") return "plan only";
  if (facts.isUnreachable) return "unreachable";
  if (facts.isStale) return "stale";
  if (facts.hasDrifted) return "drifted";
  return facts.applied === null || facts.applied !== facts.wanted ? "pending" : "in sync";
}
