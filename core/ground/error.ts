/**
 * Failed operations. Findings about somebody's input are notes (`note.ts`), not errors.
 *
 * The code says what happens next; this one table drives retries and the generated reference.
 *   retry   the same call may succeed later without anybody doing anything
 *   wait    something else has to finish first; try again when it has
 *   person  somebody has to change something (a definition, a setting, a right)
 *   bug     Firebreak broke its own promise; the state is left as it was
 * `means` says what happened and what to do, in one or two sentences, for the command line and the reference.
 */
export const ERRORS = {
  ADDRESS_INVALID: {
    next: "person",
    means: "An address or network in stored data does not read.",
  },
  API_REFUSED: {
    next: "person",
    means: "The service refused the request: the token, the Host header or the request itself is not what it accepts.",
  },
  API_UNREACHABLE: {
    next: "retry",
    means:
      "The running service did not answer. Start it with `firebreak up`, or name its settings with `--config`, or a service elsewhere with `FIREBREAK_SERVICE_URL`.",
  },
  APPLY_NOT_CONFIRMED: {
    next: "retry",
    means: "What was applied could not be read back in time, so the host put its previous ruleset back.",
  },
  APPLY_REFUSED: {
    next: "person",
    means: "The target refused a write, or its live state is not one that may be overwritten.",
  },
  AUDIT_CORRUPT: {
    next: "person",
    means:
      "The audit log, its key or its remembered checkpoint contradict one another. Keep the files as they are and look at `firebreak audit verify`.",
  },
  AUDIT_UNAVAILABLE: {
    next: "retry",
    means: "The audit log could not be written or read; nothing is changed anywhere without it.",
  },
  AUTH_DENIED: {
    next: "person",
    means: "A credential was refused or may not be read. Check the reference in firebreak.yaml and the rights of the account.",
  },
  CHANNEL_FAILED: {
    next: "retry",
    means: "A channel did not take a message; it is sent again, ever more seldom, until it is taken.",
  },
  CHANNEL_REFUSED: {
    next: "person",
    means:
      "A channel says that it will not take this message, nor the same one again. Check its settings with `firebreak notify test`; `firebreak notify retry` tries again at once.",
  },
  CLUSTER_FORBIDDEN: {
    next: "person",
    means:
      "The API server answers and refuses: the account of the kubeconfig lacks a right, which the message names as the rule to add, or its token has run out. `firebreak clusters setup` prints the roles, and workflows/kubernetes holds them.",
  },
  CLUSTER_UNREACHABLE: {
    next: "retry",
    means: "The API server of a cluster did not answer; its last known membership stays in force.",
  },
  CONFIG_INVALID: {
    next: "person",
    means:
      "A setting, an environment variable or a referenced file is wrong or missing. `docs/reference/settings.md` lists what there is.",
  },
  CONFLICT: {
    next: "retry",
    means: "Somebody else wrote the same thing at the same time.",
  },
  DEFINITION_INVALID: {
    next: "person",
    means: "Definitions hold errors. `firebreak validate` lists them with file, line and what to do.",
  },
  DISK_UNAVAILABLE: {
    next: "retry",
    means:
      "A disk that Firebreak writes to is full, takes no writes or fails. Nothing is applied without the log; make room, and it goes on by itself.",
  },
  FORGE_FAILED: {
    next: "retry",
    means: "The forge refused or did not answer a request.",
  },
  GIT_BRANCH_REWRITTEN: {
    next: "person",
    means: "The branch no longer holds the revision in force. `firebreak accept REVISION` is the one way past this.",
  },
  GIT_UNREACHABLE: {
    next: "retry",
    means: "The policy repository did not answer; the revision in force stays.",
  },
  GUARDRAIL_UNDECIDED: {
    next: "person",
    means:
      "Whether a revision keeps a guardrail could not be decided within the work that one check may take. Ask about fewer segments, or run `firebreak accept REVISION` after looking at it yourself.",
  },
  GUARDRAIL_UNSEEN: {
    next: "wait",
    means:
      "A target is not seen whole, and what is not seen there may break a guardrail that blocks. The commit waits until it is seen; a newer commit takes its place, and `firebreak accept REVISION` lets it in where the target stays away.",
  },
  GUARDRAIL_VIOLATED: {
    next: "person",
    means:
      "A revision opens what a guardrail says is never reachable, or closes what is always. `firebreak accept REVISION` is the one way past this.",
  },
  HOST_KEY_CHANGED: {
    next: "person",
    means: "A host proved another key than the pinned one. Correct known_hosts only when you know why.",
  },
  HOST_KEY_UNKNOWN: {
    next: "person",
    means:
      "No key is pinned for a host, so it is not trusted. `firebreak hosts setup HOST --pin` shows its key and pins it, after you have compared it on the host's console.",
  },
  HOST_NOT_UNDERSTOOD: {
    next: "retry",
    means:
      "A host answered, and what it said cannot be read: it is cut, garbage, or more than is accepted. Nothing is concluded from it; the message says which part.",
  },
  HOST_REFUSED: {
    next: "person",
    means: "A host let us in and refused what was asked of it, such as nft through sudo. Check the rights of the user.",
  },
  HOST_UNREACHABLE: {
    next: "retry",
    means: "A host did not answer over SSH; it enforces what it has.",
  },
  INVENTORY_INCOMPLETE: {
    next: "wait",
    means: "A target was not seen whole, and nothing is planned from a part.",
  },
  LIMIT_EXCEEDED: {
    next: "person",
    means:
      "Something is more than its limit, and the message says which: a revision un-isolates more workloads than `limits.unisolate` lets through (`firebreak accept REVISION` is the one way past this), or files, a question, its answer, or what a target has and shall have are larger than what is worked on.",
  },
  NOT_FOUND: {
    next: "person",
    means:
      "What was named is not there. Targets: `firebreak status`; segments: `firebreak segments`; workloads: `firebreak reach`; findings: `firebreak findings --all`; commits: `git log`.",
  },
  PLAN_INVARIANT_BROKEN: {
    next: "bug",
    means: "What was computed failed its own check and was not used.",
  },
  PLAN_STALE: {
    next: "retry",
    means: "The target changed after the plan was made; a new plan is made.",
  },
  QUEUE_UNAVAILABLE: {
    next: "retry",
    means: "The queue did not answer; work waits in the store.",
  },
  RATE_LIMITED: {
    next: "retry",
    means:
      "A forge or a channel was asked too often; what waits is sent when the time that it told is over. Or Firebreak itself was: too many questions wait for an answer; ask again in a moment.",
  },
  REVISION_EMPTIES: {
    next: "person",
    means:
      "A revision is empty, lacks its path or loses most of what is enforced. `firebreak accept REVISION` is the one way past this.",
  },
  REVISION_INVALID: {
    next: "person",
    means: "A revision was refused and the one before stays in force. `firebreak status` shows why.",
  },
  REVISION_UNAPPROVED: {
    next: "person",
    means:
      "A commit came into the branch without the approvals that the Workspace in force asks for, or by a pull request on hold. Have it approved, or run `firebreak accept REVISION`.",
  },
  SERVICE_SILENT: {
    next: "wait",
    means: "A service was not heard of for a while: it does not run, or does not reach the store.",
  },
  STATE_LOCKED: {
    next: "person",
    means:
      "Another process uses this state folder, or another syncer works on this database. Stop it, or use its API: every other verb does.",
  },
  STORE_CONTRADICTS_LOG: {
    next: "person",
    means:
      "The database holds a revision that the audit log does not, or another one under its number: somebody changed it, or it belongs to another log. The log is believed. Keep a copy, stop Firebreak, remove the store (the folder `store` of the state folder, or `DROP SCHEMA firebreak CASCADE` on a server) and start again: it is rebuilt from Git and the log.",
  },
  STORE_UNAVAILABLE: {
    next: "retry",
    means: "The database did not answer; what is enforced stays as it is.",
  },
  SYSTEM_PART_MISSING: {
    next: "person",
    means: "A program or a package that is needed here is not installed; the message names it.",
  },
  TARGET_AHEAD: {
    next: "retry",
    means:
      "A target carries a newer revision than the log knows: a backup was restored. It is left as it is; the head of the branch comes into force under a number above it, and is applied.",
  },
  TARGET_LOCKED: {
    next: "wait",
    means: "Another run holds the target.",
  },
  TARGET_REPLACED: {
    next: "person",
    means:
      "Another cluster answers under a known name: its kube-system has another UID. Nothing is written there and its addresses go nowhere. Mend the context; if the cluster was meant to be replaced, run `firebreak reconcile TARGET --replaced UID`.",
  },
  USAGE: {
    next: "person",
    means: "An argument or option is missing, unknown, or does not fit with another one. `firebreak VERB --help` has examples.",
  },
  WAIT_TIMED_OUT: {
    next: "wait",
    means: "What was waited for did not happen in time. The service goes on by itself; `firebreak status` shows what it is at.",
  },
} as const satisfies Readonly<Record<string, { readonly next: "retry" | "wait" | "person" | "bug"; readonly means: string }>>;

