import { activeChannels, joinNotice } from "../../../adapters/store/index.ts";
import { causeOf } from "../../../core/finding/cause.ts";
import { shortEffect } from "../../../core/finding/effect-lines.ts";
import type { Incident } from "../../../core/finding/incident.ts";
import { sha256Hex } from "../../../core/membership/hash.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { findTarget } from "../../../core/model/target.ts";
import { ISSUES } from "../../../core/notify/channel.ts";
import { destinationsOf, issueOf } from "../../../core/notify/route.ts";
import type { Destination, Routed } from "../../../core/notify/route.ts";
import { teamsOf } from "../../../core/notify/team.ts";
import type { DriftContext } from "../context.ts";

/** Puts an incident into its group on every channel that the routes of the revision in force choose. */
export async function groupAlert(
  context: Pick<DriftContext, "store" | "now">,
  incident: Incident,
  definitions: Definitions,
  channels: readonly string[],
): Promise<void> {
  const { finding } = incident;
  const chosen = destinationsOf(definitions.workspace.routes, routedOf(definitions, incident), channels);
  // Where it is told already it is told on, whatever the routes or its severity have become since: no thread is left without its end.
  const active = (await activeChannels(context.store, finding.fingerprint)).filter((channel) => channel !== ISSUES);
  for (const destination of chosen) await join(context, incident, destination.channel, destination);
  for (const channel of active)
    if (!chosen.some((destination) => destination.channel === channel)) await join(context, incident, channel, undefined);
}

/** Puts an incident into the issue of its cause. */
export async function groupIssue(
  context: Pick<DriftContext, "store" | "now">,
  incident: Incident,
  definitions: Definitions,
): Promise<void> {
  const destination = issueOf(routedOf(definitions, incident));
  await join(context, incident, destination.channel, destination);
}

function routedOf(definitions: Definitions, { finding }: Incident): Routed {
  const { severity, kind, target } = finding;
  const targetLabels = findTarget(definitions, target)?.labels ?? {};
  return { severity, kind, target, targetLabels, teams: teamsOf(definitions, finding), cause: causeOf(finding) };
}

async function join(
  { store, now }: Pick<DriftContext, "store" | "now">,
  incident: Incident,
  channel: string,
  destination: Destination | undefined,
): Promise<void> {
  await joinNotice(store, {
    channel,
    group: destination === undefined ? undefined : groupOf(destination),
    incident,
    digest: digestOf(incident),
    now: now(),
  });
}

function groupOf({ channel, group, route }: Destination) {
  const { groupWaitMs, groupIntervalMs, repeatIntervalMs, quiet } = route;
  return {
    id: sha256Hex(JSON.stringify([channel, group])).slice(0, 16),
    key: group,
    timing: { groupWaitMs, groupIntervalMs, repeatIntervalMs, quiet },
  };
}

/** What people would read of it: another digest is worth an edit. */
function digestOf({ event, finding, firstSeen }: Incident): string {
  const state = event === "resolved" ? "resolved" : "open";
  return sha256Hex(
    JSON.stringify([state, firstSeen, finding.severity, finding.summary, shortEffect(finding.effect), finding.who ?? ""]),
  ).slice(0, 16);
}
