import { contains, fromPrefixes, parseAddress } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster } from "../model/kinds.ts";
import type { ClusterInventory, Pod } from "./inventory.ts";

/**
 * Addresses of a pod that are believed: those within the cluster's `podRanges`, where the definition gives any. What a pod's status says
 * beyond them may be anybody's address.
 */
export function podAddresses(cluster: Cluster, pod: Pick<Pod, "addresses">): readonly string[] {
  const ranges = rangesOf(cluster);
  if (ranges === undefined || pod.addresses.every((address) => isWithin(ranges, address))) return pod.addresses;
  return pod.addresses.filter((address) => isWithin(ranges, address));
}

/** Addresses of pods that are outside the declared ranges, each with whose it is: `NAMESPACE/POD ADDRESS`. At most `limit`, and how many in all. */
export function addressesOutside(
  cluster: Cluster,
  pods: readonly Pod[],
  limit = 5,
): { readonly named: readonly string[]; readonly count: number } {
  const named: string[] = [];
  let count = 0;
  for (const pod of pods) {
    if (pod.hostNetwork) continue;
    const believed = podAddresses(cluster, pod);
    if (believed.length === pod.addresses.length) continue;
    count += 1;
    const address = pod.addresses.find((one) => !believed.includes(one));
    if (named.length < limit) named.push(`${pod.namespace}/${pod.name} ${address}`);
  }
  return { named, count };
}

/** Who in a cluster says that one of these addresses is his: `pod NAMESPACE/NAME` and `node NAME`, at most `limit`. */
export function claimants(
  cluster: Cluster,
  { pods, nodes }: Pick<ClusterInventory, "pods" | "nodes">,
  addresses: AddressSet,
  limit = 6,
): readonly string[] {
  const found: string[] = [];
  const isClaimed = (texts: readonly string[]): boolean =>
    texts.some((text) => {
      const parsed = parseAddress(text);
      return "ok" in parsed && contains(addresses, parsed.ok);
    });
  for (const node of nodes) if (found.length < limit && isClaimed(node.addresses)) found.push(`node ${node.name}`);
  for (const pod of pods) {
    if (found.length >= limit) break;
    if (!pod.hostNetwork && isClaimed(podAddresses(cluster, pod))) found.push(`pod ${pod.namespace}/${pod.name}`);
  }
  return found;
}

/** What cannot be read is no address; whoever makes a set of it says so. */
function isWithin(ranges: AddressSet, text: string): boolean {
  const parsed = parseAddress(text);
  return !("ok" in parsed) || contains(ranges, parsed.ok);
}

const known = new WeakMap<Cluster, AddressSet>();

function rangesOf(cluster: Cluster): AddressSet | undefined {
  if (cluster.podRanges.length === 0) return undefined;
  const ranges = known.get(cluster) ?? fromPrefixes(cluster.podRanges);
  known.set(cluster, ranges);
  return ranges;
}
