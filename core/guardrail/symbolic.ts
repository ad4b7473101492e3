import { anyV4, anyV6, firstAddress, formatAddress, fromAddresses, fromPrefixes, intersect, subtract } from "../address/index.ts";
import type { ClusterInventory, Namespace, Pod, PodPort, Service } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import { choosesCluster, isPodIn } from "../membership/resolve.ts";
import { NAMESPACE_NAME_LABEL, namespaceLabels } from "../membership/select.ts";
import type { Cluster, Definitions, Member, Segment, TargetId } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";
import { conjunction, matches, type LabelSelector, type Labels } from "../selector/index.ts";
import { symbolicPorts } from "./symbolic-ports.ts";
import { labelVariants, sameKeysOf, valuesOf, variantsOf } from "./witness-labels.ts";

/**
 * Made-up workloads, so that a repository can be checked where no cluster can be asked: for each cluster, each segment and each of its
 * members one pod that the member selects (one for each value where a selector lists several, or where `same` compares the label), a
 * node, and one pod that is in nothing. Hosts and externals are in Git and need no making up.
 *
 * What this cannot show: a pod whose labels put it in two segments at once, unless one segment's labels already do (`overlaps.ts`); and the
 * numbers behind named ports, for which others stand (`symbolic-ports.ts`). An inventory shows both.
 */
export interface Symbolic {
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  /** What could not be made up, each a sentence. */
  readonly gaps: readonly string[];
}

/** Made-up inventories of all clusters. The same definitions give the same ones. */
export function symbolicInventories(definitions: Definitions): Symbolic {
  const gaps = new Set<string>();
  const clusters = [...definitions.clusters.values()];
  const ports = symbolicPorts(definitions);
  const inventories = clusters.map(
    (cluster, index) => [clusterTargetId(cluster.name), makeUp(definitions, cluster, index, ports, gaps)] as const,
  );
  const named = [...definitions.policies.values()].flatMap(({ rules }) =>
    rules.filter(({ ports }) => ports !== "any" && ports.some(({ kind }) => kind === "named")),
  );
  const [first] = named;
  if (first !== undefined) {
    gaps.add(
      `the numbers behind named ports are not known (${first.id}${named.length > 1 ? ` and ${named.length - 1} more` : ""}): ${ports.map(({ name, protocol, port }) => `${name}/${protocol} is shown as ${port}`).join(", ")}`,
    );
  }
  return { inventories: new Map(inventories), gaps: [...gaps] };
}

/** Where made-up nodes are: TEST-NET-1 (RFC 5737), which nobody has. */
const NODE_NETWORK = "192.0.2";

function makeUp(
  definitions: Definitions,
  cluster: Cluster,
  index: number,
  ports: readonly PodPort[],
  gaps: Set<string>,
): ClusterInventory {
  const namespaces = new Namespaces(cluster);
  const node = `${NODE_NETWORK}.${(index % 254) + 1}`;
  const services = [...servicesOf(definitions, cluster), apiServer(node)];
  const nextAddress = addressesOf(cluster);
  const pods: Pod[] = [];
  const add = (namespace: string, name: string, owner: string, labels: Labels): void => {
    const count = pods.filter(
      (pod) => pod.namespace === namespace && (pod.name === name || pod.name.startsWith(`${name}-`)),
    ).length;
    const unique = count === 0 ? name : `${name}-${count + 1}`;
    const uid = `${cluster.name}/${namespace}/${unique}`;
    pods.push({ uid, namespace, name: unique, labels, addresses: nextAddress(), node: NODE, hostNetwork: false, owner, ports });
  };
  for (const segment of definitions.segments.values()) {
    const made = segment.members.flatMap((member) => podsOf(definitions, cluster, segment, member, namespaces, services));
    for (const { namespace, labels } of made) add(namespace, segment.name, `Segment/${segment.name}`, labels);
    const wanted = segment.members.some(
      (member) => (member.kind === "pods" || member.kind === "service") && choosesCluster(member.clusters, cluster),
    );
    if (wanted && made.length === 0)
      gaps.add(`no workload of segment ${segment.name} could be made up for cluster ${cluster.name}`);
  }
  add(namespaces.find({}, "elsewhere") ?? "elsewhere", "unlisted", "Segment/none", {});
  const nodes = [{ name: NODE, addresses: [node] }];
  const target = clusterTargetId(cluster.name);
  return {
    kind: "cluster",
    target,
    uid: `symbolic-${cluster.name}`,
    complete: true,
    namespaces: namespaces.list(),
    pods,
    nodes,
    services,
    webhooks: [],
  };
}

