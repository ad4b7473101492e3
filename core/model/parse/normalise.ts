import { fromPrefixes, subtract } from "../../address/index.ts";
import type { Labels } from "../../selector/index.ts";
import type {
  ApprovalRules,
  Cluster,
  Definitions,
  External,
  Guardrail,
  GuardrailRule,
  Host,
  HostFleet,
  Member,
  Policy,
  Segment,
  Transport,
  Workspace,
} from "../kinds.ts";
import type { Position } from "../note.ts";
import type { ClusterDocument } from "../schema/cluster.ts";
import type { ExternalDocument } from "../schema/external.ts";
import type { ClaimFields, GuardrailDocument } from "../schema/guardrail.ts";
import type { HostFleetDocument } from "../schema/host-fleet.ts";
import type { PolicyDocument } from "../schema/policy.ts";
import type { MemberFields, SegmentDocument } from "../schema/segment.ts";
import { routeOf } from "../schema/route.ts";
import { defaultWorkspaceSpec, type WorkspaceDocument } from "../schema/workspace.ts";
import type { ParsedDefinition } from "./definition.ts";
import type { YamlDocument } from "./document.ts";
import { arePeersOnly, nestingOf } from "./nesting.ts";
import type { Nesting } from "./nesting.ts";

/** A document with what it says. */
interface Read<Body> {
  readonly document: YamlDocument;
  readonly body: Body;
}

/** The checked definitions in their final form; maps are sorted by name. */
export function normalise(definitions: readonly ParsedDefinition[], attributes: Definitions["attributes"]): Definitions {
  const all = [...definitions].sort((a, b) => compareText(nameOf(a), nameOf(b)));
  const segments = all.filter((definition) => definition.kind === "Segment");
  const nesting = nestingOf(segments);
  const workspace = all.find((definition) => definition.kind === "Workspace");
  return {
    clusters: byName(all.filter((definition) => definition.kind === "Cluster").map(clusterOf)),
    fleets: byName(all.filter((definition) => definition.kind === "HostFleet").map(fleetOf)),
    externals: byName(all.filter((definition) => definition.kind === "External").map(externalOf)),
    segments: byName(segments.map((segment) => segmentOf(segment, nesting))),
    policies: byName(all.filter((definition) => definition.kind === "Policy").map(policyOf)),
    guardrails: byName(all.filter((definition) => definition.kind === "Guardrail").map(guardrailOf)),
    attributes,
    workspace: workspaceOf(workspace),
  };
}

/** The Workspace as it holds without a document. */
export function defaultWorkspace(): Workspace {
  const { approvals, ...spec } = defaultWorkspaceSpec();
  return { kind: "Workspace", ...spec, approvals: approvalsOf(approvals), routes: [], at: undefined };
}

function headOf({ document, body }: Read<{ readonly metadata: { readonly name: string; readonly labels: Labels } }>) {
  return { name: body.metadata.name, labels: sortLabels(body.metadata.labels), at: document.start };
}

function clusterOf(read: Read<ClusterDocument>): Cluster {
  const { context, inCluster: _, dns = { service: undefined, ports: [] }, ...spec } = read.body.spec;
  const connection = context === undefined ? ({ kind: "inCluster" } as const) : ({ kind: "context", context } as const);
  return { kind: "Cluster", ...headOf(read), ...spec, dns, connection };
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

function segmentOf(read: Read<SegmentDocument>, nesting: Nesting): Segment {
  const { members, not, isolate, needs, sealed } = read.body.spec;
  const head = headOf(read);
  const withoutIsolate = arePeersOnly(nesting.kindsOf(head.name)) ? "off" : "observe";
  return {
    kind: "Segment",
    ...head,
    members: members.map((member, index) => memberOf(member, read.document.at(["spec", "members", index]))),
    not: not.map((member, index) => memberOf(member, read.document.at(["spec", "not", index]))),
    needs: [...new Set(needs)],
    sealed,
    isolate: isolate ?? { ingress: withoutIsolate, egress: withoutIsolate },
  };
}

function memberOf(member: MemberFields, at: Position): Member {
  const { pods, namespaces, service, clusters, hosts, fleets, externals, boundary, addresses, segments } = member;
  if (addresses !== undefined) return { kind: "addresses", addresses: fromPrefixes(addresses), at };
  if (externals !== undefined) return { kind: "externals", externals, at };
  if (boundary !== undefined) return { kind: "boundary", side: boundary.side, clusters: boundary.clusters, at };
  if (segments !== undefined) return { kind: "segments", segments: [...new Set(segments)], at };
  if (service !== undefined) return { kind: "service", service, clusters, at };
  if (namespaces !== undefined) return { kind: "pods", pods: pods ?? {}, namespaces, clusters, at };
  return { kind: "hosts", hosts: hosts ?? {}, fleets, at };
}

function policyOf(read: Read<PolicyDocument>): Policy {
  const { owner, reason, ticket, expires, rules, tests } = read.body.spec;
  const head = headOf(read);
  return {
    kind: "Policy",
    ...head,
    owner,
    reason,
    ticket,
    expires,
    rules: rules.map((rule, index) => ({
      id: `${head.name}/${index}`,
      policy: head.name,
      from: [...new Set(rule.from)],
      to: [...new Set(rule.to)],
      ports: rule.ports,
      same: sortedOnce(rule.same),
      at: read.document.at(["spec", "rules", index]),
    })),
    tests: tests.map((test, index) => ({ ...test, at: read.document.at(["spec", "tests", index]) })),
  };
}

function guardrailOf(read: Read<GuardrailDocument>): Guardrail {
  const { owner, reason, ticket, severity, never, always } = read.body.spec;
  const head = headOf(read);
  const claims = (kind: GuardrailRule["kind"], given: readonly ClaimFields[]) =>
    given.map((claim, index) => claimOf(claim, kind, `${head.name}/${kind}/${index}`, read.document.at(["spec", kind, index])));
  return {
    kind: "Guardrail",
    ...head,
    severity,
    owner,
    reason,
    ticket,
    rules: [...claims("never", never), ...claims("always", always)],
  };
}

function claimOf(claim: ClaimFields, kind: GuardrailRule["kind"], id: string, at: Position): GuardrailRule {
  return {
    id,
    kind,
    from: [...new Set(claim.from)],
    to: [...new Set(claim.to ?? claim.reaches)],
    ports: claim.ports,
    same: sortedOnce(claim.same),
    path: claim.reaches === undefined ? "direct" : "transitive",
    at,
  };
}

function workspaceOf(read: Extract<ParsedDefinition, { kind: "Workspace" }> | undefined): Workspace {
  if (read === undefined) return defaultWorkspace();
  const { require, routes, approvals, ...spec } = read.body.spec;
  return {
    kind: "Workspace",
    ...spec,
    approvals: approvalsOf(approvals),
    require: [...new Set(require)],
    routes: routes.map(routeOf),
    at: read.document.start,
  };
}

function approvalsOf({ required, distinctFromAuthor, forRules }: WorkspaceDocument["spec"]["approvals"]): ApprovalRules {
  return { required, distinctFromAuthor, forRules: Math.max(required, forRules ?? (required > 0 ? required + 1 : 0)) };
}

function sortedOnce(keys: readonly string[] | undefined): readonly string[] {
  return [...new Set(keys)].sort(compareText);
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
