import type { StoredError } from "../adapters/store/index.ts";
import { codeOf, errorChain } from "../core/ground/error.ts";

const MAX_MESSAGE = 500;

/** An error as the store and people keep it: its code, and the chain of messages, bounded. */
export function storedError(error: unknown): StoredError {
  return { code: codeOf(error), message: errorChain(error).map(withoutCode).join(": ").slice(0, MAX_MESSAGE) };
}

function withoutCode(text: string): string {
  return text.replace(/^[A-Z_]+: /, "");
}
