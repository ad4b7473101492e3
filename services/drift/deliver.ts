import {
  recordDelivered,
  recordDeliveryFailure,
  recordIssue,
  findingByFingerprint,
  joinProposal,
  leaveProposal,
  subscribe,
  takeDeliveries,
  type DeliveryRow,
  type StoredFinding,
} from "../../adapters/store/index.ts";
import { causeOf } from "../../core/drift/cause.ts";
import type { Incident } from "../../core/drift/incident.ts";
import type { Forge } from "../../core/forge/forge.ts";
import { incidentBody, incidentMarker, incidentTitle } from "../../core/text/incident.ts";
import { Bell, runLoop } from "../loop.ts";
import { storedError } from "../stored-error.ts";
import type { DriftContext } from "./context.ts";
import { groupIncident } from "./notify/group.ts";

const POLL_MS = 1_000;
/** A delivery that is neither done nor failed after this is taken again. */
const HOLD_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10 * 60_000;
/** A pull request that a person closed is not opened again before its cause was away for a day. */
const DECLINED_FOR_MS = 24 * 60 * 60_000;

/** Where findings go besides the log. */
interface Outlets {
  readonly issues: Pick<Forge, "putIssue"> | undefined;
  /** Names of the channels that routes choose among. */
  readonly channels: readonly string[];
}

/** Sends what stands in the outbox, at least once, in order per finding and channel; a channel that is away is tried again and again. */
export async function deliver(context: DriftContext, outlets: Outlets): Promise<void> {
  const { store, log, signal, now } = context;
  const bell = new Bell();
  const unsubscribe = subscribe(store, "deliveries", () => bell.ring());
  try {
    await runLoop({ name: "deliver", log, signal, everyMs: () => POLL_MS, bell }, async () => {
      for (;;) {
        const rows = await takeDeliveries(store, now(), HOLD_MS);
        if (rows.length === 0) return;
        // Each kind of outlet is a lane of its own: a forge that is away delays no alert.
        const lanes = Map.groupBy(rows, ({ channel }) => channel);
        await Promise.all([...lanes.values()].map(async (lane) => await deliverAll(context, outlets, lane)));
      }
    });
  } finally {
    unsubscribe();
  }
}

async function deliverAll(context: DriftContext, outlets: Outlets, rows: readonly DeliveryRow[]): Promise<void> {
  for (const row of rows) await deliverOne(context, outlets, row);
}

async function deliverOne(context: DriftContext, outlets: Outlets, row: DeliveryRow): Promise<void> {
  const { store, log, now } = context;
  try {
    await send(context, outlets, row);
    await recordDelivered(store, row.id, now());
  } catch (error) {
    if (context.signal.aborted) return;
    const stored = storedError(error);
    const backoff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(row.attempts, 10));
    await recordDeliveryFailure(store, row.id, stored, Math.round(now() + backoff));
    log.warn({ channel: row.channel, finding: row.fingerprint, error }, "delivery failed, will retry");
    if (row.attempts > 1) return;
    const causes = { channel: row.channel, error: { code: stored.code, messages: [stored.message] } };
    await context.trail.append([
      {
        id: `alert-failed-${row.id}-${context.start}`,
        type: "alert.failed",
        outcome: "failed",
        ...causes,
        detail: { finding: row.fingerprint },
      },
    ]);
  }
}

async function send(context: DriftContext, outlets: Outlets, row: DeliveryRow): Promise<void> {
  const incident = incidentOf(context, row);
  const { finding } = incident;
  switch (row.channel) {
    case "log": {
      const { fingerprint, kind, severity, target, summary, effect, who } = finding;
      const level =
        incident.event === "resolved" || severity === "info" || severity === "low"
          ? "info"
          : severity === "medium"
            ? "warn"
            : "error";
      context.log[level](
        { fingerprint, kind, severity, target, summary, effect, who, event: incident.event },
        `finding ${incident.event}`,
      );
      return;
    }
    case "alert": {
      return await groupIncident(context, incident, outlets.channels);
    }
    case "proposal": {
      return await askToAdopt(context, incident);
    }
    case "issue": {
      await putIssue(context, outlets, incident);
      break;
    }
    default:
      context.log.error({ channel: row.channel }, "no such channel; its message is dropped from the outbox and stays in the log");
  }
  const detail = { finding: row.fingerprint, event: row.event };
  await context.trail.append([
    { id: `alert-sent-${row.id}-${context.start}`, type: "alert.sent", outcome: "ok", channel: row.channel, detail },
  ]);
}

/** A finding that Git can say joins the proposal of its cause, and leaves it when it is over; the syncer does the rest. */
async function askToAdopt({ store, now }: DriftContext, { event, finding, firstSeen, lastSeen }: Incident): Promise<void> {
  const { fingerprint, adoption } = finding;
  const times = { firstSeen: Date.parse(firstSeen), lastSeen: Date.parse(lastSeen) };
  if (event !== "resolved" && adoption?.kind === "sayable")
    return await joinProposal(store, {
      cause: causeOf(finding),
      finding: { ...finding, ...times },
      now: now(),
      declinedForMs: DECLINED_FOR_MS,
    });
  const healTimes = (await findingByFingerprint(store, fingerprint))?.healTimes ?? [];
  const isHealed = event === "resolved" && healTimes.some((at) => at >= times.firstSeen);
  await leaveProposal(store, fingerprint, isHealed, now());
}

/** One issue per finding: opened, edited as it evolves, closed when it is over, opened again when it comes back. */
async function putIssue(context: DriftContext, { issues }: Outlets, incident: Incident): Promise<void> {
  if (issues === undefined) return;
  const { fingerprint } = incident.finding;
  const stored = await findingByFingerprint(context.store, fingerprint);
  const known = stored?.issueRef === undefined ? undefined : Number(stored.issueRef);
  const issue = {
    title: incidentTitle(incident),
    body: incidentBody(incident),
    state: incident.event === "resolved" ? "closed" : "open",
  } as const;
  const number = await issues.putIssue(known, incidentMarker(fingerprint), issue, context.signal);
  if (number !== known) await recordIssue(context.store, fingerprint, String(number));
}

/** The cast: payloads are only ever written from a StoredFinding, in the transaction that stores it. */
function incidentOf(context: DriftContext, row: DeliveryRow): Incident {
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
