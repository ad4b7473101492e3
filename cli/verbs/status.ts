import { setTimeout as sleep } from "node:timers/promises";
import { API, type StatusAnswer, type TargetState } from "../../core/api/shapes.ts";
import { formatStatus } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printNext, printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";
import { waitForCommit, type Waited } from "./wait.ts";

/** What `firebreak status` takes. */
export interface StatusOptions extends OutputOptions, ConfigOptions {
  readonly watch?: true;
  /** A whole commit id. */
  readonly wait?: string;
  /** A duration. */
  readonly timeout: string;
  readonly detailedExitcode?: true;
}

const WATCH_MS = 2_000;
/** Terminal: to the top left, and erase everything below (ECMA-48 CUP, ED). */
const HOME_AND_ERASE = "\u001b[H\u001b[2J";

/** `firebreak status`; with `--watch` it never ends by itself. */
export async function status(options: StatusOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  while (options.watch === true) {
    const answer = await api.get<StatusAnswer>(API.status);
    if (process.stdout.isTTY) process.stdout.write(HOME_AND_ERASE);
    await printNext(options.output, answer, () => formatStatus(answer, Date.now()));
    await sleep(WATCH_MS);
  }
  const { answer, failure } = await answerAsked(api, options);
  await printResult(options.output, answer, () => formatStatus(answer, Date.now()));
  if (failure !== undefined) throw failure;
  return options.detailedExitcode === true && !isInOrder(answer) ? 2 : 0;
}

async function answerAsked(api: ApiClient, { wait, timeout }: StatusOptions): Promise<Waited> {
  if (wait !== undefined) return await waitForCommit(api, wait, timeout);
  return { answer: await api.get<StatusAnswer>(API.status), failure: undefined };
}

/** States that end a script's question with "no". Not one that does not answer for a moment: it has a finding when that lasts. */
const NOT_IN_ORDER: readonly TargetState[] = ["drifted", "not understood", "replaced", "stale"];

/**
 * False also when a commit is refused (what somebody merged is not in force, and nobody would look), and when nobody compares: a script that
 * asks whether all is well must not hear yes because the eyes are shut.
 */
function isInOrder({ targets, repository, troubles }: StatusAnswer): boolean {
  return (
    repository.refused === null &&
    troubles.length === 0 &&
    targets.every(({ state, openFindings }) => openFindings === 0 && !NOT_IN_ORDER.includes(state))
  );
}
