import { FirebreakError } from "../../core/ground/error.ts";
import { canonicalRuleset } from "../../core/render/nft.ts";
import { isRecord } from "../../core/render/nft-table.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import type { HostStep } from "../../core/plan/plan.ts";
import type { ApplyOptions, ApplyOutcome, ApplyStage } from "./connection.ts";
import { parseListing } from "./parse-listing.ts";
import type { Remote, RemoteCommand, RemoteScript } from "./remote.ts";
import type { Conversation, RunResult } from "./run.ts";
import { READBACK_SCRIPT } from "./readback-script.ts";
import { APPLY, CONFIRM, DISARM, STATUS, TIMER_TEXT } from "./scripts.ts";
import { plainText } from "./ssh.ts";

/** One step of the conversation, or one command: none of them waits for anything. */
const COMMAND_MS = 10_000;
const LOAD_MS = 5000;
/** How long after its timer a host may need to put its ruleset back. */
const RESTORE_MS = 30_000;
const FOLDER = /^\/[A-Za-z0-9._/-]+$/;
const PAUSE_MS = 100;
const MAX_BYTES = 1 << 20;

/** How a read-back is asked for and understood. */
export interface ReadingBack {
  readonly deadlineMs: number;
  readonly maxBytes: number;
  /** Undefined when it is to be asked for by itself: what came is in parts, or cannot be read. */
  readonly understand: (result: RunResult) => Promise<HostObservation | undefined>;
}

interface Applying {
  readonly remote: Remote;
  readonly target: string;
  readonly step: HostStep;
  readonly options: ApplyOptions;
  readonly onStep: (stage: ApplyStage) => void | Promise<void>;
  readonly readingBack: ReadingBack;
}

/**
 * One transaction under a dead-man timer, in one conversation with the host.
 *
 * ```
 *   snapshot ─ may it? ─ arm ─ load ─ confirm (new connection) ─ disarm ─ read back (over that connection)
 *                                └─ no confirmation: the host's own timer restores the snapshot
 * ```
 * Whatever is killed, and wherever, the host ends with the old ruleset or with the new one. See `HostConnection.apply`.
 */
export async function applyStep(applying: Applying): Promise<ApplyOutcome> {
  const { remote, step, options } = applying;
  const args = [String(step.generation), String(options.deadManSeconds), TIMER_TEXT];
  const host = await remote.converse({ script: APPLY, args }, { maxBytes: MAX_BYTES, signal: options.signal });
  try {
    return await applyWith(applying, host);
  } finally {
    await endQuietly(host);
  }
}

async function applyWith(applying: Applying, host: Conversation): Promise<ApplyOutcome> {
  const { step, options, onStep } = applying;
  const folder = folderOf(applying, await must(applying, host, "keep the ruleset in force", ""));
  await onStep("snapshot");
  await options.mayLoad?.();
  const restoresAt = performance.now() + options.deadManSeconds * 1000;
  await must(applying, host, "arm the timer", "arm\n");
  await onStep("arm");
  await load(applying, host, restoresAt);
  await onStep("load");
  const expected = step.kind === "release" ? undefined : step.generation;
  const proof = await sees(applying, restoresAt, (generation) => generation === expected);
  if (proof === undefined) return notConfirmed(applying, restoresAt);
  try {
    await onStep("confirm");
    if (!(await disarm(applying, host, folder))) return await notConfirmed(applying, restoresAt);
    await onStep("disarm");
    const seen = options.readBack === true ? await readBackOver(applying, proof) : undefined;
    return { confirmed: true, ...(seen === undefined ? {} : { seen }) };
  } finally {
    await endQuietly(proof);
  }
}

/** Over the connection that has just confirmed. Undefined when that did not work: then the host is to be read by itself. */
async function readBackOver({ options, readingBack }: Applying, proof: Conversation): Promise<HostObservation | undefined> {
  try {
    return await readingBack.understand(await proof.end("read\n", readingBack.deadlineMs));
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof FirebreakError) return undefined; // it is told when the host is read by itself, if it lasts
    throw error;
  }
}

function folderOf({ target }: Applying, answer: string): string {
  const folder = answer.replace(/^snapshot /, "");
  if (FOLDER.test(folder)) return folder;
  throw new FirebreakError("HOST_NOT_UNDERSTOOD", `apply to ${target}: the host answers with something else than a folder`);
}

/**
 * Gives the transaction to the kernel. A refusal is final: nothing was applied, and no timer is left. A lost connection is not: the
 * answer may have been cut off by the very ruleset that was loaded, so it is left to the confirmation.
 */
async function load(applying: Applying, host: Conversation, restoresAt: number): Promise<void> {
  const { remote, step, target } = applying;
  const input = JSON.stringify({ nftables: step.transaction });
  const deadlineMs = Math.max(restoresAt - performance.now(), LOAD_MS); // the script itself loads nothing after the timer
  if ((await host.ask(`load ${Buffer.byteLength(input)}\n${input}`, deadlineMs)) !== undefined) return;
  const result = await host.end();
  if (remote.failure(result) !== undefined || result.status === undefined || result.status === 0) return;
  if (result.status === STATUS.fired) throw tooLate(target);
  const { generation, host: reader } = await readFence(applying, false, COMMAND_MS);
  await endQuietly(reader);
  if (generation !== plannedAgainst(step)) throw new FirebreakError("PLAN_STALE", `apply to ${target}: another writer was faster`);
  const cause = new Error(plainText(result.stderr));
  if (result.status === STATUS.truncated) throw new FirebreakError("HOST_UNREACHABLE", `send a ruleset to ${target}`, { cause });
  throw new FirebreakError("APPLY_REFUSED", `apply to ${target}: the host does not take the ruleset`, { cause });
}

