/** The fields an audit entry may carry: the words auditors and readers of the log use. Added to, never changed, while `v` is 1. */
import { z } from "zod";

const count = z.int().min(0);
const time = z.iso.datetime();

/** Text that may have to be redacted: as it is, or only its salted digest, while the text lies beside the log (`seal.ts`). */
const freeText = z.union([z.string(), z.object({ saltedSha256: z.string().regex(/^[0-9a-f]{64}$/) }).readonly()]);

/** One connection that a change opens or closes; `ports` as in definitions (`8443/tcp`, `any`). */
export const AuditConnection = z
  .object({
    from: z.string(),
    to: z.string(),
    ports: z.array(z.string()).readonly(),
    /** Which rule, policy or essential it comes from. */
    why: z.string().optional(),
  })
  .readonly();
export type AuditConnection = z.infer<typeof AuditConnection>;

/** What a change does to connections. The counts hold even when a list was cut short. */
export const AuditEffect = z
  .object({
    opened: z.array(AuditConnection).readonly(),
    closed: z.array(AuditConnection).readonly(),
    openedCount: count,
    closedCount: count,
  })
  .readonly();
export type AuditEffect = z.infer<typeof AuditEffect>;

/** Who caused it. `id` is the name in the system that knows them; `forgeId` and `keyFingerprint` prove it where known. */
export const AuditActor = z
  .object({
    kind: z.enum(["person", "service", "token", "system", "unknown"]),
    id: z.string(),
    forgeId: z.string().optional(),
    keyFingerprint: z.string().optional(),
  })
  .readonly();
export type AuditActor = z.infer<typeof AuditActor>;

/** Which process wrote it; names of at most 200 characters. */
export const AuditOrigin = z.object({ service: z.string().max(200), instance: z.string().max(200) }).readonly();
export type AuditOrigin = z.infer<typeof AuditOrigin>;

/** A target: `id` is `cluster/NAME` or `host/FLEET/NAME`, `uid` the cluster's kube-system UID or the host key's fingerprint. */
export const AuditTarget = z.object({ kind: z.enum(["cluster", "host"]), id: z.string(), uid: z.string().optional() }).readonly();
export type AuditTarget = z.infer<typeof AuditTarget>;

/** How it was read back after an apply, and whether live is what was meant. */
export const AuditReadBack = z
  .object({ method: z.string(), at: time, verdict: z.enum(["matches", "differs", "failed"]), digest: z.string().optional() })
  .readonly();
export type AuditReadBack = z.infer<typeof AuditReadBack>;

/** A divergence; `fingerprint` is the same for the same finding for ever. */
export const AuditFinding = z
  .object({
    fingerprint: z.string(),
    kind: z.string(),
    summary: z.string(),
    severity: z.string().optional(),
    /** What diverges there: an object, a table, a set. */
    object: z.string().optional(),
    /** Who wrote it, where known (managedFields manager). */
    manager: z.string().optional(),
    firstSeen: time.optional(),
    lastSeen: time.optional(),
  })
  .readonly();
export type AuditFinding = z.infer<typeof AuditFinding>;

/** Address set updates that were sent under one plan between two times. */
export const AuditMembers = z
  .object({
    from: time,
    until: time,
    added: count,
    removed: count,
    sets: z.array(z.object({ name: z.string(), added: count, removed: count, total: count }).readonly()).readonly(),
  })
  .readonly();
export type AuditMembers = z.infer<typeof AuditMembers>;

/** A list, map or text that was cut so that the entry fits: where (`*` stands for any place of a list), how much is left of how much. */
export const AuditCut = z
  .object({
    /** Size in bytes and SHA-256 (hex) of the entry before the cut, without this field. */
    bytes: count,
    sha256: z.string(),
    parts: z.array(z.object({ path: z.string(), kept: count, of: count }).readonly()).readonly(),
  })
  .readonly();
export type AuditCut = z.infer<typeof AuditCut>;

/** Every field but the type and what the sequencer adds. Which are required depends on the type: `types.ts`. */
export const fieldShape = {
  outcome: z.enum(["ok", "failed", "denied", "unknown"]).optional(),
  actor: AuditActor.optional(),
  repository: z.string().optional(),
  /** Full SHA of the commit, and of its root tree. */
  commit: z.string().optional(),
  tree: z.string().optional(),
  /** The commit that was in force before. */
  previousCommit: z.string().optional(),
  /** The gapless number of the revision. */
  revision: count.optional(),
  pullRequest: z
    .object({ number: count, url: z.string(), author: z.string().optional(), mergedBy: z.string().optional() })
    .readonly()
    .optional(),
  approvals: z
    .array(z.object({ who: z.string(), at: time, commit: z.string(), coversFinal: z.boolean() }).readonly())
    .readonly()
    .optional(),
  separationOfDuties: z
    .object({ verdict: z.enum(["kept", "broken", "unknown"]), why: z.string() })
    .readonly()
    .optional(),
  reason: freeText.optional(),
  ticket: z.string().optional(),
  effect: AuditEffect.optional(),
  checks: z
    .array(z.object({ name: z.string(), verdict: z.string() }).readonly())
    .readonly()
    .optional(),
  segments: z.array(z.string()).readonly().optional(),
  target: AuditTarget.optional(),
  /** Digest of the plan. */
  plan: z.string().optional(),
  /** The fencing number under which the plan was sent. */
  generation: count.optional(),
  /** Digest of what was enforced before and after. */
  stateBefore: z.string().optional(),
  stateAfter: z.string().optional(),
  readBack: AuditReadBack.optional(),
  finding: AuditFinding.optional(),
  members: AuditMembers.optional(),
  /** Where an alert went; never a URL with a secret in it. */
  channel: z.string().optional(),
  issue: z.object({ number: count, url: z.string() }).readonly().optional(),
  breakGlass: z.object({ by: z.string(), why: freeText, expires: time }).readonly().optional(),
  /** What went wrong: a stable code and the chain of messages, outermost first. */
  error: z
    .object({ code: z.string(), messages: z.array(z.string()).readonly() })
    .readonly()
    .optional(),
  /** True in an outcome that start-up wrote for an intent that had none. */
  recovered: z.boolean().optional(),
  /** The number of the entry that led to this one: of the intent for an outcome, of the finding for an alert. */
  causedBy: count.optional(),
  /** Anything else worth keeping, as plain JSON. */
  detail: z.record(z.string(), z.json()).optional(),
};

/** What every stored entry has; the sequencer fills in `v`, `seq` and, where absent, `time` and `origin`. */
export const envelopeShape = {
  v: z.literal(1),
  /** Its place in the log, from 0: the size of the tree before it. */
  seq: count,
  /** Given by the producer, so that the same event is logged once however often it is appended. At most 500 characters. */
  id: z.string().min(1).max(500),
  time,
  origin: AuditOrigin,
  cut: AuditCut.optional(),
};
