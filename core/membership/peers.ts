import { emptySet, fromAddressTexts, isEmpty, subtract, union, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster, Definitions, Member, Segment, TargetId } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";
import { matches } from "../selector/index.ts";
import { ingressControllers, listedBoundary } from "./boundary.ts";
import type { Platform, Service } from "./inventory.ts";
import { boundaryKey, endpointsKey, type Memberships } from "./membership.ts";
import { boundariesIn, choosesCluster, segmentNamed, subjectsIn } from "./resolve.ts";
import { findService, hasSelector } from "./services.ts";
import type { Subject } from "./subject.ts";

/** Peers of a segment that are addresses by nature, seen from one target. Its hosts, and pods of other clusters, are not among them. */
export interface AddressPeers {
  readonly addresses: AddressSet;
  /** Clusters whose boundary or endpoints are asked for and not known yet, sorted: that part is closed. */
  readonly unknown: readonly TargetId[];
}

/** The cluster that is compiled for, with its own services. */
export interface LocalCluster {
  readonly cluster: Cluster;
  readonly services: readonly Service[];
  readonly platform?: Platform | undefined;
}

/**
 * Externals, addresses, cluster boundaries, and what stands behind services without a selector; without what `not` takes away. Where
 * `not` names a boundary that is not known, nothing is left: what should be left out cannot be told from the rest.
 *
 * @param memberships with the local cluster's own when a boundary of it is asked for (`relevantMemberships` adds it)
 */
export function addressPeers(
  definitions: Definitions,
  segment: Segment,
  memberships: Memberships,
  local: LocalCluster | undefined,
): AddressPeers {
  const chosen = peersOf(definitions, segment.members, memberships, local);
  if (segment.not.length === 0 || isEmpty(chosen.addresses)) return chosen;
  const out = peersOf(definitions, segment.not, memberships, local);
  return {
    addresses: out.unknown.length > 0 ? emptySet : subtract(chosen.addresses, out.addresses),
    unknown: [...new Set([...chosen.unknown, ...out.unknown])].sort(),
  };
}

/** Pods of a cluster as peers in that cluster: the segment's, and the ingress controllers where its ingress boundary is in the segment. */
export function podPeers(
  definitions: Definitions,
  segment: Segment,
  { cluster, services, platform }: LocalCluster,
): readonly Subject[] {
  const own = subjectsIn(definitions, segment, cluster, services);
  const isBoundary = boundariesIn(definitions, segment, cluster).includes("ingress");
  return isBoundary ? [...own, ...ingressControllers(cluster, platform)] : own;
}

function peersOf(
  definitions: Definitions,
  members: readonly Member[],
  memberships: Memberships,
  local: LocalCluster | undefined,
): AddressPeers {
  const sets: AddressSet[] = [];
  const unknown = new Set<TargetId>();
  for (const member of members) {
    switch (member.kind) {
      case "addresses":
        sets.push(member.addresses);
        break;
      case "externals":
        for (const external of definitions.externals.values())
          if (matches(member.externals, external.labels)) sets.push(external.addresses);
        break;
      case "boundary":
      case "service":
        for (const cluster of definitions.clusters.values()) {
          if (!choosesCluster(member.clusters, cluster)) continue;
          const set = ofCluster(member, cluster, memberships, local);
          if (set === undefined) unknown.add(clusterTargetId(cluster.name));
          else sets.push(set);
        }
        break;
      case "segments":
        for (const name of member.segments) {
          const nested = addressPeers(definitions, segmentNamed(definitions, name), memberships, local);
          sets.push(nested.addresses);
          for (const id of nested.unknown) unknown.add(id);
        }
        break;
      case "pods":
      case "hosts":
        break;
      default:
        member satisfies never;
    }
  }
  return { addresses: sets.length === 1 ? (sets[0] ?? emptySet) : unionAll(sets), unknown: [...unknown].sort() };
}

/** In its own cluster a service's endpoints are known from the service itself, those that are pods among them. */
function ofCluster(
  member: Extract<Member, { kind: "boundary" | "service" }>,
  cluster: Cluster,
  memberships: Memberships,
  local: LocalCluster | undefined,
): AddressSet | undefined {
  if (member.kind === "service" && cluster.name === local?.cluster.name) {
    const service = findService(local.services, member.service.namespace, member.service.name);
    if (service === undefined || hasSelector(service)) return emptySet;
    return fromAddressTexts((service.endpoints ?? []).map(({ address }) => address)).set;
  }
  const membership = memberships.get(clusterTargetId(cluster.name));
  if (membership === undefined) return undefined;
  // A service with a selector, or none of that name, has no entry; a boundary that is asked for always has one.
  if (member.kind === "service") return membership.segments.get(endpointsKey(member.service)) ?? emptySet;
  const learnt = membership.segments.get(boundaryKey(member.side));
  return learnt === undefined ? undefined : union(learnt, listedBoundary(cluster, member.side));
}
