import {
  emptySet,
  formatSet,
  fromAddressTexts,
  fromPrefixes,
  intersect,
  isEmpty,
  subtract,
  union,
  unionAll,
} from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import { listTargets } from "../model/target.ts";
import type { ClusterInventory } from "./inventory.ts";
import { compareText } from "./order.ts";

/** Addresses that two targets claim: they are no identity for either. */
export interface AddressClash {
  /** address-clash: neither may be told from the other · host-is-a-node: a host of a fleet is a node of a cluster. */
  readonly kind: "address-clash" | "host-is-a-node";
  /** Sorted by id for a clash; host, then cluster for a node. */
  readonly targets: readonly [TargetId, TargetId];
  readonly addresses: AddressSet;
  /** One line for people. */
  readonly summary: string;
}

/** What one target claims: `own` is what its workloads have now, `reserved` what it may give them (pod ranges). */
interface Claim {
  readonly target: TargetId;
  readonly own: AddressSet;
  readonly reserved: AddressSet;
  readonly nodes: AddressSet;
}

/**
 * Every address clash between targets, learnt live: routed pod addresses and ranges, node and host addresses must not overlap. The
 * caller freezes those addresses (`freezeAddresses`) and reports a finding; a host that is a node is not written.
 *
 * @param inventories by target id; a cluster without one claims only its pod ranges
 */
export function findAddressClashes(
  definitions: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
): readonly AddressClash[] {
  const claims = listClaims(definitions, inventories);
  const clashes: AddressClash[] = [];
  claims.forEach((a, index) => {
    for (const b of claims.slice(index + 1)) clashes.push(...compareClaims(a, b));
  });
  return clashes.sort((a, b) => compareText(a.targets.join(), b.targets.join()) || compareText(a.kind, b.kind));
}

/** All clashing addresses in one set, for `freezeAddresses`. */
export function clashingAddresses(clashes: readonly AddressClash[]): AddressSet {
  return unionAll(clashes.filter((clash) => clash.kind === "address-clash").map((clash) => clash.addresses));
}

function listClaims(definitions: Definitions, inventories: ReadonlyMap<TargetId, ClusterInventory>): readonly Claim[] {
  return listTargets(definitions).map((target): Claim => {
    if (target.kind === "host") {
      return { target: target.id, own: fromAddressTexts(target.host.addresses).set, reserved: emptySet, nodes: emptySet };
    }
    const inventory = inventories.get(target.id);
    const nodes = fromAddressTexts((inventory?.nodes ?? []).flatMap((node) => node.addresses)).set;
    if (target.cluster.podNetwork === "masqueraded") return { target: target.id, own: nodes, reserved: emptySet, nodes };
    const pods = (inventory?.pods ?? []).filter((pod) => !pod.hostNetwork).flatMap((pod) => pod.addresses);
    return {
      target: target.id,
      own: union(nodes, fromAddressTexts(pods).set),
      reserved: fromPrefixes(target.cluster.podRanges),
      nodes,
    };
  });
}

function compareClaims(a: Claim, b: Claim): readonly AddressClash[] {
  const shared = unionAll([intersect(a.own, b.own), intersect(a.own, b.reserved), intersect(a.reserved, b.own)]);
  if (isEmpty(shared)) return [];
  const [host, cluster] = a.target.startsWith("host/") ? [a, b] : [b, a];
  const onNodes =
    host.target.startsWith("host/") && !cluster.target.startsWith("host/") ? intersect(host.own, cluster.nodes) : emptySet;
  const clashing = subtract(shared, onNodes);
  const clashes: AddressClash[] = [];
  if (!isEmpty(onNodes)) {
    clashes.push({
      kind: "host-is-a-node",
      targets: [host.target, cluster.target],
      addresses: onNodes,
      summary: `${host.target} is a node of ${cluster.target} (${formatSet(onNodes)}): it is not written`,
    });
  }
  if (!isEmpty(clashing)) {
    const targets = [a.target, b.target].sort(compareText) as [TargetId, TargetId]; // two in, two out
    clashes.push({
      kind: "address-clash",
      targets,
      addresses: clashing,
      summary: `${targets.join(" and ")} both have ${formatSet(clashing)}: such an address joins no further set and leaves none`,
    });
  }
  return clashes;
}
