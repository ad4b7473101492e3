import { createHash } from "node:crypto";
import { FirebreakError } from "../../core/ground/error.ts";
import { DROP_IN, FORGET, INIT_SCRIPT, KEEP, KEEP_STATUS, UNIT } from "./persist-script.ts";
import type { Remote } from "./remote.ts";
import type { RunResult } from "./run.ts";
import { plainText } from "./ssh.ts";

const KEEP_MS = 20_000;
const MAX_BYTES = 4096;

/** SHA-256 of the texts that a host holds beside the ruleset, by what they are. Hex. */
export const INSTALLED_DIGESTS = { unit: digest(UNIT), dropIn: digest(DROP_IN), initScript: digest(INIT_SCRIPT) } as const;

/**
 * Keeps a ruleset for the next start of the host, or (undefined) nothing any more. A host without systemd and OpenRC is left alone.
 *
 * Throws HOST_REFUSED when it cannot be written there, or when only root could install what loads it; APPLY_REFUSED when nft does not take it.
 */
export async function keepRuleset(remote: Remote, target: string, text: string | undefined, signal: AbortSignal): Promise<void> {
  const limits = { deadlineMs: KEEP_MS, maxBytes: MAX_BYTES, signal };
  if (text === undefined) {
    const result = await remote.execute({ command: { script: FORGET, args: [] }, ...limits });
    if (result.status !== 0) throw refused(target, "take back the ruleset of the next start", result);
    return;
  }
  const args = [String(Buffer.byteLength(text)), UNIT, DROP_IN, INIT_SCRIPT];
  const result = await remote.execute({ command: { script: KEEP, args }, input: text, ...limits });
  if (result.status === 0) return;
  if (result.status === KEEP_STATUS.refused) {
    const cause = new Error(plainText(result.stderr));
    throw new FirebreakError("APPLY_REFUSED", `keep the ruleset of ${target} for its next start: nft does not take it`, { cause });
  }
  const isMissing = result.status === KEEP_STATUS.notInstalled;
  throw refused(target, isMissing ? "keep its ruleset (its unit is not installed, and only root can)" : "keep its ruleset", result);
}

function refused(target: string, doing: string, { stderr }: RunResult): FirebreakError {
  const said = plainText(stderr);
  return new FirebreakError("HOST_REFUSED", `${doing} on ${target}`, said === "" ? {} : { cause: new Error(said) });
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
