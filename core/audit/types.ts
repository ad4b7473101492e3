import type { fieldShape } from "./fields.ts";

/** A field that some types require. */
export type FieldName = keyof typeof fieldShape;

/**
 * The types of entries, and the fields each one must have (all others of `fields.ts` are allowed with every type).
 * Types are added, never renamed.
 */
export const ENTRY_TYPES = {
  // what was decided
  "revision.accepted": ["commit", "revision"],
  "revision.rejected": ["commit", "error"],
  "revision.held": ["commit", "error"],
  "plan.computed": ["target", "plan", "effect"],
  "plan.reviewed": ["commit", "plan"],
  "plan.approved": ["commit", "actor", "pullRequest"],
  "plan.held": ["commit", "actor", "pullRequest"],
  /** A hold was lifted. */
  "plan.resumed": ["commit", "actor", "pullRequest"],
  "approval.recorded": ["commit", "actor"],
  "approval.voided": ["commit"],
  "exception.granted": ["actor", "reason"],
  "exception.expired": ["causedBy"],
  "freeze.started": [],
  "freeze.ended": [],
  // what was done
  "apply.intent": ["target", "plan"],
  "apply.outcome": ["target", "plan", "outcome", "causedBy"],
  rollback: ["target", "outcome"],
  "members.updated": ["target", "members"],
  "target.orphaned": ["target"],
  "target.released": ["target", "actor"],
  /** Who a target proved to be, when that was not known: the cluster's UID, or the fingerprint of the host's key. */
  "target.identified": ["target"],
  /** A person said that a name stands for another cluster from now on. */
  "target.replaced": ["target", "actor"],
  // what was seen
  "finding.opened": ["finding"],
  "finding.updated": ["finding"],
  "finding.resolved": ["finding"],
  "target.unreachable": ["target"],
  "target.recovered": ["target"],
  /** For a while nobody could record what was seen: what came and went in it is not known. */
  "watch.gap": ["detail"],
  // who was told
  "alert.sent": ["channel"],
  "alert.failed": ["channel", "error"],
  "issue.opened": ["issue"],
  "issue.updated": ["issue"],
  "issue.closed": ["issue"],
  "pull-request.opened": ["pullRequest"],
  "pull-request.closed": ["pullRequest"],
  "proposal.opened": ["pullRequest"],
  "proposal.updated": ["pullRequest"],
  "proposal.closed": ["pullRequest"],
  // Firebreak itself
  "log.started": [],
  "log.stopped": [],
  /** A target carries a revision that this log does not know: a backup was restored. */
  "log.gap": ["target"],
  "config.changed": ["actor"],
  "auth.denied": [],
  "key.rotated": [],
  /** What the database says is not believed: it holds revisions that this log does not. */
  "store.rejected": ["error"],
  /** A row asks for something and does not carry the seal of who may ask. */
  "request.rejected": ["error"],
  /** What a producer sent and this version could not read: kept as text in `detail`, so that it is not dropped. */
  "entry.unreadable": ["detail"],
} as const satisfies Record<string, readonly FieldName[]>;

/** The type of an entry. */
export type EntryType = keyof typeof ENTRY_TYPES;

/** True for a type that this version knows. */
export function isEntryType(type: string): type is EntryType {
  return Object.hasOwn(ENTRY_TYPES, type);
}
