import {
  joinProposal,
  leaveProposal,
  recordDelivered,
  recordDeliveryFailure,
  subscribe,
  takeDeliveries,
  type DeliveryRow,
  type StoredFinding,
} from "../../adapters/store/index.ts";
import { causeOf } from "../../core/finding/cause.ts";
import { shortEffect } from "../../core/finding/effect-lines.ts";
import type { Incident } from "../../core/finding/incident.ts";
import { ISSUES } from "../../core/notify/channel.ts";
import { Bell, runLoop } from "../loop.ts";
import { storedError } from "../stored-error.ts";
import type { DriftContext } from "./context.ts";
import { groupAlert, groupIssue } from "./notify/group.ts";

const POLL_MS = 1_000;
/** A delivery that is neither done nor failed after this is taken again. */
const HOLD_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10 * 60_000;
/** A pull request that a person closed is not opened again before its cause was away for a day. */
const DECLINED_FOR_MS = 24 * 60 * 60_000;

/** Where findings go: the service's log, the groups of channels, the groups of issues, the proposals of causes. */
export const OUTLETS = ["log", "alert", "issue", "proposal"] as const;
export type Outlet = (typeof OUTLETS)[number];

/** What delivering needs of the drift detector. */
export type DeliverContext = Pick<DriftContext, "store" | "log" | "signal" | "now" | "inForce">;

/**
 * Takes what stands in the outbox to its outlet, at least once, in order per finding. Alerts, issues and proposals only join their groups
 * here, which takes no network: {@link ./notify/tell.ts} tells the groups, and the syncer looks after proposals.
 *
 * @param channels names of all channels, the forge's issues among them
 */
export async function deliver(context: DeliverContext, channels: readonly string[]): Promise<void> {
  const { store, log, signal } = context;
  const bells = OUTLETS.map((outlet) => ({ outlet, bell: new Bell() }));
  const unsubscribe = subscribe(store, "deliveries", () => bells.forEach(({ bell }) => bell.ring()));
  try {
    await Promise.all(
      bells.map(
        async ({ outlet, bell }) =>
          await runLoop({ name: `deliver ${outlet}`, log, signal, everyMs: () => POLL_MS, bell }, async () => {
            await deliverDue(context, outlet, channels);
          }),
      ),
    );
  } finally {
    unsubscribe();
  }
}

/** Delivers everything of one outlet whose time has come. Routes are the revision's, so nothing is grouped before it is known. */
export async function deliverDue(context: DeliverContext, outlet: Outlet, channels: readonly string[]): Promise<void> {
  if (outlet !== "log" && context.inForce === undefined) return;
  while (!context.signal.aborted) {
    const rows = await takeDeliveries(context.store, outlet, context.now(), HOLD_MS);
    if (rows.length === 0) return;
    for (const row of rows) await deliverOne(context, outlet, channels, row);
  }
}

async function deliverOne(context: DeliverContext, outlet: Outlet, channels: readonly string[], row: DeliveryRow): Promise<void> {
  const { store, log, now } = context;
  try {
    await hand(context, outlet, channels, row);
    await recordDelivered(store, row.id, now());
  } catch (error) {
    if (context.signal.aborted) return;
    const backoff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(row.attempts, 10));
    await recordDeliveryFailure(store, row.id, storedError(error), Math.round(now() + backoff));
    log.warn({ outlet, finding: row.fingerprint, error }, "delivery failed, will retry");
  }
}

async function hand(context: DeliverContext, outlet: Outlet, channels: readonly string[], row: DeliveryRow): Promise<void> {
  const incident = incidentOf(context, row);
  if (outlet === "log") return sayInLog(context, incident);
  if (outlet === "proposal") return await askToAdopt(context, row);
  const { inForce } = context;
  if (inForce === undefined) throw new Error("no revision is in force"); // asked before
  if (outlet === "issue") {
    if (channels.includes(ISSUES)) await groupIssue(context, incident, inForce.definitions);
    return;
  }
  const named = channels.filter((name) => name !== ISSUES);
  await groupAlert(context, incident, inForce.definitions, named);
}

/** A finding that Git can say joins the proposal of its cause, and leaves it when it is over. */
async function askToAdopt({ store, now }: DeliverContext, { event, payload }: DeliveryRow): Promise<void> {
  const finding = payload as StoredFinding; // the cast: as below
  if (event !== "resolved" && finding.adoption?.kind === "sayable") {
    return await joinProposal(store, { cause: causeOf(finding), finding, now: now(), declinedForMs: DECLINED_FOR_MS });
  }
  const isHealed = event === "resolved" && finding.healTimes.some((at) => at >= finding.firstSeen);
  await leaveProposal(store, finding.fingerprint, isHealed, now());
}

function sayInLog({ log }: DeliverContext, { event, finding }: Incident): void {
  const { fingerprint, kind, severity, target, summary, effect, who } = finding;
  const isCalm = event === "resolved" || severity === "info" || severity === "low";
  const level = isCalm ? "info" : severity === "medium" ? "warn" : "error";
  log[level]({ fingerprint, kind, severity, target, summary, effect: shortEffect(effect), who, event }, `finding ${event}`);
}

/** The cast: payloads are only ever written from a StoredFinding, in the transaction that stores it. */
function incidentOf(context: DeliverContext, row: DeliveryRow): Incident {
  const finding = row.payload as StoredFinding;
  return {
    event: row.event,
    finding,
    firstSeen: new Date(finding.firstSeen).toISOString(),
    lastSeen: new Date(finding.lastSeen).toISOString(),
    resolvedAt: finding.resolvedAt === undefined ? undefined : new Date(finding.resolvedAt).toISOString(),
    heals: finding.healTimes.length,
    commit: context.inForce?.commit,
  };
}
