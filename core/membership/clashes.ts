import {
  count,
  emptySet,
  formatSet,
  fromAddresses,
  fromAddressTexts,
  fromPrefixes,
  intersect,
  isEmpty,
  parseAddress,
  subtract,
  union,
  unionAll,
} from "../address/index.ts";
import type { Address, AddressSet } from "../address/index.ts";
import type { Cluster, Definitions, TargetId } from "../model/kinds.ts";
import { listTargets, type Target } from "../model/target.ts";
import type { ClusterInventory, Pod } from "./inventory.ts";
import { compareText } from "./order.ts";
import { podAddresses } from "./pod-addresses.ts";

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
  readonly contested: AddressSet;
}

/** Addresses that a cluster has now. */
export interface LiveAddresses {
  /** Its nodes', and its pods' where the pod network is routed. */
  readonly own: AddressSet;
  readonly nodes: AddressSet;
  /** Of pods, claimed by two of them or by a node, too: whose they are cannot be told. Empty where pod addresses are not seen outside. */
  readonly contested: AddressSet;
}

/** What a cluster claims by the workloads it has now; hostNetwork pods have their node's addresses. */
export function liveAddresses(cluster: Cluster, inventory: ClusterInventory): LiveAddresses {
  const steps = readLiveAddresses(cluster, inventory);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Pods that are read in one step: some 3 ms. */
const STEP = 2_000;

/** As `liveAddresses`, in steps: a cluster may have 100,000 pods, and others want their turn. */
export function* readLiveAddresses(cluster: Cluster, inventory: ClusterInventory): Generator<void, LiveAddresses, void> {
  const nodes = fromAddressTexts(inventory.nodes.flatMap((node) => node.addresses)).set;
  if (cluster.podNetwork === "masqueraded") return { own: nodes, nodes, contested: emptySet };
  const holder = new Map<number | bigint, Pod>();
  const twice: Address[] = [];
  const sums: AddressSet[] = [];
  for (let at = 0; at < inventory.pods.length; at += STEP) {
    const claims = podClaims(cluster, inventory.pods.slice(at, at + STEP), holder);
    twice.push(...claims.twice);
    sums.push(fromAddresses(claims.all));
    yield;
    // Sets of like size are put together, so that each is gone through a few times and not once for every step.
    for (let step = at / STEP + 1; step % 2 === 0; step /= 2) yield* joinLast(sums);
  }
  while (sums.length > 1) yield* joinLast(sums);
  const pods = sums[0] ?? emptySet;
  return { own: union(nodes, pods), nodes, contested: union(fromAddresses(twice), intersect(pods, nodes)) };
}

function* joinLast(sums: AddressSet[]): Generator<void, void, void> {
  sums.push(unionAll(sums.splice(-2)));
  yield;
}

/**
 * Every address clash between targets, learnt live: routed pod addresses and ranges, node and host addresses must not overlap. The
 * caller freezes those addresses (`freezeAddresses`) and reports a finding; a host that is a node is not written.
 *
 * @param live by target id; a cluster without an entry claims only its pod ranges
 */
export function findAddressClashes(definitions: Definitions, live: ReadonlyMap<TargetId, LiveAddresses>): readonly AddressClash[] {
  const targets = listTargets(definitions);
  const hosts = targets.flatMap((target) => (target.kind === "host" ? [hostClaim(target)] : []));
  const clusters = targets.flatMap((target) => (target.kind === "cluster" ? [clusterClaim(target, live.get(target.id))] : []));
  // Clusters are big and hosts are many: each cluster is held against all hosts at once, and against each only where that finds something.
  const allHosts = unionAll(hosts.map(({ own }) => own));
  const hostsOverlap = count(allHosts) < hosts.reduce((sum, { own }) => sum + count(own), 0n);
  const clashes = [
    ...(hostsOverlap ? pairsOf(hosts) : []),
    ...pairsOf(clusters),
    ...clusters
      .filter(({ own, reserved }) => !isEmpty(intersect(allHosts, own)) || !isEmpty(intersect(allHosts, reserved)))
      .flatMap((cluster) => hosts.map((host) => [cluster, host] as const)),
  ].flatMap(([a, b]) => compareClaims(a, b));
  clashes.push(...clusters.flatMap(withinCluster));
  return clashes.sort((a, b) => compareText(a.targets.join(), b.targets.join()) || compareText(a.kind, b.kind));
}

/** All clashing addresses in one set, for `freezeAddresses`; those of hosts that nodes claim, too: a node's status is its root's word. */
export function clashingAddresses(clashes: readonly AddressClash[]): AddressSet {
  return unionAll(clashes.map((clash) => clash.addresses));
}

function withinCluster({ target, contested }: Claim): readonly AddressClash[] {
  if (isEmpty(contested)) return [];
  const summary = `in ${target} ${formatSet(contested)} belongs to two pods, or to a pod and a node: such an address joins no further set and leaves none`;
  return [{ kind: "address-clash", targets: [target, target], addresses: contested, summary }];
}

/**
 * Addresses that pods say they have, and those that two of them do. Each text is read once: there may be 100,000.
 *
 * @param holder who has each address by now
 */
function podClaims(
  cluster: Cluster,
  pods: readonly Pod[],
  holder: Map<number | bigint, Pod>,
): { readonly all: readonly Address[]; readonly twice: readonly Address[] } {
  const all: Address[] = [];
  const twice: Address[] = [];
  for (const pod of pods) {
    if (pod.hostNetwork) continue;
    for (const text of podAddresses(cluster, pod)) {
      const parsed = parseAddress(text);
      if (!("ok" in parsed)) continue;
      const other = holder.get(parsed.ok.value);
      if (other === undefined) {
        holder.set(parsed.ok.value, pod);
        all.push(parsed.ok);
      } else if (other !== pod) twice.push(parsed.ok);
    }
  }
  return { all, twice };
}

function hostClaim({ id, host }: Extract<Target, { kind: "host" }>): Claim {
  return { target: id, own: fromAddressTexts(host.addresses).set, reserved: emptySet, nodes: emptySet, contested: emptySet };
}

function clusterClaim({ id, cluster }: Extract<Target, { kind: "cluster" }>, live: LiveAddresses | undefined): Claim {
  const { own, nodes, contested } = live ?? { own: emptySet, nodes: emptySet, contested: emptySet };
  return {
    target: id,
    own,
    reserved: cluster.podNetwork === "routed" ? fromPrefixes(cluster.podRanges) : emptySet,
    nodes,
    contested,
  };
}

function pairsOf(claims: readonly Claim[]): readonly (readonly [Claim, Claim])[] {
  return claims.flatMap((a, index) => claims.slice(index + 1).map((b) => [a, b] as const));
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
