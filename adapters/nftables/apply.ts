import { FirebreakError } from "../../core/model/error.ts";
import { canonicalRuleset } from "../../core/render/nft.ts";
import { isRecord } from "../../core/render/nft-table.ts";
import type { HostStep } from "../../core/plan/plan.ts";
import type { ApplyOptions, ApplyOutcome, ApplyStage } from "./connection.ts";
import type { Remote, RemoteCommand } from "./remote.ts";
import type { RunResult } from "./run.ts";
import { ARM, DISARM, FENCE_READ, LOAD, SNAPSHOT, STATUS, TIMER_TEXT } from "./scripts.ts";
import { plainText } from "./ssh.ts";

const COMMAND_MS = 30_000;
const LOAD_MS = 5000;
const FOLDER = /^\/[A-Za-z0-9._/-]+$/;
const PAUSE_MS = 100;
const MAX_BYTES = 1 << 20;

interface Applying {
  readonly remote: Remote;
  readonly target: string;
  readonly step: HostStep;
  readonly options: ApplyOptions;
  readonly onStep: (stage: ApplyStage) => void | Promise<void>;
}

/**
 * One transaction under a dead-man timer.
 *
 * ```
 *   snapshot ─ arm ─ load ─ confirm (new connection) ─ disarm
 *                      └─ no confirmation: the host's own timer restores the snapshot
 * ```
 * Whatever is killed, and wherever, the host ends with the old ruleset or with the new one. See `HostConnection.apply`.
 */
export async function applyStep(applying: Applying): Promise<ApplyOutcome> {
  const { step, options, onStep } = applying;
  const folder = await takeSnapshot(applying);
  await onStep("snapshot");
  await must(applying, "arm the timer", ARM, [folder, String(options.deadManSeconds), TIMER_TEXT]);
  const armedAt = performance.now();
  const restoresAt = armedAt + options.deadManSeconds * 1000;
  await onStep("arm");
  await load(applying, folder, restoresAt);
  await onStep("load");
  const expected = step.kind === "release" ? undefined : step.generation;
  if (!(await sees(applying, restoresAt, (generation) => generation === expected))) return notConfirmed(applying, restoresAt);
  await onStep("confirm");
  const disarmed = await disarm(applying, folder);
  if (disarmed === undefined || disarmed.status === STATUS.fired) return notConfirmed(applying, restoresAt);
  await onStep("disarm");
  return { confirmed: true };
}

async function takeSnapshot(applying: Applying): Promise<string> {
  const folder = (await must(applying, "keep the ruleset in force", SNAPSHOT, [String(applying.step.generation)])).trim();
  if (FOLDER.test(folder)) return folder;
  throw new FirebreakError("HOST_REFUSED", `apply to ${applying.target}: the host answers with something else than a folder`);
}

/**
 * Gives the transaction to the kernel. A refusal is final: nothing was applied, and the timer will only clean up. A lost connection
 * is not: the answer may have been cut off by the very ruleset that was loaded, so it is left to the confirmation.
 */
async function load(applying: Applying, folder: string, restoresAt: number): Promise<void> {
  const { step, target } = applying;
  const input = JSON.stringify({ nftables: step.transaction });
  const args = [folder, String(Buffer.byteLength(input))];
  const deadlineMs = Math.max(restoresAt - performance.now(), LOAD_MS); // the script itself loads nothing after the timer
  const result = await execute(applying, { script: LOAD, args }, { input, deadlineMs }).catch(ignoreLoss);
  if (result === undefined || result.status === 0) return;
  if (result.status === STATUS.fired) throw tooLate(target);
  const live = await readGeneration(applying, {});
  await execute(applying, { script: DISARM, args: [folder] }, {});
  if (live !== plannedAgainst(step)) throw new FirebreakError("PLAN_STALE", `apply to ${target}: another writer was faster`);
  const cause = new Error(plainText(result.stderr));
  if (result.status === STATUS.truncated) throw new FirebreakError("HOST_UNREACHABLE", `send a ruleset to ${target}`, { cause });
  throw new FirebreakError("APPLY_REFUSED", `apply to ${target}: the host does not take the ruleset`, { cause });
}

function tooLate(target: string): FirebreakError {
  return new FirebreakError("APPLY_NOT_CONFIRMED", `apply to ${target}: its timer ran out before the ruleset was there`);
}

/** Over the shared connection, which costs nothing; should that one be gone, over a new one, which was just seen to work. */
async function disarm(applying: Applying, folder: string): Promise<RunResult | undefined> {
  const command = { script: DISARM, args: [folder] };
  const shared = await execute(applying, command, {}).catch(ignoreLoss);
  return shared ?? (await execute(applying, command, { fresh: true }).catch(ignoreLoss));
}

/** Polls the fence over new connections until it shows what is hoped for, or until the time is over. */
async function sees(applying: Applying, until: number, isHoped: (generation: number | undefined) => boolean): Promise<boolean> {
  const { signal } = applying.options;
  while (performance.now() < until) {
    const deadlineMs = Math.max(until - performance.now(), 1);
    const generation = await readGeneration(applying, { fresh: true, deadlineMs }).catch(() => "lost" as const);
    signal.throwIfAborted();
    if (generation !== "lost" && isHoped(generation)) return true;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return false;
}

/** Waits for the host to restore itself, and says whether it was seen to have done so. */
async function notConfirmed(applying: Applying, restoresAt: number): Promise<ApplyOutcome> {
  const before = plannedAgainst(applying.step);
  const restored = await sees(applying, restoresAt + COMMAND_MS, (generation) => generation === before);
  return { confirmed: false, restored };
}

/** The generation in force; undefined where there is no table or no fence. */
async function readGeneration(applying: Applying, extra: Partial<RemoteCommand>): Promise<number | undefined> {
  const { stdout } = await execute(applying, { script: FENCE_READ, args: [] }, extra);
  if (stdout.trim() === "") return undefined;
  const listing: unknown = JSON.parse(stdout);
  const objects = isRecord(listing) && Array.isArray(listing["nftables"]) ? listing["nftables"] : [];
  return canonicalRuleset([{ table: { family: "inet", name: "firebreak" } }, ...objects])?.generation;
}

/** The generation whose fence element the transaction removes first; undefined when it does not expect one. */
function plannedAgainst(step: HostStep): number | undefined {
  const [first] = step.transaction;
  if (!isRecord(first) || !isRecord(first["delete"]) || !isRecord(first["delete"]["element"])) return undefined;
  const elem = first["delete"]["element"]["elem"];
  return Array.isArray(elem) && typeof elem[0] === "number" ? elem[0] : undefined;
}

async function must(applying: Applying, doing: string, script: string, args: readonly string[]): Promise<string> {
  const result = await execute(applying, { script, args }, {});
  if (result.status === 0) return result.stdout;
  throw new FirebreakError("HOST_REFUSED", `${doing} on ${applying.target}`, { cause: new Error(plainText(result.stderr)) });
}

function execute(
  { remote, options }: Applying,
  command: { readonly script: string; readonly args: readonly string[] },
  extra: Partial<RemoteCommand>,
): Promise<RunResult> {
  return remote.execute({ command, deadlineMs: COMMAND_MS, maxBytes: MAX_BYTES, signal: options.signal, ...extra });
}

/** A connection that was lost is an answer here; anything else is not. */
function ignoreLoss(error: unknown): undefined {
  if (error instanceof FirebreakError && error.code === "HOST_UNREACHABLE") return undefined;
  throw error;
}
