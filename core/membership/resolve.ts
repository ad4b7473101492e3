import { emptySet, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Cluster, Definitions, Direction, External, Host, HostFleet, Member, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { matches } from "../selector/index.ts";
import type { Labels } from "../selector/index.ts";
import type { Service } from "./inventory.ts";
import { NAMESPACE_NAME_LABEL } from "./select.ts";
import { findService, hasSelector, serviceKey } from "./services.ts";
import { MAX_SUBJECTS, subtractSubjects } from "./subject.ts";
import type { Subject } from "./subject.ts";

/**
 * Who is in a segment: members, nested segments expanded, `not` taken away like for like (labels leave out pods and hosts, addresses
 * leave out addresses).
 *
 * Where labels cannot tell who is left out (`not` takes too many alternatives, or names a service that no labels stand for), two
 * answers are given: who is in it for certain, as peers and ends of rules, and who may be, as those whom it isolates. Closed on doubt
 * means few in the one and many in the other. `noteSegment` says so to the author.
 */

/** A member that is one thing by itself. */
export type PlainMember = Exclude<Member, { kind: "segments" }>;

/** What to answer where it cannot be said: `out` for peers and ends of rules, `in` for whom a segment isolates. */
export type Doubt = "out" | "in";

/** Why labels cannot tell who is left out of a segment. */
export type Problem =
  | { readonly kind: "too-many" }
  /** `not` names a service that is not there, or that has no selector. */
  | { readonly kind: "unknown-service"; readonly service: string };

/** The pods of a segment as labels: certain ⊆ truth ⊆ possible; the same list where there is no problem. */
export interface ResolvedSubjects {
  readonly certain: readonly Subject[];
  readonly possible: readonly Subject[];
  readonly problem: Problem | undefined;
}

/** Pods of a cluster that a segment holds, as labels. Empty: none that labels can tell. */
export function subjectsIn(
  definitions: Definitions,
  segment: Segment,
  cluster: Cluster,
  services: readonly Service[],
  doubt: Doubt = "out",
): readonly Subject[] {
  const { certain, possible } = resolveSubjects(definitions, segment, cluster, services);
  return doubt === "out" ? certain : possible;
}

/** As {@link subjectsIn}, both answers and the reason. Answers are kept for as long as their questions live. */
export function resolveSubjects(
  definitions: Definitions,
  segment: Segment,
  cluster: Cluster,
  services: readonly Service[],
): ResolvedSubjects {
  const known = cacheOf(definitions, services);
  const key = `${cluster.name} ${segment.name}`;
  const before = known.get(key);
  if (before?.segment === segment && before.cluster === cluster) return before.resolved;
  const resolved = resolve(definitions, segment, cluster, services);
  known.set(key, { segment, cluster, resolved });
  return resolved;
}

/** True when a pod with these labels, in a namespace with these (its name label among them), is in the segment. */
export function isPodIn(
  definitions: Definitions,
  segment: Segment,
  cluster: Cluster,
  services: readonly Service[],
  labels: Labels,
  namespaceLabels: Labels,
  doubt: Doubt = "out",
): boolean {
  return subjectsIn(definitions, segment, cluster, services, doubt).some(
    ({ pods, namespaces }) => matches(namespaces, namespaceLabels) && matches(pods, labels),
  );
}

/** What cannot be said of a segment, for its author: an error, for what is left out is decided by guesswork otherwise. */
export function noteProblem(where: string, segment: Segment, problem: Problem): Note {
  const at = segment.not[0]?.at ?? segment.at;
  if (problem.kind === "too-many") {
    return {
      severity: "error",
      code: "not-inexpressible",
      at,
      summary: `${where}: not takes more than ${MAX_SUBJECTS} label selectors to say, so whoever may be left out is no peer here, and is isolated`,
      detail: "Give what is left out one label of its own and name that in not, instead of many labels or many members.",
    };
  }
  return {
    severity: "error",
    code: "not-inexpressible",
    at,
    summary: `${where}: not names service ${problem.service}, which no labels stand for here, so whoever may be left out is no peer here, and is isolated`,
    detail: "Leave its pods out by labels (pods and namespaces), or bound the member with clusters to where the service is.",
  };
}

/** True unless `not` certainly leaves a pod with these labels in the segment. */
export function isLeftOut(
  definitions: Definitions,
  segment: Segment,
  cluster: Cluster,
  services: readonly Service[],
  labels: Labels,
  namespaceLabels: Labels,
): boolean {
  return segment.not.some((member) => {
    const { possible, unbounded } = leftOutBy(definitions, member, cluster, services);
    return (
      unbounded !== undefined ||
      possible.some((subject) => matches(subject.namespaces, namespaceLabels) && matches(subject.pods, labels))
    );
  });
}

/** True when this host of this fleet is in the segment. */
export function isHostIn(definitions: Definitions, segment: Segment, fleet: HostFleet, host: Host): boolean {
  return isIn(definitions, segment, (member) => {
    if (member.kind !== "hosts") return false;
    return (member.fleets === undefined || matches(member.fleets, fleet.labels)) && matches(member.hosts, host.labels);
  });
}

/** True when the segment chooses this external by its labels. Which addresses are left of it is said by {@link peerAddresses}. */
export function isExternalIn(definitions: Definitions, segment: Segment, external: External): boolean {
  return isIn(definitions, segment, (member) => member.kind === "externals" && matches(member.externals, external.labels));
}

/** Addresses of the segment that Git says: externals and addresses, without those that `not` takes away. */
export function peerAddresses(definitions: Definitions, segment: Segment): AddressSet {
  const members = gitAddresses(definitions, segment.members);
  return segment.not.length === 0 ? members : subtract(members, gitAddresses(definitions, segment.not));
}

/** Sides of this cluster's boundary that are in the segment, sorted. */
export function boundariesIn(definitions: Definitions, segment: Segment, cluster: Cluster): readonly Direction[] {
  return (["egress", "ingress"] as const).filter((side) =>
    isIn(
      definitions,
      segment,
      (member) => member.kind === "boundary" && member.side === side && choosesCluster(member.clusters, cluster),
    ),
  );
}

/** True when the selector of a member chooses this cluster; without one it is every cluster. */
export function choosesCluster(clusters: Extract<Member, { kind: "pods" }>["clusters"], cluster: Cluster): boolean {
  return clusters === undefined || matches(clusters, cluster.labels);
}

/**
 * The name under which a membership holds the part of a segment whose pods have these label values: `SEGMENT?KEY=VALUE&…`, keys
 * sorted. For `same`, where a rule counts between equal values only.
 */
export function cellKey(segment: string, values: Labels): string {
  const pairs = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${segment}?${pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join("&")}`;
}

/** Every member of a segment, those of nested segments instead of them; what their `not` says is not looked at. */
export function flatMembers(definitions: Definitions, members: readonly Member[]): readonly PlainMember[] {
  return members.flatMap((member) =>
    member.kind === "segments"
      ? member.segments.flatMap((name) => flatMembers(definitions, segmentNamed(definitions, name).members))
      : [member],
  );
}

/** Everything that decides about a segment: its members and who is left out, and the same of nested segments instead of them. */
export function decidingMembers(definitions: Definitions, { members, not }: Segment): readonly PlainMember[] {
  return [...members, ...not].flatMap((member) =>
    member.kind === "segments"
      ? member.segments.flatMap((name) => decidingMembers(definitions, segmentNamed(definitions, name)))
      : [member],
  );
}

/** The segment of that name. @throws FirebreakError DEFINITION_INVALID: an unknown segment is an error, never an empty one */
export function segmentNamed(definitions: Definitions, name: string): Segment {
  const segment = definitions.segments.get(name);
  if (segment === undefined) throw new FirebreakError("DEFINITION_INVALID", `look for the unknown segment ${name}`);
  return segment;
}

/** True when a member holds for it and nothing of `not` does, nested segments included. */
function isIn(definitions: Definitions, segment: Segment, holds: (member: PlainMember) => boolean): boolean {
  const anyOf = (members: readonly Member[]): boolean =>
    members.some((member) =>
      member.kind === "segments"
        ? member.segments.some((name) => isIn(definitions, segmentNamed(definitions, name), holds))
        : holds(member),
    );
  return anyOf(segment.members) && !anyOf(segment.not);
}

function gitAddresses(definitions: Definitions, members: readonly Member[]): AddressSet {
  const sets = members.flatMap((member): readonly AddressSet[] => {
    switch (member.kind) {
      case "addresses":
        return [member.addresses];
      case "externals":
        return [...definitions.externals.values()]
          .filter((external) => matches(member.externals, external.labels))
          .map(({ addresses }) => addresses);
      case "segments":
        return member.segments.map((name) => peerAddresses(definitions, segmentNamed(definitions, name)));
      default:
        return [];
    }
  });
  return sets.length === 1 ? (sets[0] ?? emptySet) : unionAll(sets);
}

interface Cached {
  readonly segment: Segment;
  readonly cluster: Cluster;
  readonly resolved: ResolvedSubjects;
}

const caches = new WeakMap<Definitions, WeakMap<readonly Service[], Map<string, Cached>>>();

function cacheOf(definitions: Definitions, services: readonly Service[]): Map<string, Cached> {
  const byServices = caches.get(definitions) ?? new WeakMap<readonly Service[], Map<string, Cached>>();
  caches.set(definitions, byServices);
  const cache = byServices.get(services) ?? new Map<string, Cached>();
  byServices.set(services, cache);
  return cache;
}

function resolve(definitions: Definitions, segment: Segment, cluster: Cluster, services: readonly Service[]): ResolvedSubjects {
  const chosen = segment.members.map((member) => chosenBy(definitions, member, cluster, services));
  const certain = chosen.flatMap((part) => part.certain);
  const possible = chosen.flatMap((part) => part.possible);
  const problem = chosen.find((part) => part.problem !== undefined)?.problem;
  const isNobody = possible.length === 0 && problem === undefined;
  if (segment.not.length === 0 || isNobody) return { certain, possible, problem };
  const left = segment.not.map((member) => leftOutBy(definitions, member, cluster, services));
  const unbounded = left.find((part) => part.unbounded !== undefined)?.unbounded;
  const doubt = unbounded ?? problem ?? left.find((part) => part.problem !== undefined)?.problem;
  const most = subtractSubjects(
    possible,
    left.flatMap((part) => part.certain),
  );
  const least =
    doubt === undefined
      ? most
      : subtractSubjects(
          certain,
          left.flatMap((part) => part.possible),
        );
  const isTooMany = most === "too many" || least === "too many";
  return {
    certain: unbounded !== undefined || least === "too many" ? [] : least,
    possible: most === "too many" ? possible : most,
    problem: doubt ?? (isTooMany ? { kind: "too-many" } : undefined),
  };
}

/** What a member adds. A service that is not there, or whose pods no labels tell, adds nothing. */
function chosenBy(definitions: Definitions, member: Member, cluster: Cluster, services: readonly Service[]): ResolvedSubjects {
  if (member.kind !== "segments") return exactly(plainSubjects(member, cluster, services) ?? []);
  const nested = member.segments.map((name) => resolveSubjects(definitions, segmentNamed(definitions, name), cluster, services));
  return {
    certain: nested.flatMap((part) => part.certain),
    possible: nested.flatMap((part) => part.possible),
    problem: nested.find((part) => part.problem !== undefined)?.problem,
  };
}

/** What a member of `not` takes away. `unbounded`: more than `possible` may be meant, so that nobody is in for certain. */
interface LeftOut extends ResolvedSubjects {
  readonly unbounded: Problem | undefined;
}

function leftOutBy(definitions: Definitions, member: Member, cluster: Cluster, services: readonly Service[]): LeftOut {
  const unbounded = unknownService(definitions, member, cluster, services);
  if (member.kind === "segments") return { ...chosenBy(definitions, member, cluster, services), unbounded };
  return { ...exactly(plainSubjects(member, cluster, services) ?? []), unbounded };
}

/** The first service that a member names, nested segments included, and that no labels stand for in this cluster. */
function unknownService(
  definitions: Definitions,
  member: Member,
  cluster: Cluster,
  services: readonly Service[],
): Problem | undefined {
  if (member.kind === "segments") {
    for (const name of member.segments) {
      for (const inner of segmentNamed(definitions, name).members) {
        const problem = unknownService(definitions, inner, cluster, services);
        if (problem !== undefined) return problem;
      }
    }
    return undefined;
  }
  if (member.kind !== "service" || plainSubjects(member, cluster, services) !== undefined) return undefined;
  return { kind: "unknown-service", service: serviceKey(member.service) };
}

function exactly(subjects: readonly Subject[]): ResolvedSubjects {
  return { certain: subjects, possible: subjects, problem: undefined };
}

/** Pods that one member selects by labels; undefined for a service that is not there or has no selector. */
export function plainSubjects(member: PlainMember, cluster: Cluster, services: readonly Service[]): readonly Subject[] | undefined {
  if (member.kind === "pods") {
    return choosesCluster(member.clusters, cluster) ? [{ pods: member.pods, namespaces: member.namespaces }] : [];
  }
  if (member.kind !== "service" || !choosesCluster(member.clusters, cluster)) return [];
  const { namespace, name } = member.service;
  const service = findService(services, namespace, name);
  if (service === undefined || !hasSelector(service)) return undefined;
  return [{ pods: { matchLabels: service.selector }, namespaces: { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } } }];
}