function tooLate(target: string): FirebreakError {
  return new FirebreakError("APPLY_NOT_CONFIRMED", `apply to ${target}: its timer ran out before the ruleset was there`);
}

/** In the conversation, which is open; should that one be lost, over a new connection, which was just seen to work. False: it has fired. */
async function disarm(applying: Applying, host: Conversation, folder: string): Promise<boolean> {
  if ((await host.ask("disarm\n", COMMAND_MS)) !== undefined) return true;
  const { status } = await host.end();
  if (status === STATUS.fired) return false;
  const again = await execute(applying, { script: DISARM, args: [folder] }, { fresh: true }).catch(ignoreLoss);
  return again?.status === 0;
}

/** Polls the fence over new connections until one shows what is hoped for, which stays open, or until the time is over. */
async function sees(
  applying: Applying,
  until: number,
  isHoped: (generation: number | undefined) => boolean,
): Promise<Conversation | undefined> {
  const { signal } = applying.options;
  while (performance.now() < until) {
    const deadlineMs = Math.min(Math.max(until - performance.now(), 1), COMMAND_MS);
    const fence = await readFence(applying, true, deadlineMs).catch(() => undefined);
    if (fence !== undefined && !signal.aborted && isHoped(fence.generation)) return fence.host;
    if (fence !== undefined) await endQuietly(fence.host);
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
}

/** Waits for the host to restore itself, and says whether it was seen to have done so. */
async function notConfirmed(applying: Applying, restoresAt: number): Promise<ApplyOutcome> {
  const before = plannedAgainst(applying.step);
  const restored = await sees(applying, restoresAt + RESTORE_MS, (generation) => generation === before);
  if (restored !== undefined) await endQuietly(restored);
  return { confirmed: false, restored: restored !== undefined };
}

interface Fence {
  /** In force; undefined where there is no table or no fence. */
  readonly generation: number | undefined;
  /** Who told it, and may be asked for a read-back. Whoever gets it must end it. */
  readonly host: Conversation;
}

/** @param fresh over a connection of its own, which proves that the host can be reached now. Throws HOST_REFUSED for what is no listing. */
async function readFence(applying: Applying, fresh: boolean, deadlineMs: number): Promise<Fence> {
  const { remote, options, readingBack } = applying;
  const limits = { maxBytes: MAX_BYTES + readingBack.maxBytes, signal: options.signal, fresh };
  const host = await remote.converse({ script: CONFIRM, args: [READBACK_SCRIPT] }, limits);
  try {
    return { host, generation: generationIn(applying, await must(applying, host, "read the fence", "", deadlineMs)) };
  } catch (error) {
    await endQuietly(host);
    throw error;
  }
}

function generationIn(applying: Applying, answer: string): number | undefined {
  const text = answer.replace(/^fence ?/, "").trim();
  if (text === "") return undefined;
  const objects = parseListing(text);
  if (objects === undefined) {
    throw new FirebreakError(
      "HOST_REFUSED",
      `read the fence of ${applying.target}: the host answers with something else than a listing`,
    );
  }
  return canonicalRuleset([{ table: { family: "inet", name: "firebreak" } }, ...objects])?.generation;
}

/** The generation whose fence element the transaction removes first; undefined when it does not expect one. */
function plannedAgainst(step: HostStep): number | undefined {
  const [first] = step.transaction;
  if (!isRecord(first) || !isRecord(first["delete"]) || !isRecord(first["delete"]["element"])) return undefined;
  const elem = first["delete"]["element"]["elem"];
  return Array.isArray(elem) && typeof elem[0] === "number" ? elem[0] : undefined;
}

/** Says something, and gives the answer; what an end instead of an answer means is thrown. */
async function must(applying: Applying, host: Conversation, doing: string, text: string, deadlineMs = COMMAND_MS): Promise<string> {
  const answer = await host.ask(text, deadlineMs);
  if (answer !== undefined) return answer;
  const result = await host.end();
  const failure = applying.remote.failure(result);
  if (failure !== undefined) throw failure;
  throw new FirebreakError("HOST_REFUSED", `${doing} on ${applying.target}`, { cause: new Error(plainText(result.stderr)) });
}

function execute({ remote, options }: Applying, command: RemoteScript, extra: Partial<RemoteCommand>): Promise<RunResult> {
  return remote.execute({ command, deadlineMs: COMMAND_MS, maxBytes: MAX_BYTES, signal: options.signal, ...extra });
}

/** It has said all that counts. */
async function endQuietly(host: Conversation): Promise<void> {
  await host.end().catch(() => undefined);
}

/** A connection that was lost is an answer here; anything else is not. */
function ignoreLoss(error: unknown): undefined {
  if (error instanceof FirebreakError && error.code === "HOST_UNREACHABLE") return undefined;
  throw error;
}
