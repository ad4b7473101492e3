import { FirebreakError } from "../../core/ground/error.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import { applyStep, type ReadingBack } from "./apply.ts";
import type { HostAccess, HostConnection, OpenHostOptions } from "./connection.ts";
import { keepRuleset } from "./keep.ts";
import { READBACK_COMMAND, READBACK_SCRIPT } from "./readback-script.ts";
import { parseReadback } from "./readback.ts";
import type { Readback } from "./readback.ts";
import { openRemote } from "./remote.ts";
import type { RemoteCommand } from "./remote.ts";
import type { RunResult } from "./run.ts";
import { plainText } from "./ssh.ts";

const OBSERVE_MS = 30_000;
const REFUSED_STATUS = 64;

/** What a host may send when it is read back: 100,000 addresses are 1.6 MB. */
export const DEFAULT_READ_BYTES = 16 * 1024 * 1024;

interface Asked {
  readonly read: Readback;
  readonly result: RunResult;
}

/**
 * A host to be read and written; nothing is connected before the first call.
 *
 * Throws HOST_REFUSED or CONFIG_INVALID for what may not go near ssh. Close it, or the background connection stays for a minute.
 */
export async function openHost(options: OpenHostOptions): Promise<HostConnection> {
  const {
    target,
    transport,
    access,
    now,
    onStep = () => undefined,
    maxReadBytes = DEFAULT_READ_BYTES,
    keepForStart = false,
    readAnswer = async (text) => await Promise.resolve(parseReadback(text)),
  } = options;
  const remote = openRemote(target, transport);
  const signalFor = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, options.signal]);

  async function observe(signal: AbortSignal): Promise<HostObservation> {
    const limits = { deadlineMs: OBSERVE_MS, maxBytes: maxReadBytes, signal: signalFor(signal) };
    const ask = async (words: readonly string[]): Promise<Asked> => {
      const result = await remote.execute({ command: readbackCommand(access, words), ...limits });
      if (result.status === REFUSED_STATUS)
        throw new FirebreakError(
          "HOST_REFUSED",
          `read back ${target}: the key is for something else, or the host has an older script`,
        );
      return { read: await readAnswer(result.stdout, limits.signal), result };
    };
    const first = await ask([]);
    return await told(first.read.outcome === "broken" ? await ask(["apart"]) : first);
  }

  async function told({ read, result }: Asked): Promise<HostObservation> {
    refuseStrange(target, read, result);
    const { isComplete, outcome: _, trouble: __, machineId, kept, ...seen } = read;
    const completeness = isComplete && result.status === 0 ? "complete" : "partial";
    const identity = (await remote.identity()) || machineId;
    const told = kept === undefined ? {} : { kept: { ...kept, wanted: keepForStart } };
    return { kind: "host", target, completeness, identity, ...seen, ...told, at: now() };
  }

  const readingBack = (signal: AbortSignal): ReadingBack => ({
    deadlineMs: OBSERVE_MS,
    maxBytes: maxReadBytes,
    understand: async (result) => {
      const read = await readAnswer(result.stdout, signal);
      return read.isComplete && result.status === 0 ? await told({ read, result }) : undefined;
    },
  });

  return {
    observe,
    apply: async (step, options) => {
      if (access !== "apply") throw new FirebreakError("USAGE", `apply to ${target} with a key for reading back`);
      const signal = signalFor(options.signal);
      return applyStep({ remote, target, step, options: { ...options, signal }, onStep, readingBack: readingBack(signal) });
    },
    keep: async (text, signal) => {
      if (access !== "apply") throw new FirebreakError("USAGE", `write to ${target} with a key for reading back`);
      await keepRuleset(remote, target, text, signalFor(signal));
    },
    close: () => remote.close(),
    [Symbol.asyncDispose]: () => remote.close(),
  };
}

function readbackCommand(access: HostAccess, words: readonly string[]): RemoteCommand["command"] {
  if (access === "readback") return { forced: [READBACK_COMMAND, ...words].join(" ") };
  return { script: READBACK_SCRIPT, args: words };
}

/** Throws for what says nothing of the host; a part of a read-back is not that. */
function refuseStrange(target: string, { outcome, trouble = "" }: Readback, { stdout, stderr }: RunResult): void {
  if (outcome === "listed") return;
  const said = plainText(`${stderr}\n${outcome === "strange" ? stdout.slice(0, 200) : trouble}`);
  const cause = said === "" ? undefined : new Error(said);
  if (outcome === "refused")
    throw new FirebreakError("HOST_REFUSED", `read back ${target}: nft does not list its ruleset`, { cause });
  const what = {
    broken: "the listing of nft is cut or no JSON, and its tables could not be read one by one",
    strange: "what it answers is no read-back, or too long for one",
  }[outcome];
  throw new FirebreakError("HOST_NOT_UNDERSTOOD", `read back ${target}: ${what}`, { cause });
}
