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
 * Targets in `mode: plan` are waited for until they were read once, or cannot be; those gone from Git are not. One that has drifted since is applied: that is another question.
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
  if (behind.length > 0) return { kind: "waiting", why: `revision ${revision.sequence} is not applied yet on ${namesOf(behind)}` };
  // Before anybody looked at them, nobody knows what the revision would change there.
  const unread = targets.filter(({ mode, lastReadAt, error }) => mode === "plan" && lastReadAt === null && error === null);
  return unread.length === 0 ? { kind: "done" } : { kind: "waiting", why: `nobody has read ${namesOf(unread)} yet` };
}

function namesOf(targets: readonly TargetStatus[]): string {
  const named = targets.slice(0, MAX_NAMED).map(({ target, state }) => `${visible(target)} (${state})`);
  return `${named.join(", ")}${targets.length > MAX_NAMED ? ` and ${targets.length - MAX_NAMED} more` : ""}`;
}

/** Names in one line; `firebreak status` shows them all. */
const MAX_NAMED = 5;

function isWritten({ mode, state }: TargetStatus): boolean {
  return mode === "apply" && state !== "orphaned";
}
