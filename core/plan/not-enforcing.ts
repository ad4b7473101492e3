import type { TargetId } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";

/** A cluster in which no network plugin reads NetworkPolicies: a plan is written there, and closes nothing. */
export function noteNotEnforcing(target: TargetId): Note {
  return {
    severity: "warning",
    code: "not-enforcing",
    summary: `nothing enforces NetworkPolicy in ${target}: whatever is said here to close stays open there`,
    detail:
      "Install a network plugin that enforces it; or, if one is there and was not recognised, name it in the Cluster: `enforcer: calico`.",
  };
}
