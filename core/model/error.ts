/**
 * Failed operations. Findings about somebody's input are notes (`note.ts`), not errors.
 *
 * The code says what happens next; this one table drives retries and the generated reference.
 *   retry   the same call may succeed later without anybody doing anything
 *   wait    something else has to finish first; try again when it has
 *   person  somebody has to change something (a definition, a setting, a right)
 *   bug     Firebreak broke its own promise; the state is left as it was
 */
export const NEXT = {
  ADDRESS_INVALID: "person",
  API_REFUSED: "person",
  API_UNREACHABLE: "retry",
  APPLY_NOT_CONFIRMED: "retry",
  APPLY_REFUSED: "person",
  AUDIT_CORRUPT: "person",
  AUDIT_UNAVAILABLE: "retry",
  AUTH_DENIED: "person",
  CHANNEL_FAILED: "retry",
  CLUSTER_FORBIDDEN: "person",
  CLUSTER_UNREACHABLE: "retry",
  CONFIG_INVALID: "person",
  CONFLICT: "retry",
  DEFINITION_INVALID: "person",
  FORGE_FAILED: "retry",
  GIT_BRANCH_REWRITTEN: "person",
  GIT_UNREACHABLE: "retry",
  HOST_KEY_CHANGED: "person",
  HOST_REFUSED: "person",
  HOST_UNREACHABLE: "retry",
  INVENTORY_INCOMPLETE: "wait",
  LIMIT_EXCEEDED: "person",
  NOT_FOUND: "person",
  PLAN_INVARIANT_BROKEN: "bug",
  PLAN_STALE: "retry",
  QUEUE_UNAVAILABLE: "retry",
  REVISION_EMPTIES: "person",
  REVISION_INVALID: "person",
  STATE_LOCKED: "person",
  STORE_UNAVAILABLE: "retry",
  SYSTEM_PART_MISSING: "person",
  TARGET_LOCKED: "wait",
  USAGE: "person",
} as const;

/** A stable error code; see {@link NEXT} for what each leads to. */
export type ErrorCode = keyof typeof NEXT;

/** What has to happen after an error. */
export type NextStep = (typeof NEXT)[ErrorCode];

/**
 * A failed operation.
 *
 * `message` says what was being done and, where it helps, what to do; the inner error travels as `cause` and is never pasted in.
 *
 * @example throw new FirebreakError("GIT_UNREACHABLE", `fetch branch ${branch}`, { cause });
 */
export class FirebreakError extends Error {
  override readonly name = "FirebreakError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** What has to happen next: see {@link NEXT}. */
  get next(): NextStep {
    return NEXT[this.code];
  }
}

/** The chain of messages from the outermost error to its root cause, outermost first. */
export function errorChain(error: unknown): readonly string[] {
  const chain: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && chain.length < 16) {
    chain.push(current instanceof FirebreakError ? `${current.code}: ${current.message}` : current.message);
    current = current.cause;
  }
  if (chain.length === 0) chain.push(String(error));
  return chain;
}

/** True when the error, or anything it was caused by, carries this code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current instanceof FirebreakError && current.code === code) return true;
  }
  return false;
}
