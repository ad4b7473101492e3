import type { StatusAnswer, TargetStatus } from "../api/shapes.ts";
import { visible } from "../ground/visible.ts";

/** How far a commit has come: in force and applied everywhere, on its way, or refused. */
export type Convergence =
  | { readonly kind: "done" }
  | { readonly kind: "waiting"; readonly why: string }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

/**
 * Whether a commit is in force, and read back on every target that is written.
 *
 * Targets in `mode: plan` and those gone from Git are not waited for. One that has drifted since is applied: that is another question.
 */
export function convergenceOf({ revision, repository, targets, troubles }: StatusAnswer, commit: string): Convergence {
  const { refused, error } = repository;
  if (refused?.commit === commit && refused.code === "GUARDRAIL_UNSEEN") return { kind: "waiting", why: visible(refused.message) };
  if (refused?.commit === commit) return { kind: "refused", code: refused.code, message: refused.message };
  if (revision?.commit !== commit) {
    const inForce = revision === null ? "no revision is" : `revision ${revision.sequence} (${revision.commit.slice(0, 10)}) is`;
    // What keeps the service from working keeps the commit waiting, too.
    const failure =
      error === null
        ? troubles.map((trouble) => `; ${trouble.service}: ${trouble.error.code}: ${visible(trouble.error.message)}`).join("")
        : `; Git cannot be read: ${error.code}: ${visible(error.message)}`;
    return { kind: "waiting", why: `${inForce} in force, ${commit.slice(0, 10)} is not${failure}` };
  }
  const behind = targets.filter((target) => isWritten(target) && (target.revision ?? 0) < revision.sequence);
  if (behind.length === 0) return { kind: "done" };
  const named = behind.slice(0, MAX_NAMED).map(({ target, state }) => `${visible(target)} (${state})`);
  const rest = behind.length > MAX_NAMED ? ` and ${behind.length - MAX_NAMED} more` : "";
  return { kind: "waiting", why: `revision ${revision.sequence} is not applied yet on ${named.join(", ")}${rest}` };
}

/** Names in one line; `firebreak status` shows them all. */
const MAX_NAMED = 5;

function isWritten({ mode, state }: TargetStatus): boolean {
  return mode === "apply" && state !== "orphaned";
}
