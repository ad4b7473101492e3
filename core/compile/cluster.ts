import { isEmpty } from "../address/index.ts";
import type { Namespace, Service } from "../membership/inventory.ts";
import type { Memberships } from "../membership/membership.ts";
import { compareText } from "../membership/order.ts";
import { podsMembersIn } from "../membership/select.ts";
import { FirebreakError } from "../model/error.ts";
import type { Cluster, Definitions, Direction, Rule, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import { canonicalSelector, selectorKey } from "../selector/index.ts";
import { gapNote, noPeerNote, peerResolver, segmentNamed } from "./ends.ts";
import type { PeerEnd, PeerResolver } from "./ends.ts";
import { dnsPeer, DNS_PORTS, findDnsEndpoints, NODE_LOCAL_DNS } from "./essentials.ts";
import type { DnsEndpoint } from "./essentials.ts";
import { objectName } from "./names.ts";
import type { ObjectRole } from "./names.ts";
import { noteCluster } from "./notes.ts";
import { listRules, normalisePorts, peerEnds, subjectEnds } from "./rules.ts";
import { governedNamespaces, intersectSubjects, placeSubjects } from "./subjects.ts";
import type { GovernedNamespace, Subject } from "./subjects.ts";
import type { ClusterAllow, ClusterObject, ClusterWant, Compiled, Peer } from "./want.ts";

/** What a cluster's want depends on. Its pods are not among it: inside a cluster rules are labels, so pod churn changes nothing. */
export interface ClusterCompilation {
  readonly definitions: Definitions;
  readonly cluster: Cluster;
  readonly namespaces: readonly Namespace[];
  /** Only kube-system/kube-dns and openshift-dns/dns-default are looked at. */
  readonly services: readonly Service[];
  readonly memberships: Memberships;
}

/** A rule as one direction of this cluster sees it; without an allow, its peers match nothing here. */
interface DirectedRule {
  readonly rule: Rule;
  readonly subjects: readonly string[];
  readonly allow: ClusterAllow | undefined;
}

/** Everything one direction is built from. */
interface DirectionContext {
  readonly direction: Direction;
  readonly definitions: Definitions;
  readonly cluster: Cluster;
  readonly governed: readonly GovernedNamespace[];
  readonly dns: readonly DnsEndpoint[];
  readonly rules: readonly DirectedRule[];
  /** See `otherEnds`. */
  readonly ends: readonly Segment[];
}

/**
 * What one cluster shall enforce (DESIGN.md §4 "Isolation").
 *
 * For each segment S enforced in a direction: one object per governed namespace and member, which isolates S's pods and carries
 * the rules that name S. For each other segment R that a rule names and that is not enforced itself: one object for S ∧ R, so
 * that a pod in both gets R's rules while a pod in R alone stays as it is.
 *
 * ```
 *      S (enforce)        R (observe)
 *    ┌────────────┐    ┌────────────┐
 *    │ own object │ S∧R│   nothing  │
 *    │            │ obj│  selects it│
 *    └────────────┘    └────────────┘
 * ```
 */
export function compileCluster(input: ClusterCompilation): Compiled<ClusterWant> {
  const { definitions, cluster } = input;
  const governed = governedNamespaces(cluster, input.namespaces);
  const dns = findDnsEndpoints(input.services);
  const resolver = peerResolver(definitions, input.memberships, cluster);
  const notes: Note[] = [...noteCluster(definitions, cluster, dns)];
  const objects: ClusterObject[] = [];
  for (const direction of ["ingress", "egress"] as const) {
    const directed = directRules(definitions, cluster, resolver, direction);
    if (isAnythingEnforced(definitions, cluster, direction)) notes.push(...directed.notes);
    const ends = otherEnds(definitions, cluster, direction, directed.rules);
    objects.push(...compileDirection({ direction, definitions, cluster, governed, dns, rules: directed.rules, ends }));
  }
  objects.sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
  checkNames(objects);
  const target = clusterTargetId(cluster.name);
  const want: ClusterWant = { kind: "cluster", target, governed: governed.map(({ name }) => name), objects };
  return { want, notes: dedupeNotes(notes) };
}

function compileDirection(context: DirectionContext): readonly ClusterObject[] {
  const { definitions, direction } = context;
  const enforced = [...definitions.segments.values()]
    .filter((segment) => segment.isolate[direction] === "enforce")
    .sort((a, b) => compareText(a.name, b.name));
  return enforced.flatMap((segment) => compileSegment(context, segment));
}

function compileSegment(context: DirectionContext, segment: Segment): readonly ClusterObject[] {
  const { direction, rules } = context;
  const own = subjectsIn(context, segment);
  if (own.length === 0) return [];
  const naming = rules.filter(({ subjects }) => subjects.includes(segment.name) || subjects.includes("any"));
  const allows = direction === "egress" ? [...dnsEgress(context.dns), ...allowsOf(naming)] : allowsOf(naming);
  return [
    ...placeObjects(context, segment, { kind: "own" }, own, allows),
    ...context.ends.flatMap((end) => compileEnd(context, segment, own, end, naming)),
    ...(direction === "ingress" ? context.dns.flatMap((endpoint) => compileDnsIngress(context, segment, own, endpoint)) : []),
  ];
}

/** S ∧ R: what the rules of R that do not name S anyway add for pods that are in both. */
function compileEnd(
  context: DirectionContext,
  segment: Segment,
  own: readonly Subject[],
  end: Segment,
  naming: readonly DirectedRule[],
): readonly ClusterObject[] {
  const allows = allowsOf(context.rules.filter((rule) => rule.subjects.includes(end.name) && !naming.includes(rule)));
  if (allows.length === 0) return [];
  const both = intersectSubjects(own, subjectsIn(context, end));
  return placeObjects(context, segment, { kind: "end", name: end.name }, both, allows);
}

/** Where the cluster's DNS pods are isolated themselves, anyone may ask them. */
function compileDnsIngress(
  context: DirectionContext,
  segment: Segment,
  own: readonly Subject[],
  endpoint: DnsEndpoint,
): readonly ClusterObject[] {
  const peer = dnsPeer(endpoint);
  if (peer.kind !== "pods") return [];
  const allows: readonly ClusterAllow[] = [{ origin: "builtin/dns", peers: "any", ports: endpoint.ports }];
  return placeObjects(context, segment, { kind: "essential", name: "dns" }, intersectSubjects(own, [peer]), allows);
}

function dnsEgress(endpoints: readonly DnsEndpoint[]): readonly ClusterAllow[] {
  const nodeLocal: Peer = { kind: "addresses", addresses: NODE_LOCAL_DNS };
  return [
    ...endpoints.map((endpoint): ClusterAllow => ({ origin: "builtin/dns", peers: [dnsPeer(endpoint)], ports: endpoint.ports })),
    { origin: "builtin/dns", peers: [nodeLocal], ports: DNS_PORTS },
  ];
}

/**
 * Segments that rules name at this end, that are not enforced here (their own objects would do) and can select pods here. The same
 * for every enforced segment, so they are looked for once: compiling 1,000 segments took three times as long when each looked for itself.
 */
function otherEnds(
  definitions: Definitions,
  cluster: Cluster,
  direction: Direction,
  rules: readonly DirectedRule[],
): readonly Segment[] {
  const names = new Set(rules.filter(({ allow }) => allow !== undefined).flatMap(({ subjects }) => subjects));
  return [...names]
    .filter((name) => name !== "any" && name !== "internet")
    .map((name) => segmentNamed(definitions, name))
    .filter((end) => end.isolate[direction] !== "enforce" && podsMembersIn(end.members, cluster).length > 0)
    .sort((a, b) => compareText(a.name, b.name));
}

function subjectsIn({ cluster }: DirectionContext, segment: Segment): readonly Subject[] {
  return podsMembersIn(segment.members, cluster);
}

function placeObjects(
  { direction, governed }: DirectionContext,
  segment: Segment,
  role: ObjectRole,
  subjects: readonly Subject[],
  allows: readonly ClusterAllow[],
): readonly ClusterObject[] {
  return placeSubjects(subjects, governed).map(({ namespace, pods }) => ({
    namespace,
    name: objectName(segment.name, direction, role, pods),
    direction,
    subject: pods,
    segment: segment.name,
    allows,
  }));
}

function allowsOf(rules: readonly DirectedRule[]): readonly ClusterAllow[] {
  return rules.flatMap(({ allow }) => (allow === undefined ? [] : [allow]));
}

function directRules(
  definitions: Definitions,
  cluster: Cluster,
  resolver: PeerResolver,
  direction: Direction,
): { readonly rules: readonly DirectedRule[]; readonly notes: readonly Note[] } {
  const part = direction === "ingress" ? "initiator" : "responder";
  const notes: Note[] = [];
  const rules = listRules(definitions).map((rule): DirectedRule => {
    const subjects = subjectEnds(rule, direction);
    const names = peerEnds(rule, direction);
    const end = resolver.resolve(names, part);
    const peers = peersOf(end);
    if (concernsCluster(definitions, cluster, subjects)) {
      if (end.kind === "some") notes.push(...end.gaps.map((gap) => gapNote(gap, rule)));
      if (peers.length === 0) notes.push(noPeerNote(rule, names, clusterTargetId(cluster.name), rule.at));
    }
    if (peers.length === 0) return { rule, subjects, allow: undefined };
    return { rule, subjects, allow: { origin: rule.id, peers, ports: normalisePorts(rule.ports) } };
  });
  return { rules, notes };
}

/** The peers a cluster can say, sorted, without duplicates; an empty list means nobody, never anyone. */
function peersOf(end: PeerEnd): "any" | readonly Peer[] {
  if (end.kind === "any") return "any";
  const pods = new Map<string, Peer>();
  for (const member of end.pods) {
    const peer = { kind: "pods", pods: canonicalSelector(member.pods), namespaces: canonicalSelector(member.namespaces) } as const;
    pods.set(`${selectorKey(peer.namespaces)} ${selectorKey(peer.pods)}`, peer);
  }
  const sorted = [...pods].sort(([a], [b]) => compareText(a, b)).map(([, peer]) => peer);
  return isEmpty(end.addresses) ? sorted : [...sorted, { kind: "addresses", addresses: end.addresses }];
}

function concernsCluster(definitions: Definitions, cluster: Cluster, subjects: readonly string[]): boolean {
  return subjects.some((name) => {
    if (name === "any") return true;
    return name !== "internet" && podsMembersIn(segmentNamed(definitions, name).members, cluster).length > 0;
  });
}

function isAnythingEnforced(definitions: Definitions, cluster: Cluster, direction: Direction): boolean {
  return [...definitions.segments.values()].some(
    (segment) => segment.isolate[direction] === "enforce" && podsMembersIn(segment.members, cluster).length > 0,
  );
}

function checkNames(objects: readonly ClusterObject[]): void {
  objects.forEach((object, index) => {
    const next = objects[index + 1];
    if (next?.name !== object.name || next.namespace !== object.namespace) return;
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `name two objects ${object.namespace}/${object.name}`);
  });
}

function dedupeNotes(notes: readonly Note[]): readonly Note[] {
  return [...new Map(notes.map((note) => [JSON.stringify(note), note])).values()];
}
