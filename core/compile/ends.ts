import { emptySet, fromAddressTexts, internetSet, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Memberships } from "../membership/membership.ts";
import { appliesToCluster, hostsOf } from "../membership/select.ts";
import type { PodsMember } from "../membership/select.ts";
import { FirebreakError } from "../model/error.ts";
import type { Cluster, Definitions, Rule, Segment } from "../model/kinds.ts";
import type { Note, Position } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import { matches } from "../selector/index.ts";

/** Which part of a connection the peer plays: initiators are who may come in, responders are who may be reached. */
export type Part = "initiator" | "responder";

/** The other end of a rule, seen from one target. */
export type PeerEnd =
  | { readonly kind: "any" }
  | {
      readonly kind: "some";
      /** Pods of the cluster that it is compiled for; always empty for a host. */
      readonly pods: readonly PodsMember[];
      readonly addresses: AddressSet;
      /** What about these peers cannot be said here, as the rest of a sentence. */
      readonly gaps: readonly PeerGap[];
    };

/** Why a part of a segment is missing at this target. */
export interface PeerGap {
  readonly code: "unenforceable-here" | "not-fed";
  readonly summary: string;
  readonly detail: string;
}

/** Resolves rule ends for one target, each segment once. */
export interface PeerResolver {
  resolve(names: readonly string[], part: Part): PeerEnd;
}

/**
 * A resolver for a cluster (its own pods stay labels) or a host (`local` absent: everything becomes addresses).
 *
 * A cluster that never fed has no addresses here, so it is closed, and that is told. The pods of a masqueraded cluster cannot be
 * reached from outside by an address of their own: as responders nothing is rendered for them.
 */
export function peerResolver(definitions: Definitions, memberships: Memberships, local: Cluster | undefined): PeerResolver {
  const internet = internetSet(definitions.workspace.internal);
  const cache = new Map<string, Exclude<PeerEnd, { kind: "any" }>>();
  const resolveOne = (name: string, part: Part): Exclude<PeerEnd, { kind: "any" }> => {
    const key = `${part} ${name}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const end = resolveSegment(definitions, memberships, local, segmentNamed(definitions, name), part);
    cache.set(key, end);
    return end;
  };
  return {
    resolve(names, part) {
      if (names.includes("any")) return { kind: "any" };
      const ends = names.filter((name) => name !== "internet").map((name) => resolveOne(name, part));
      const addresses = ends.map((end) => end.addresses);
      if (names.includes("internet")) addresses.push(internet);
      return {
        kind: "some",
        pods: ends.flatMap((end) => end.pods),
        addresses: addresses.length === 1 ? (addresses[0] ?? emptySet) : unionAll(addresses),
        gaps: ends.flatMap((end) => end.gaps),
      };
    },
  };
}

/** The segment of that name. Throws DEFINITION_INVALID: an unknown segment is an error, never an empty one. */
export function segmentNamed(definitions: Definitions, name: string): Segment {
  const segment = definitions.segments.get(name);
  if (segment === undefined)
    throw new FirebreakError("DEFINITION_INVALID", `compile a rule that names the unknown segment ${name}`);
  return segment;
}

/** A gap as a note at the rule that has it. */
export function gapNote(gap: PeerGap, rule: Rule): Note {
  return { severity: "warning", code: gap.code, at: rule.at, summary: `rule ${rule.id}: ${gap.summary}`, detail: gap.detail };
}

/** The note for a rule that has no peer left at a target, and is therefore not rendered there. */
export function noPeerNote(rule: Rule, names: readonly string[], target: string, at: Position): Note {
  return {
    severity: "info",
    code: "matches-nothing",
    at,
    summary: `rule ${rule.id}: ${names.join(", ")} matches no address that ${target} can see now`,
    detail: "The rule is left out there until it does; it never becomes a rule for anyone.",
  };
}

function resolveSegment(
  definitions: Definitions,
  memberships: Memberships,
  local: Cluster | undefined,
  segment: Segment,
  part: Part,
): Exclude<PeerEnd, { kind: "any" }> {
  const pods: PodsMember[] = [];
  const sets: AddressSet[] = [];
  const remote = new Set<Cluster>();
  for (const member of segment.members) {
    switch (member.kind) {
      case "pods":
        for (const cluster of definitions.clusters.values()) {
          if (!appliesToCluster(member, cluster)) continue;
          if (cluster.name === local?.name) pods.push(member);
          else remote.add(cluster);
        }
        break;
      case "hosts":
        sets.push(fromAddressTexts(hostsOf(definitions, member).flatMap((host) => host.addresses)).set);
        break;
      case "externals":
        for (const external of definitions.externals.values()) {
          if (matches(member.externals, external.labels)) sets.push(external.addresses);
        }
        break;
      case "addresses":
        sets.push(member.addresses);
        break;
      default:
        member satisfies never;
    }
  }
  const gaps: PeerGap[] = [];
  for (const cluster of remote) {
    const shown = remoteAddresses(memberships, segment, cluster, part);
    if ("code" in shown) gaps.push(shown);
    else sets.push(shown);
  }
  return { kind: "some", pods, addresses: unionAll(sets), gaps };
}

function remoteAddresses(memberships: Memberships, segment: Segment, cluster: Cluster, part: Part): AddressSet | PeerGap {
  if (part === "responder" && cluster.podNetwork === "masqueraded") {
    return {
      code: "unenforceable-here",
      summary: `pods of ${segment.name} in cluster ${cluster.name} have no address outside it, unenforceable here: use a boundary`,
      detail:
        "The pod network is masqueraded (podNetwork). Nothing is rendered for them; name the addresses where they are published.",
    };
  }
  const membership = memberships.get(clusterTargetId(cluster.name));
  if (membership !== undefined) return membership.segments.get(segment.name) ?? emptySet;
  return {
    code: "not-fed",
    summary: `the pods of ${segment.name} in cluster ${cluster.name} are not known yet, so they are closed here`,
    detail: "That cluster has not reported its pods to this installation. They are added as soon as it does.",
  };
}
