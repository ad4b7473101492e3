import { emptySet, fromAddressTexts, internetSet, intersect, isEmpty, union, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Memberships } from "../membership/membership.ts";
import { addressPeers, podPeers } from "../membership/peers.ts";
import type { LocalCluster } from "../membership/peers.ts";
import {
  cellKey,
  choosesCluster,
  decidingMembers,
  isExternalIn,
  peerAddresses,
  segmentNamed,
  subjectsIn,
} from "../membership/resolve.ts";
import type { Subject } from "../membership/subject.ts";
import type { Cluster, Definitions, Member, Rule, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import type { Labels } from "../selector/index.ts";
import { ruleBook } from "./rules.ts";
import type { RuleBook } from "./rules.ts";
import { narrowSubjects } from "./subjects.ts";
import { unionOf } from "./unions.ts";

/** Which part of a connection the peer plays: initiators are who may come in, responders are who may be reached. */
export type Part = "initiator" | "responder";

/** The other end of a rule, seen from one target. */
export type PeerEnd =
  | { readonly kind: "any" }
  | {
      readonly kind: "some";
      /** Pods of the cluster that it is compiled for; always empty for a host. */
      readonly pods: readonly Subject[];
      readonly addresses: AddressSet;
      /** True when pods of other clusters are meant: here they are addresses, and their named ports are not known. */
      readonly hasRemotePods: boolean;
      /** What about these peers cannot be said here, or not exactly, as the rest of a sentence. */
      readonly gaps: readonly PeerGap[];
    };

type SomeEnd = Exclude<PeerEnd, { readonly kind: "any" }>;

/** Why a part of a segment is missing, or wider, at this target. */
export interface PeerGap {
  readonly code: "unenforceable-here" | "widened-here" | "not-fed";
  readonly summary: string;
  readonly detail: string;
}

/** Resolves rule ends for one target, each segment once. */
export interface PeerResolver {
  /**
   * The end that these names stand for.
   *
   * @param values label values that the peers must have (`same`); empty: no such condition
   */
  resolve(names: readonly string[], part: Part, values?: Labels): PeerEnd;
}

const NO_VALUES: Labels = {};

/**
 * A resolver for a cluster (its own pods stay labels) or a host (`local` absent: everything becomes addresses).
 *
 * A cluster that never fed has no addresses here, so it is closed, and that is told. The pods of a masqueraded cluster cannot be
 * reached from outside by an address of their own: as responders nothing is rendered for them.
 */
export function peerResolver(definitions: Definitions, memberships: Memberships, local: LocalCluster | undefined): PeerResolver {
  const internet = internetSet(definitions.workspace.internal);
  const resolution: Resolution = { definitions, memberships, local, book: ruleBook(definitions) };
  const cache = new Map<string, SomeEnd>();
  const resolveOne = (name: string, part: Part, values: Labels): SomeEnd => {
    const key = `${part} ${cellKey(name, values)}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const end = resolveSegment(resolution, segmentNamed(definitions, name), part, values);
    cache.set(key, end);
    return end;
  };
  return {
    resolve(names, part, values = NO_VALUES) {
      if (names.includes("any")) return { kind: "any" };
      const ends = names.filter((name) => name !== "internet").map((name) => resolveOne(name, part, values));
      const [only] = ends;
      if (only !== undefined && names.length === 1) return only;
      const addresses = ends.map((end) => end.addresses);
      if (names.includes("internet")) addresses.push(internet);
      return {
        kind: "some",
        pods: ends.flatMap((end) => end.pods),
        addresses: unionOf(addresses),
        hasRemotePods: ends.some((end) => end.hasRemotePods),
        gaps: ends.flatMap((end) => end.gaps),
      };
    },
  };
}

/** A gap as a note at the rule that has it. */
export function gapNote(gap: PeerGap, rule: Rule): Note {
  const severity = gap.code === "widened-here" ? "info" : "warning";
  return { severity, code: gap.code, at: rule.at, summary: `rule ${rule.id}: ${gap.summary}`, detail: gap.detail };
}

/** The note for a rule that has no peer left at a target, and is therefore not rendered there. */
export function noPeerNote(rule: Rule, names: readonly string[], target: string): Note {
  return {
    severity: "info",
    code: "matches-nothing",
    at: rule.at,
    summary: `rule ${rule.id}: ${names.join(", ")} matches no address that ${target} can see now`,
    detail: "The rule is left out there until it does; it never becomes a rule for anyone.",
  };
}

interface Resolution {
  readonly definitions: Definitions;
  readonly memberships: Memberships;
  readonly local: LocalCluster | undefined;
  readonly book: RuleBook;
}

function resolveSegment(resolution: Resolution, segment: Segment, part: Part, values: Labels): SomeEnd {
  const { definitions, local, book } = resolution;
  const members = book.flatMembers(segment.name);
  const known = isCell(values) ? cellAddresses(resolution, segment, values) : knownAddresses(resolution, segment);
  const sets: AddressSet[] = [known.addresses];
  const gaps: PeerGap[] = [...known.gaps];
  let hasRemotePods = false;
  for (const cluster of definitions.clusters.values()) {
    if (cluster.name === local?.cluster.name || !members.some((member) => canHoldPods(member, cluster))) continue;
    const shown = remoteAddresses(resolution, segment, cluster, part, values);
    hasRemotePods = true;
    sets.push(shown.addresses);
    gaps.push(...shown.gaps);
  }
  const pods = local === undefined ? [] : localPods(definitions, local, segment, values);
  return { kind: "some", pods, addresses: unionOf(sets), hasRemotePods, gaps };
}

/** Addresses, and what about them cannot be said. */
interface Shown {
  readonly addresses: AddressSet;
  readonly gaps: readonly PeerGap[];
}

/** Hosts, externals, addresses, boundaries, and what stands behind services without a selector. */
function knownAddresses(resolution: Resolution, segment: Segment): Shown {
  const { definitions, book } = resolution;
  if (!restsOnClusters(definitions, segment)) return { addresses: book.knownAddresses(segment.name), gaps: [] };
  const { addresses, gaps } = learntAddresses(resolution, segment);
  return { addresses: unionOf([book.hostAddresses(segment.name), addresses]), gaps };
}

/** The same without hosts; what `not` leaves out is learnt, too. */
function learntAddresses({ definitions, memberships, local }: Resolution, segment: Segment): Shown {
  const { addresses, unknown } = addressPeers(definitions, segment, memberships, local);
  const gaps = unknown.map((target): PeerGap => ({
    code: "not-fed",
    summary: `what ${segment.name} means of the boundary of ${target} is not known yet, so it is closed here`,
    detail: "That cluster has not reported its nodes and services to this installation. They are added as soon as it does.",
  }));
  return { addresses, gaps };
}

/** True when some of its addresses, be it to leave them out, are learnt from clusters: boundaries, and what stands behind services. */
function restsOnClusters(definitions: Definitions, segment: Segment): boolean {
  return decidingMembers(definitions, segment).some(({ kind }) => kind === "boundary" || kind === "service");
}

/** Hosts and externals with these label values; nothing else that Git names has labels. */
function cellAddresses(resolution: Resolution, segment: Segment, values: Labels): Shown {
  const { definitions, book } = resolution;
  const agrees = ({ labels }: { readonly labels: Labels }): boolean =>
    Object.entries(values).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
  const hosts = fromAddressTexts(
    book
      .hostsIn(segment.name)
      .filter(agrees)
      .flatMap((host) => host.addresses),
  ).set;
  const externals = [...definitions.externals.values()].filter(
    (external) => agrees(external) && isExternalIn(definitions, segment, external),
  );
  if (externals.length === 0) return { addresses: hosts, gaps: [] };
  const left = restsOnClusters(definitions, segment)
    ? learntAddresses(resolution, segment)
    : { addresses: peerAddresses(definitions, segment), gaps: [] };
  const inCell = intersect(unionAll(externals.map((external) => external.addresses)), left.addresses);
  return { addresses: union(hosts, inCell), gaps: left.gaps };
}

function localPods(definitions: Definitions, local: LocalCluster, segment: Segment, values: Labels): readonly Subject[] {
  if (!isCell(values)) return podPeers(definitions, segment, local);
  return narrowSubjects(subjectsIn(definitions, segment, local.cluster, local.services), values);
}

function isCell(values: Labels): boolean {
  return Object.keys(values).length > 0;
}

function canHoldPods(member: Member, cluster: Cluster): boolean {
  return (member.kind === "pods" || member.kind === "service") && choosesCluster(member.clusters, cluster);
}

function remoteAddresses({ memberships }: Resolution, segment: Segment, cluster: Cluster, part: Part, values: Labels): Shown {
  const where = `pods of ${segment.name} in cluster ${cluster.name}`;
  if (part === "responder" && cluster.podNetwork === "masqueraded") {
    const gap: PeerGap = {
      code: "unenforceable-here",
      summary: `${where} have no address outside it, unenforceable here: use a boundary`,
      detail:
        "The pod network is masqueraded (podNetwork). Nothing is rendered for them; name the addresses where they are published.",
    };
    return { addresses: emptySet, gaps: [gap] };
  }
  const membership = memberships.get(clusterTargetId(cluster.name));
  if (membership === undefined) {
    const gap: PeerGap = {
      code: "not-fed",
      summary: `the ${where} are not known yet, so they are closed here`,
      detail: "That cluster has not reported its pods to this installation. They are added as soon as it does.",
    };
    return { addresses: emptySet, gaps: [gap] };
  }
  const key = isCell(values) ? cellKey(segment.name, values) : segment.name;
  const addresses = membership.segments.get(key) ?? emptySet;
  if (cluster.podNetwork === "routed" || isEmpty(addresses)) return { addresses, gaps: [] };
  const gap: PeerGap = {
    code: "widened-here",
    summary: `${where} come from the addresses of their nodes, so everything on those nodes is let in with them (widened here)`,
    detail: "The pod network is masqueraded (podNetwork): nothing else is seen outside.",
  };
  return { addresses, gaps: [gap] };
}
