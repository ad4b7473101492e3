/** The store: what several processes must agree on, all of it rebuildable from Git, the log and what is live. */
export { openStore } from "./open.ts";
export type { StoreLocation, StoreOptions, StoreReport } from "./open.ts";
export type { EmbeddedSession, HeldLock, Store } from "./session.ts";
export type {
  Candidate,
  DeliveryEvent,
  HeldBranch,
  PullAnswer,
  PullHold,
  RequestKind,
  StoredError,
  StoredGap,
  StoredIntent,
  WorkKind,
} from "./tables.ts";
export * from "./commits.ts";
export * from "./deliveries.ts";
export { insertPending, markIntegrated, takePending, waitIntegrated } from "./entries.ts";
export type { PendingEntry } from "./entries.ts";
export { tryExclusive } from "./exclusive.ts";
export {
  findingByFingerprint,
  listFindings,
  recordHeal,
  restoreFindings,
  resumeHealing,
  stopHealing,
  upsertFindings,
} from "./findings.ts";
export type { EntriesOf, FindingsChange, FindingsUpdate, StoredFinding } from "./findings.ts";
export * from "./instance.ts";
export * from "./leases.ts";
export { lockStateFolder } from "./lock.ts";
export { lookAtPostgres } from "./look.ts";
export type { PostgresLook } from "./look.ts";
export * from "./memberships.ts";
export * from "./notices.ts";
export { notify, subscribe } from "./notify.ts";
export type { Subscriber, Topic } from "./notify.ts";
export * from "./processes.ts";
export * from "./proposals.ts";
export * from "./prune.ts";
export * from "./pulls.ts";
export * from "./repository.ts";
export {
  countRequests,
  finishRequest,
  giveBackRequests,
  requestRow,
  submitRequest,
  takeRequest,
  waitForRequest,
} from "./requests.ts";
export type { RequestRow } from "./requests.ts";
export * from "./revisions.ts";
export * from "./targets.ts";
export * from "./work.ts";
