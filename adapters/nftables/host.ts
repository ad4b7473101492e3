import { FirebreakError } from "../../core/model/error.ts";
import type { HostObservation } from "../../core/plan/observation.ts";
import { applyStep } from "./apply.ts";
import type { HostConnection, OpenHostOptions } from "./connection.ts";
import { READBACK_COMMAND, READBACK_SCRIPT } from "./readback-script.ts";
import { parseReadback } from "./readback.ts";
import { openRemote } from "./remote.ts";
import type { RemoteCommand } from "./remote.ts";
import { plainText } from "./ssh.ts";

const OBSERVE_MS = 60_000;
const MAX_OBSERVATION_BYTES = 256 * 1024 * 1024;
const REFUSED_STATUS = 64;

/**
 * A host to be read and written; nothing is connected before the first call.
 *
 * Throws HOST_REFUSED or CONFIG_INVALID for what may not go near ssh. Close it, or the background connection stays for a minute.
 */
export async function openHost(options: OpenHostOptions): Promise<HostConnection> {
  const { target, transport, access, now, onStep = () => undefined } = options;
  const remote = openRemote(target, transport);
  const signalFor = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, options.signal]);
  const command: RemoteCommand["command"] =
    access === "readback" ? { forced: READBACK_COMMAND } : { script: READBACK_SCRIPT, args: [] };

  async function observe(signal: AbortSignal): Promise<HostObservation> {
    const limits = { deadlineMs: OBSERVE_MS, maxBytes: MAX_OBSERVATION_BYTES, signal: signalFor(signal) };
    const result = await remote.execute({ command, ...limits });
    if (result.status === REFUSED_STATUS)
      throw new FirebreakError("HOST_REFUSED", `read back ${target}: the key is for something else`);
    const { isComplete, trouble, machineId, ...seen } = parseReadback(result.stdout);
    if (seen.ruleset.length === 0 && trouble !== undefined) {
      const cause = new Error(plainText(`${result.stderr}\n${trouble}`));
      throw new FirebreakError("HOST_REFUSED", `read back ${target}: nft does not list its ruleset`, { cause });
    }
    const completeness = isComplete && result.status === 0 ? "complete" : "partial";
    const identity = (await remote.identity()) || machineId;
    return { kind: "host", target, completeness, identity, ...seen, at: now() };
  }

  return {
    observe,
    apply: async (step, { deadManSeconds, signal }) => {
      if (access !== "apply") throw new FirebreakError("USAGE", `apply to ${target} with a key for reading back`);
      return applyStep({ remote, target, step, options: { deadManSeconds, signal: signalFor(signal) }, onStep });
    },
    close: () => remote.close(),
    [Symbol.asyncDispose]: () => remote.close(),
  };
}