/** What each code leads to, without the words. */
export const NEXT = nextSteps();

function nextSteps(): { readonly [Code in keyof typeof ERRORS]: (typeof ERRORS)[Code]["next"] } {
  const entries = Object.entries(ERRORS).map(([code, { next }]) => [code, next]);
  return Object.fromEntries(entries) as { readonly [Code in keyof typeof ERRORS]: (typeof ERRORS)[Code]["next"] }; // the same keys
}

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
  /** How long the other side asked to be left alone, ms; undefined when it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }

  /** What has to happen next: see {@link NEXT}. */
  get next(): NextStep {
    return NEXT[this.code];
  }
}

/** The text without user names and passwords in URLs: libraries quote the URL that failed. */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#]*@/gi, "$1");
}

/** The chain of messages from the outermost error to its root cause, outermost first; without credentials in URLs. */
export function errorChain(error: unknown): readonly string[] {
  const chain: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && chain.length < 16) {
    const text = current instanceof FirebreakError ? `${current.code}: ${current.message}` : current.message;
    chain.push(withoutCredentials(text));
    current = current.cause;
  }
  if (chain.length === 0) chain.push(withoutCredentials(String(error)));
  return chain;
}

/** Errors of the system that say: this disk takes nothing. */
const DISK_ERRORS: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);
/** These say so only of files: the same codes come of a signal or a program that may not be started. */
const RIGHTS_ERRORS: ReadonlySet<unknown> = new Set(["EPERM", "EACCES"]);
const FILE_CALLS: ReadonlySet<unknown> = new Set([
  "open",
  "write",
  "mkdir",
  "rename",
  "link",
  "unlink",
  "rm",
  "rmdir",
  "ftruncate",
  "fsync",
  "utime",
  "futime",
]);

function isOfDisk(error: Error): boolean {
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown }; // as errors of the system have it
  return DISK_ERRORS.has(code) || (RIGHTS_ERRORS.has(code) && FILE_CALLS.has(syscall));
}

/**
 * The code that people see. A mistake of ours is only what is nobody else's: a full disk is the machine's, whoever stumbled over it and
 * however deep that lies.
 */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof FirebreakError && error.code !== "PLAN_INVARIANT_BROKEN") return error.code;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (isOfDisk(cause)) return "DISK_UNAVAILABLE";
  }
  return "PLAN_INVARIANT_BROKEN";
}

/** True when the error, or anything it was caused by, carries this code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current instanceof FirebreakError && current.code === code) return true;
  }
  return false;
}
