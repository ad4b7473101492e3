import { parseReadback, type ReadAnswer } from "../../adapters/nftables/index.ts";
import { isOverBudget, overBudgetText } from "../../adapters/workers/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Workers } from "./open.ts";

/** A host with a few thousand addresses; read in a few milliseconds. */
const SHORT = 128 * 1024;

/** Reads what hosts answer; long answers in a worker, since root of a host makes them as long and as strange as he likes. */
export function answerReader(workers: Workers): ReadAnswer {
  return async (text, signal) => {
    if (text.length <= SHORT) return parseReadback(text);
    const outcome = await workers.run("readback", text, { lane: "looks", signal });
    if (outcome.kind === "done") return outcome.value;
    if (!isOverBudget(outcome)) throw outcome.error;
    throw new FirebreakError("HOST_NOT_UNDERSTOOD", `what the host answers is ${overBudgetText(outcome)} to read`);
  };
}