const NODE = "node";

/** Pods that one member selects, and that nothing of `not` takes away. */
function podsOf(
  definitions: Definitions,
  cluster: Cluster,
  segment: Segment,
  member: Member,
  namespaces: Namespaces,
  services: readonly Service[],
): readonly { readonly namespace: string; readonly labels: Labels }[] {
  if (member.kind !== "pods" && member.kind !== "service") return [];
  if (!choosesCluster(member.clusters, cluster)) return [];
  const pods: LabelSelector = member.kind === "pods" ? member.pods : { matchLabels: serviceLabel(member.service.name) };
  const inNamespaces: LabelSelector =
    member.kind === "pods" ? member.namespaces : { matchLabels: { [NAMESPACE_NAME_LABEL]: member.service.namespace } };
  return variantsOf(inNamespaces).flatMap((wanted) => {
    const namespace = namespaces.find(wanted, segment.name);
    if (namespace === undefined) return [];
    return labelVariants(pods, sameKeysOf(definitions), valuesOf(definitions))
      .filter((labels) => isPodIn(definitions, segment, cluster, services, labels, namespaces.labels(namespace), "in"))
      .map((labels) => ({ namespace, labels }));
  });
}

function serviceLabel(name: string): Labels {
  return { "firebreak.dev/service": name };
}

/** The API server, on the made-up node: where `needs: [apiserver]` leads. */
function apiServer(node: string): Service {
  const ports = [{ protocol: "TCP", port: 6443 }];
  const at = { namespace: "default", name: "kubernetes", selector: {}, clusterIps: [] };
  return { ...at, endpoints: [{ address: node, ports }], ports: [{ protocol: "TCP", port: 443, targetPort: 6443 }] };
}

/** Services that segments name, each with a selector of its own. */
function servicesOf({ segments }: Definitions, cluster: Cluster): readonly Service[] {
  const named = new Map<string, Service>();
  for (const { members } of segments.values()) {
    for (const member of members) {
      if (member.kind !== "service" || !choosesCluster(member.clusters, cluster)) continue;
      const { namespace, name } = member.service;
      named.set(`${namespace}/${name}`, { namespace, name, selector: serviceLabel(name), clusterIps: [], ports: [] });
    }
  }
  return [...named.values()];
}

/** One address of each family of the cluster's ranges, one after the other, the network's own left out; none when there are no ranges. */
function addressesOf({ podRanges }: Cluster): () => readonly string[] {
  const all = fromPrefixes(podRanges);
  const takes = [anyV4, anyV6].map((family) => {
    let left = intersect(all, family);
    return (): readonly string[] => {
      const first = firstAddress(left);
      if (first === undefined) return [];
      left = subtract(left, fromAddresses([first]));
      return [formatAddress(first)];
    };
  });
  const next = (): readonly string[] => takes.flatMap((take) => take());
  next();
  return next;
}

/** Made-up namespaces, as few as will do, governed wherever the selector allows. */
class Namespaces {
  readonly #cluster: Cluster;
  readonly #labels = new Map<string, Labels>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** A namespace that the selector chooses; undefined when there can be none beside those that are there. */
  find(selector: LabelSelector, fallback: string): string | undefined {
    const governed = conjunction(selector, this.#cluster.governs);
    const [wanted = {}] = labelVariants(governed === "none" ? selector : governed, [], new Map());
    const name = wanted[NAMESPACE_NAME_LABEL] ?? this.#nameFor(wanted, fallback);
    const labels = { ...this.#labels.get(name), ...wanted };
    if (!matches(selector, namespaceLabels({ name, labels }))) return undefined;
    this.#labels.set(name, labels);
    return name;
  }

  labels(name: string): Labels {
    return namespaceLabels({ name, labels: this.#labels.get(name) ?? {} });
  }

  list(): readonly Namespace[] {
    return [...this.#labels].map(([name, labels]) => ({ name, labels })).sort((a, b) => compareText(a.name, b.name));
  }

  /** The namespace that was made for these labels, or a new one named after their values. */
  #nameFor(wanted: Labels, fallback: string): string {
    const same = [...this.#labels].find(([, labels]) => isSame(labels, wanted));
    if (same !== undefined) return same[0];
    const values = Object.values(wanted).filter((value) => value !== "");
    const name = values.length === 0 ? fallback : values.join("-");
    return this.#labels.has(name) ? `${name}-${this.#labels.size}` : name;
  }
}

function isSame(a: Labels, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
