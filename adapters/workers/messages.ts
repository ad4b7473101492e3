import { codeOf, errorChain, FirebreakError, NEXT, type ErrorCode } from "../../core/ground/error.ts";
import type { Parcel } from "./parcels.ts";

/** To a worker: which task, what of its input is kept (with what of that is new), the rest in pieces, and that it is whole. One task at a time. */
export type ToWorker =
  | { readonly kind: "begin"; readonly task: string; readonly kept: readonly string[] | undefined }
  | { readonly kind: "keep"; readonly name: string; readonly parcel: Parcel }
  | { readonly kind: "parcel"; readonly parcel: Parcel }
  | { readonly kind: "go" };

/** From a worker: that it can be asked; its answer in pieces, and that it is whole; or why there is none. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "parcel"; readonly parcel: Parcel }
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly error: SentError };

/** An error as it travels. */
export interface SentError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  /** Messages of its causes, outermost first. */
  readonly causes: readonly string[];
}

/** An error → what travels of it. */
export function sentError(error: unknown): SentError {
  const known = error instanceof FirebreakError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error); // a full disk is one in a worker, too
  return {
    code: known?.code ?? (code === "PLAN_INVARIANT_BROKEN" ? undefined : code),
    message,
    retryAfterMs: known?.retryAfterMs,
    causes: errorChain(error).slice(1),
  };
}

/** And back; what had no code is a fault of ours. */
export function receivedError({ code, message, retryAfterMs, causes }: SentError): FirebreakError {
  const cause = causes.length === 0 ? undefined : new Error(causes.join(": "));
  if (code === undefined || !Object.hasOwn(NEXT, code)) {
    return new FirebreakError("PLAN_INVARIANT_BROKEN", `a worker failed: ${message}`, { cause });
  }
  return new FirebreakError(code, message, { cause, retryAfterMs });
}
