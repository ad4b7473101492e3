import { overBudgetText, type Outcome } from "../../adapters/workers/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";

/** The answer of a task. @throws FirebreakError LIMIT_EXCEEDED when it was more than its budget, and the task's own */
export function valueOf<Value>(outcome: Outcome<Value>, doing: string): Value {
  if (outcome.kind === "done") return outcome.value;
  if (outcome.kind === "failed") throw outcome.error;
  throw new FirebreakError("LIMIT_EXCEEDED", `${doing}: ${overBudgetText(outcome)}`);
}
