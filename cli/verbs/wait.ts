import { setTimeout as sleep } from "node:timers/promises";
import { API, type StatusAnswer } from "../../core/api/shapes.ts";
import { parseDurationMs } from "../../core/ground/duration.ts";
import { FirebreakError, NEXT, type ErrorCode } from "../../core/ground/error.ts";
import { convergenceOf } from "../../core/text/convergence.ts";
import type { ApiClient } from "../api.ts";
import { commitsOf, isWhole, wholeCommitHere } from "../commits.ts";
import { tell } from "../output.ts";

const ASK_EVERY_MS = 2_000;

/** The last status that was seen, and why the wait was in vain. */
export interface Waited {
  readonly answer: StatusAnswer;
  readonly failure: FirebreakError | undefined;
}

/**
 * Asks until a commit is in force and applied, is refused, or time is up; what it waits for is told whenever that changes.
 *
 * @param name its id, whole or short: of a commit that the service speaks of, or of the clone that we are in
 * @param timeout a duration such as `10m`
 * @throws FirebreakError USAGE; and what a call fails with, unless it may pass by itself (a service that is being restarted)
 */
export async function waitForCommit(api: ApiClient, name: string, timeout: string): Promise<Waited> {
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === undefined) throw new FirebreakError("USAGE", "--timeout must be a duration such as 30s, 10m or 1h");
  const until = Date.now() + timeoutMs;
  let told = "";
  const commit = isWhole(name) ? name : await wholeCommitHere(name, commitsOf(await askUntil(api, until)));
  for (;;) {
    const answer = await askUntil(api, until);
    const reached = convergenceOf(answer, commit);
    if (reached.kind === "done") return { answer, failure: undefined };
    if (reached.kind === "refused") return { answer, failure: new FirebreakError(codeOf(reached.code), reached.message) };
    if (Date.now() >= until) {
      return { answer, failure: new FirebreakError("WAIT_TIMED_OUT", `after ${timeout} ${reached.why}`) };
    }
    if (reached.why !== told) tell(`waiting: ${reached.why}`);
    told = reached.why;
    await sleep(Math.min(ASK_EVERY_MS, Math.max(until - Date.now(), 0)));
  }
}

async function askUntil(api: ApiClient, until: number): Promise<StatusAnswer> {
  for (;;) {
    try {
      return await api.get<StatusAnswer>(API.status);
    } catch (error) {
      const mayPass = error instanceof FirebreakError && error.next === "retry";
      if (!mayPass || Date.now() >= until) throw error;
      tell(`waiting: ${error.message}`);
      await sleep(ASK_EVERY_MS);
    }
  }
}

/** A newer service may refuse for reasons that this version does not know. */
function codeOf(code: string): ErrorCode {
  return Object.hasOwn(NEXT, code) ? (code as ErrorCode) : "API_REFUSED";
}
