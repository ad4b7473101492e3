import { codeOf, ERRORS, errorChain, FirebreakError } from "../core/ground/error.ts";

/** What has to happen next where the sentence of the code does not say it already. */
const NEXT_WORDS = {
  retry: " It may succeed when tried again.",
  wait: " Something else has to finish first; then try again.",
  person: "",
  bug: " This is a mistake in Firebreak, and the state was left as it was. Please report it with the lines above.",
} as const;

/** Prints a failure on standard error: the chain of what was being done, outermost first, then what to do. */
export function reportError(error: unknown): void {
  process.stderr.write(`${describeError(error)}\n`);
}

/** `error CODE: …`, its causes, and what to do next. An error without a code, that the machine
 * does not explain either, is a bug of ours: its stack is shown. */
export function describeError(error: unknown): string {
  const [first = "", ...causes] = errorChain(error);
  const lines = causes.map((cause) => `  because ${cause}`);
  const code = codeOf(error);
  if (!(error instanceof FirebreakError) && code === "PLAN_INVARIANT_BROKEN") {
    const stack = error instanceof Error ? (error.stack ?? first) : first;
    return [`error: ${stack}`, ...lines, `next:${NEXT_WORDS.bug}`].join("\n");
  }
  const { means, next } = ERRORS[code];
  return [
    `error ${error instanceof FirebreakError ? first : `${code}: ${first}`}`,
    ...lines,
    `next: ${means}${NEXT_WORDS[next]}`,
  ].join("\n");
}
