import type { FirebreakError } from "../../core/ground/error.ts";

/** What came of a task. Only `done` has an answer; every other outcome reads as "not known", never as fine. */
export type Outcome<Value> =
  | { readonly kind: "done"; readonly value: Value }
  /** The task itself found more than it may look at. */
  | { readonly kind: "too-large"; readonly why: string }
  | { readonly kind: "timed-out"; readonly afterMs: number }
  | { readonly kind: "out-of-memory"; readonly limitMb: number }
  | { readonly kind: "failed"; readonly error: FirebreakError };

/** The outcomes that say that the input was more than its budget: asking again gives the same. */
export type OverBudget = Extract<Outcome<never>, { readonly kind: "too-large" | "timed-out" | "out-of-memory" }>;

/** True when the input was more than its budget. */
export function isOverBudget(outcome: Outcome<unknown>): outcome is OverBudget {
  return outcome.kind === "too-large" || outcome.kind === "timed-out" || outcome.kind === "out-of-memory";
}

/** What to say of an input that was more than its budget, as the end of a sentence: "… cannot be planned: " and this. */
export function overBudgetText(outcome: OverBudget): string {
  switch (outcome.kind) {
    case "too-large":
      return `too large: ${outcome.why}`;
    case "timed-out":
      return `too large: it took more than ${Math.round(outcome.afterMs / 1000)} s`;
    case "out-of-memory":
      return `too large: it took more than ${outcome.limitMb} MiB of memory`;
    default:
      return outcome satisfies never;
  }
}
