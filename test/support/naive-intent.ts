import { emptySet, internetSet, intersect, isEmpty, subtract, unionAll } from "../../core/address/index.ts";
import type { AddressSet } from "../../core/address/index.ts";
import type { Protocol } from "../../core/address/ports.ts";
import type { Estate, Workload } from "../../core/estate/estate.ts";
import type { Definitions, Direction, Member, Rule, Segment } from "../../core/model/kinds.ts";
import type { Party } from "../../core/reach/source.ts";
import { matches } from "../../core/selector/index.ts";

/**
 * A second reading of definitions, written to be obvious and slow: one connection at a time, straight from the words of the design.
 * Not read: services, boundaries and what is open without a rule; the worlds of its tests have none.
 */
export interface NaiveQuestion {
  readonly definitions: Definitions;
  readonly estate: Estate;
  readonly as: "approved" | "enforceable";
  readonly direction: Direction;
  readonly subject: Workload;
  readonly peer: Party;
  readonly protocol: Protocol;
  /** For ICMP, `type * 256 + code`. */
  readonly port: number;
}

/** `open` and `unmanaged` let everything through. */
export function naiveEnd(question: NaiveQuestion): { readonly mode: string; readonly allowed: boolean } {
  const { definitions, estate, direction, subject, peer } = question;
  const mode = modeOf(definitions, direction, subject);
  if (mode === "unmanaged" || mode === "open") return { mode, allowed: true };
  if (peer.kind === "workload" && peer.workload.id === subject.id) return { mode, allowed: true };
  if (!sharesFamily(question)) return { mode, allowed: false };
  const rules = [...definitions.policies.values()].flatMap((policy) => policy.rules);
  return { mode, allowed: rules.some((rule) => concerns(definitions, rule, question) && passes(estate, rule, question)) };
}

function modeOf(definitions: Definitions, direction: Direction, subject: Workload): string {
  if (!isGoverned(definitions, subject)) return "unmanaged";
  const modes = [...definitions.segments.values()]
    .filter((segment) => isMember(definitions, segment, subject))
    .map(({ isolate }) => isolate[direction]);
  if (modes.includes("enforce")) return "enforced";
  return modes.includes("observe") ? "observed" : "open";
}

function isGoverned(definitions: Definitions, subject: Workload): boolean {
  if (subject.kind === "external" || subject.hostNetwork) return false;
  if (subject.kind === "host")
    return [...definitions.fleets.values()].find(({ name }) => subject.id.startsWith(`host/${name}/`))?.mode === "apply";
  const cluster = [...definitions.clusters.values()].find(({ name }) => subject.target === `cluster/${name}`);
  return (
    cluster !== undefined &&
    cluster.mode === "apply" &&
    cluster.enforcer !== "none" &&
    matches(cluster.governs, subject.namespaceLabels)
  );
}

/** By identity: labels of pods and hosts. */
function isMember(definitions: Definitions, segment: Segment, workload: Workload): boolean {
  const isChosen = (member: Member): boolean => {
    if (member.kind === "segments")
      return member.segments.some((name) => isMember(definitions, definitions.segments.get(name) as Segment, workload));
    if (member.kind === "pods") {
      const cluster = [...definitions.clusters.values()].find(({ name }) => workload.target === `cluster/${name}`);
      const isHere = cluster !== undefined && (member.clusters === undefined || matches(member.clusters, cluster.labels));
      return (
        isHere &&
        !workload.hostNetwork &&
        matches(member.pods, workload.labels) &&
        matches(member.namespaces, workload.namespaceLabels)
      );
    }
    return member.kind === "hosts" && workload.kind === "host" && matches(member.hosts, workload.labels);
  };
  return segment.members.some(isChosen) && !segment.not.some(isChosen);
}

/** Addresses that Git says; externals only those with these labels. */
function addressesOf(definitions: Definitions, segment: Segment, isAlike: (labels: Workload["labels"]) => boolean): AddressSet {
  const of = (members: readonly Member[]): AddressSet =>
    unionAll(
      members.flatMap((member): readonly AddressSet[] => {
        if (member.kind === "addresses") return [member.addresses];
        if (member.kind === "segments")
          return member.segments.map((name) => addressesOf(definitions, definitions.segments.get(name) as Segment, isAlike));
        if (member.kind !== "externals") return [];
        const chosen = [...definitions.externals.values()].filter(
          ({ labels }) => matches(member.externals, labels) && isAlike(labels),
        );
        return chosen.map(({ addresses }) => addresses);
      }),
    );
  return subtract(of(segment.members), segment.not.length === 0 ? emptySet : of(segment.not));
}

