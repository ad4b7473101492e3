import type { StoredError } from "../adapters/store/index.ts";
import { errorChain, FirebreakError, type ErrorCode } from "../core/model/error.ts";

const MAX_MESSAGE = 500;

/** Errors of the system that say: this disk takes nothing. */
const DISK_ERRORS = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** An error as the store and people keep it: its code, and the chain of messages, bounded. */
export function storedError(error: unknown): StoredError {
  return { code: codeOf(error), message: errorChain(error).map(withoutCode).join(": ").slice(0, MAX_MESSAGE) };
}

/** A mistake of ours is only what is nobody else's: a full disk is the machine's, whoever stumbled over it. */
function codeOf(error: unknown): ErrorCode {
  if (error instanceof FirebreakError && error.code !== "PLAN_INVARIANT_BROKEN") return error.code;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string" && DISK_ERRORS.has(code)) return "DISK_UNAVAILABLE";
  }
  return "PLAN_INVARIANT_BROKEN";
}

function withoutCode(text: string): string {
  return text.replace(/^[A-Z_]+: /, "");
}
