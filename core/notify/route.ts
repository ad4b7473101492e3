import type { Severity } from "../finding/finding.ts";
import type { GroupLabel, Route } from "../model/kinds.ts";
import { matches } from "../selector/index.ts";
import type { Labels } from "../selector/index.ts";
import { ISSUES } from "./channel.ts";

/** Alertmanager's defaults (`group_wait`, `group_interval`, `repeat_interval`), ms. */
export const DEFAULT_TIMING = { groupWaitMs: 30_000, groupIntervalMs: 5 * 60_000, repeatIntervalMs: 4 * 3_600_000 } as const;

/** When issues are written: soon, and with few calls; the body is edited, so nothing is said twice. */
const ISSUE_TIMING = { groupWaitMs: 5_000, groupIntervalMs: 15_000, repeatIntervalMs: 365 * 86_400_000 } as const;

/** Where everything goes when the Workspace names no routes: every channel, grouped by cause. */
export const DEFAULT_ROUTE: Route = {
  match: { severities: [], teams: [], targets: undefined },
  channels: [],
  groupBy: ["cause"],
  ...DEFAULT_TIMING,
  quiet: [],
  continues: false,
};

/** What a route looks at. */
export interface Routed {
  readonly severity: Severity;
  readonly kind: string;
  readonly target: string;
  readonly targetLabels: Labels;
  /** Owners of the policies concerned. */
  readonly teams: readonly string[];
  /** Same change, whatever target it is on (`causeOf`). */
  readonly cause: string;
}

/** One place where an incident is told: a channel, and the group that it joins there. */
export interface Destination {
  readonly channel: string;
  readonly route: Route;
  /** The same for all incidents that are told together; stable for ever for the same route and labels. */
  readonly group: string;
}

/**
 * Where an incident is told: the first route that matches, and those after it while a route says `continue`.
 *
 * A channel named by several routes is told once, by the first. An incident that no route matches, or whose routes name only channels
 * that are not there, goes where everything goes: what nobody asked for is still told (closed on doubt).
 *
 * @param channels all channels of firebreak.yaml
 */
export function destinationsOf(routes: readonly Route[], incident: Routed, channels: readonly string[]): readonly Destination[] {
  const chosen: Route[] = [];
  for (const route of routes) {
    if (!isMatch(route, incident)) continue;
    chosen.push(route);
    if (!route.continues) break;
  }
  const destinations = destinationsOn(chosen, incident, channels);
  return destinations.length > 0 ? destinations : destinationsOn([DEFAULT_ROUTE], incident, channels);
}

/** The issue that an incident joins: one per cause. */
export function issueOf(incident: Routed): Destination {
  return { channel: ISSUES, route: { ...DEFAULT_ROUTE, ...ISSUE_TIMING }, group: groupOf(["cause"], incident) };
}

/** Channels that routes name and firebreak.yaml does not have. */
export function unknownChannels(routes: readonly Route[], channels: readonly string[]): readonly string[] {
  return [...new Set(routes.flatMap((route) => route.channels))].filter((name) => !channels.includes(name)).sort();
}

function destinationsOn(routes: readonly Route[], incident: Routed, channels: readonly string[]): readonly Destination[] {
  const destinations = new Map<string, Destination>();
  for (const route of routes) {
    const group = groupOf(route.groupBy, incident);
    for (const channel of route.channels.length === 0 ? channels : route.channels) {
      if (channels.includes(channel) && !destinations.has(channel)) destinations.set(channel, { channel, route, group });
    }
  }
  return [...destinations.values()];
}

function isMatch({ match }: Route, incident: Routed): boolean {
  if (match.severities.length > 0 && !match.severities.includes(incident.severity)) return false;
  if (match.teams.length > 0 && !incident.teams.some((team) => match.teams.includes(team))) return false;
  return match.targets === undefined || matches(match.targets, incident.targetLabels);
}

function groupOf(labels: readonly GroupLabel[], incident: Routed): string {
  return JSON.stringify([...new Set(labels)].sort().map((label) => [label, valueOf(label, incident)]));
}

function valueOf(label: GroupLabel, incident: Routed): string {
  switch (label) {
    case "cause":
      return incident.cause;
    case "target":
      return incident.target;
    case "kind":
      return incident.kind;
    case "team":
      return incident.teams.join(" ");
    default:
      return label satisfies never;
  }
}