function concerns(definitions: Definitions, rule: Rule, { direction, subject }: NaiveQuestion): boolean {
  const ends = direction === "ingress" ? rule.to : rule.from;
  return ends.some(
    (name) => name === "any" || (name !== "internet" && isMember(definitions, definitions.segments.get(name) as Segment, subject)),
  );
}

function passes(estate: Estate, rule: Rule, question: NaiveQuestion): boolean {
  const { definitions, direction, subject } = question;
  const names = direction === "ingress" ? rule.from : rule.to;
  const isPeer = names.some((name) => {
    if (name === "any") return true;
    if (name === "internet") return overlaps(seenAs(question), internetSet(definitions.workspace.internal));
    return isNamed(estate, definitions.segments.get(name) as Segment, rule.same, question);
  });
  const hasValues = rule.same.every((key) => subject.labels[key] !== undefined);
  return isPeer && hasValues && isPort(rule, question);
}

function isNamed(estate: Estate, segment: Segment, same: readonly string[], question: NaiveQuestion): boolean {
  const { definitions, subject, peer, as, direction } = question;
  const isAlike = (labels: Workload["labels"]): boolean =>
    same.every((key) => labels[key] !== undefined && labels[key] === subject.labels[key]);
  const isLocal = isInOneCluster(question);
  const isMeant = (workload: Workload): boolean => isMember(definitions, segment, workload) && isAlike(workload.labels);
  if (overlaps(seenAs(question), addressesOf(definitions, segment, isAlike))) return true;
  if ((as === "approved" || isLocal) && peer.kind === "workload" && isMeant(peer.workload)) return true;
  if (as === "approved") return false;
  // From elsewhere: whoever shows an address that a meant workload of another target shows. A masqueraded pod cannot be asked.
  const others = estate.workloads.filter(
    (workload) => (workload.target !== subject.target || workload.kind === "host") && isMeant(workload),
  );
  const known = others.filter((workload) => direction === "ingress" || !isMasqueraded(definitions, workload));
  return overlaps(seenAs(question), unionAll(known.map(({ shown }) => shown)));
}

function isMasqueraded(definitions: Definitions, workload: Workload): boolean {
  return [...definitions.clusters.values()].some(
    ({ name, podNetwork }) => workload.target === `cluster/${name}` && podNetwork === "masqueraded",
  );
}

function isInOneCluster({ subject, peer }: NaiveQuestion): boolean {
  return subject.kind === "pod" && peer.kind === "workload" && peer.workload.target === subject.target;
}

/** Addresses of the peer that the subject can talk with: of its own families; of both while it has no address. */
function seenAs(question: NaiveQuestion): AddressSet {
  const { v4, v6 } = question.subject.addresses;
  const peer = addressesOfPeer(question);
  const isOpen = v4.length + v6.length === 0;
  return { v4: isOpen || v4.length > 0 ? peer.v4 : [], v6: isOpen || v6.length > 0 ? peer.v6 : [] };
}

function addressesOfPeer(question: NaiveQuestion): AddressSet {
  const { peer, direction } = question;
  if (peer.kind === "addresses") return peer.addresses;
  return direction === "egress" || isInOneCluster(question) ? peer.workload.addresses : peer.workload.shown;
}

function sharesFamily(question: NaiveQuestion): boolean {
  const { v4, v6 } = question.subject.addresses;
  const peer = addressesOfPeer(question);
  if (v4.length + v6.length === 0 || peer.v4.length + peer.v6.length === 0) return true;
  return (v4.length > 0 && peer.v4.length > 0) || (v6.length > 0 && peer.v6.length > 0);
}

function isPort(rule: Rule, question: NaiveQuestion): boolean {
  const { as, subject, direction, peer, protocol, port } = question;
  if (rule.ports === "any") return true;
  const responder = direction === "ingress" ? subject : peer.kind === "workload" ? peer.workload : undefined;
  const isResolved = as === "approved" || (subject.kind === "pod" && (direction === "ingress" || isInOneCluster(question)));
  const names = responder === undefined || responder.hostNetwork ? [] : responder.ports; // a node has no named ports
  return rule.ports.some((one) => {
    if (one.protocol !== protocol) return false;
    if (one.kind === "range") return one.from <= port && port <= one.to;
    if (one.kind === "named")
      return isResolved && names.some((own) => own.name === one.name && own.protocol === one.protocol && own.port === port);
    if (as === "enforceable" && subject.kind === "pod") return false;
    return one.type === undefined || (one.type === port >> 8 && (one.code === undefined || one.code === port % 256));
  });
}

function overlaps(a: AddressSet, b: AddressSet): boolean {
  return !isEmpty(intersect(a, b));
}
