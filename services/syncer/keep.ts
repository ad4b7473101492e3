import { createHash } from "node:crypto";
import type { HostTarget } from "../hosts.ts";
import type { SyncerContext } from "./context.ts";
import type { Planned } from "./planning.ts";

/**
 * Has a host keep what was just read back and found right for its next start, or keep nothing where the operator does not want it. Never an
 * unconfirmed ruleset: `confirmed` is a look that found nothing to do.
 *
 * A host that cannot keep it is enforced all the same: it is logged, and the drift detector tells that a reboot would open it.
 */
export async function keepForNextStart(context: SyncerContext, confirmed: Planned, signal: AbortSignal): Promise<void> {
  const { resolved, observation, boot } = confirmed;
  if (resolved.target.kind !== "host" || observation.kind !== "host") return;
  const { kept } = observation;
  if (kept === undefined || kept.start === "none") return;
  if (!kept.wanted) {
    if (kept.ruleset !== undefined) await tryToKeep(context, resolved.target, undefined, signal);
    return;
  }
  if (boot === undefined) return;
  const isKept = kept.isInstalled && kept.ruleset === createHash("sha256").update(boot).digest("hex");
  if (!isKept) await tryToKeep(context, resolved.target, boot, signal);
}

async function tryToKeep(
  { hosts, log }: SyncerContext,
  target: HostTarget,
  text: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await (await hosts.connection(target)).keep(text, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn({ target: target.id, error }, "the ruleset for the next start of the host could not be written");
  }
}
