import { addWork, type Cause } from "../../adapters/store/index.ts";
import { canHold } from "../../core/membership/consumers.ts";
import type { Definitions, Policy } from "../../core/model/kinds.ts";
import { listTargets, type Target } from "../../core/model/target.ts";
import { runLoop } from "../loop.ts";
import { listOrphans, readOrphans } from "../orphans.ts";
import type { SyncerContext } from "./context.ts";

const EVERY_MS = 1_000;

/**
 * Gives targets work when a policy that concerns them expires: its rules are closed from that moment on.
 *
 * Only what expires while it runs: at a start, and for a new revision, every target gets work anyway. A round that fails is made up
 * for by the next one, which begins where the last one that was recorded ended.
 */
export async function watchExpiry(context: SyncerContext): Promise<void> {
  const { store, queue, log, signal, now } = context;
  let seenUntil = now();
  await runLoop({ name: "expiry", log, signal, everyMs: () => EVERY_MS }, async () => {
    const moment = now();
    const { inForce } = context;
    if (inForce === undefined) return;
    const causes = expiryCauses(inForce.definitions, listTargets(inForce.definitions), seenUntil, moment);
    if (causes.length > 0) {
      // An orphan is frozen at an older revision, which may say the same policies.
      const orphans = await readOrphans(context, await listOrphans(context));
      causes.push(...orphans.map(({ id }): Cause => ({ target: id, kind: "time", key: "expiry", detail: {} })));
    }
    await addWork(store, causes, moment);
    seenUntil = moment;
    for (const target of new Set(causes.map((cause) => cause.target))) await queue.enqueue(target);
  });
}

/** One cause per target and policy that expired after `since` and not after `until` (ms since the epoch). */
export function expiryCauses(definitions: Definitions, targets: readonly Target[], since: number, until: number): Cause[] {
  const expired = [...definitions.policies.values()].filter(
    ({ expires }) => expires !== undefined && expires > since && expires <= until,
  );
  return expired.flatMap((policy) =>
    targets
      .filter((target) => concerns(definitions, policy, target))
      .map(({ id }): Cause => ({ target: id, kind: "time", key: `expiry ${policy.name}`, detail: { policy: policy.name } })),
  );
}

/** True when a workload of the target can be at an end of one of the policy's rules. */
function concerns(definitions: Definitions, { rules }: Policy, target: Target): boolean {
  const names = new Set(rules.flatMap(({ from, to }) => [...from, ...to]));
  return [...names].some((name) => {
    const segment = definitions.segments.get(name);
    return segment === undefined ? name === "any" : canHold(definitions, segment, target);
  });
}
