import { fromPrefixes, subtract } from "../../address/index.ts";
import type { Labels } from "../../selector/index.ts";
import type { Cluster, Definitions, External, Host, HostFleet, Member, Policy, Segment, Transport, Workspace } from "../kinds.ts";
import type { ClusterDocument } from "../schema/cluster.ts";
import type { ExternalDocument } from "../schema/external.ts";
import type { HostFleetDocument } from "../schema/host-fleet.ts";
import type { PolicyDocument } from "../schema/policy.ts";
import type { MemberFields, SegmentDocument } from "../schema/segment.ts";
import { defaultWorkspaceSpec } from "../schema/workspace.ts";
import type { ParsedDefinition } from "./definition.ts";
import type { YamlDocument } from "./document.ts";

/** A document with what it says. */
interface Read<Body> {
  readonly document: YamlDocument;
  readonly body: Body;
}

/** The checked definitions in their final form; maps are sorted by name. */
export function normalise(definitions: readonly ParsedDefinition[]): Definitions {
  const all = [...definitions].sort((a, b) => compareText(nameOf(a), nameOf(b)));
  const workspace = all.find((definition) => definition.kind === "Workspace");
  return {
    clusters: byName(all.filter((definition) => definition.kind === "Cluster").map(clusterOf)),
    fleets: byName(all.filter((definition) => definition.kind === "HostFleet").map(fleetOf)),
    externals: byName(all.filter((definition) => definition.kind === "External").map(externalOf)),
    segments: byName(all.filter((definition) => definition.kind === "Segment").map(segmentOf)),
    policies: byName(all.filter((definition) => definition.kind === "Policy").map(policyOf)),
    workspace: workspaceOf(workspace),
  };
}

/** The Workspace as it holds without a document. */
export function defaultWorkspace(): Workspace {
  return { kind: "Workspace", ...defaultWorkspaceSpec(), at: undefined };
}

/** True when a member is only ever a peer: nothing of it can be isolated. */
export function isPeerOnly(member: MemberFields): boolean {
  return member.externals !== undefined || member.addresses !== undefined;
}

function headOf({ document, body }: Read<{ readonly metadata: { readonly name: string; readonly labels: Labels } }>) {
  return { name: body.metadata.name, labels: sortLabels(body.metadata.labels), at: document.start };
}

function clusterOf(read: Read<ClusterDocument>): Cluster {
  const { context, inCluster: _, ...spec } = read.body.spec;
  const connection = context === undefined ? ({ kind: "inCluster" } as const) : ({ kind: "context", context } as const);
  return { kind: "Cluster", ...headOf(read), ...spec, connection };
}

function fleetOf(read: Read<HostFleetDocument>): HostFleet {
  const { mode, transport, lifeline, hosts } = read.body.spec;
  const head = headOf(read);
  return {
    kind: "HostFleet",
    ...head,
    mode,
    transport: transportOf(transport),
    lifeline: lifeline ?? { from: [], ports: [] },
    hosts: hosts.map((host, index): Host => {
      const labels = sortLabels({ ...head.labels, ...host.labels });
      return { name: host.name, addresses: host.addresses, labels, at: read.document.at(["spec", "hosts", index]) };
    }),
  };
}

function transportOf({ ssh }: HostFleetDocument["spec"]["transport"]): Transport {
  return ssh === undefined ? { kind: "local" } : { kind: "ssh", user: ssh.user, port: ssh.port };
}

function externalOf(read: Read<ExternalDocument>): External {
  const { addresses, except } = read.body.spec;
  return { kind: "External", ...headOf(read), addresses: subtract(fromPrefixes(addresses), fromPrefixes(except)) };
}

function segmentOf(read: Read<SegmentDocument>): Segment {
  const { members, isolate } = read.body.spec;
  const withoutIsolate = members.every(isPeerOnly) ? "off" : "observe";
  return {
    kind: "Segment",
    ...headOf(read),
    members: members.map((member, index) => memberOf(member, read.document, index)),
    isolate: isolate ?? { ingress: withoutIsolate, egress: withoutIsolate },
  };
}

function memberOf(member: MemberFields, document: YamlDocument, index: number): Member {
  const at = document.at(["spec", "members", index]);
  const { pods, namespaces, clusters, hosts, fleets, externals, addresses } = member;
  if (addresses !== undefined) return { kind: "addresses", addresses: fromPrefixes(addresses), at };
  if (externals !== undefined) return { kind: "externals", externals, at };
  if (namespaces !== undefined) return { kind: "pods", pods: pods ?? {}, namespaces, clusters, at };
  return { kind: "hosts", hosts: hosts ?? {}, fleets, at };
}

function policyOf(read: Read<PolicyDocument>): Policy {
  const { owner, reason, ticket, rules } = read.body.spec;
  const head = headOf(read);
  return {
    kind: "Policy",
    ...head,
    owner,
    reason,
    ticket,
    rules: rules.map((rule, index) => ({
      id: `${head.name}/${index}`,
      policy: head.name,
      from: [...new Set(rule.from)],
      to: [...new Set(rule.to)],
      ports: rule.ports,
      at: read.document.at(["spec", "rules", index]),
    })),
  };
}

function workspaceOf(read: Extract<ParsedDefinition, { kind: "Workspace" }> | undefined): Workspace {
  if (read === undefined) return defaultWorkspace();
  const { internal, limits, require, drift } = read.body.spec;
  return { kind: "Workspace", internal, limits, require: [...new Set(require)], drift, at: read.document.start };
}

function byName<T extends { readonly name: string }>(definitions: readonly T[]): ReadonlyMap<string, T> {
  return new Map(definitions.map((definition) => [definition.name, definition]));
}

function nameOf(definition: ParsedDefinition): string {
  return definition.body.metadata?.name ?? "";
}

function sortLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => compareText(a, b)));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
