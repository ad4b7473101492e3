import { joinNotice } from "../../../adapters/store/index.ts";
import { causeOf } from "../../../core/drift/cause.ts";
import type { Incident } from "../../../core/drift/incident.ts";
import { sha256Hex } from "../../../core/membership/hash.ts";
import { findTarget } from "../../../core/model/target.ts";
import { destinationsOf } from "../../../core/notify/route.ts";
import { teamOf } from "../../../core/notify/team.ts";
import type { DriftContext } from "../context.ts";

/** Puts an incident into its group on every channel that the routes of the revision in force choose. */
export async function groupIncident(
  context: Pick<DriftContext, "store" | "now" | "inForce">,
  incident: Incident,
  channels: readonly string[],
): Promise<void> {
  const { store, now, inForce } = context;
  const { finding } = incident;
  const routed = {
    ...finding,
    targetLabels: (inForce && findTarget(inForce.definitions, finding.target))?.labels ?? {},
    team: inForce && teamOf(inForce.definitions, finding),
    cause: causeOf(finding),
  };
  for (const { channel, route, group } of destinationsOf(inForce?.definitions.workspace.routes ?? [], routed, channels)) {
    const { groupWaitMs, groupIntervalMs, repeatIntervalMs, quiet } = route;
    await joinNotice(store, {
      channel,
      group: sha256Hex(JSON.stringify([channel, group])).slice(0, 16),
      groupKey: group,
      timing: { groupWaitMs, groupIntervalMs, repeatIntervalMs, quiet },
      incident,
      digest: digestOf(incident),
      now: now(),
    });
  }
}

/** What people would read of it: another digest is worth an edit. */
function digestOf({ event, finding, firstSeen }: Incident): string {
  const state = event === "resolved" ? "resolved" : "open";
  return sha256Hex(JSON.stringify([state, firstSeen, finding.severity, finding.summary, finding.effect, finding.who ?? ""])).slice(
    0,
    16,
  );
}
