/** Nodes of a test cluster: an API object and, in a world, a network namespace that forwards for its pods. */
import type { TestCluster } from "./cluster.ts";
import { GATEWAY, createNetns, devices, linkLeaf, type Device } from "./netns.ts";
import { place, type Place } from "./probe.ts";

/** A node. As a place it is where hostNetwork pods listen. */
export interface TestNode extends Place {
  readonly name: string;
  /** Range of its pods' addresses, a /24. */
  readonly podRange: string;
  /** Device names for its pods. */
  readonly device: Device;
  /** The next address for a pod: never one that a pod had before (pass `ip` to recycle one). */
  readonly nextAddress: () => string;
}

export interface NodeOptions {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Creates node number k (in order of creation, from 1): address .(10+k) of the node range, the k-th /24 of the pod range. */
export async function createNode(cluster: TestCluster, { name, labels = {}, signal }: NodeOptions): Promise<TestNode> {
  const k = cluster.nodes.size + 1;
  const address = within(cluster.nodeRange, 10 + k);
  const podRange = `${within(cluster.podRange, 256 * k)}/24`;
  const { network, run } = cluster;
  const namespace = network === undefined ? undefined : `${run.id}-${cluster.name}-${name}`;
  const at = place(run, { label: `${cluster.name}/${name}`, address, namespace, isReal: namespace !== undefined });
  const node: TestNode = { ...at, name, podRange, device: devices("p"), nextAddress: addresses(podRange) };
  cluster.nodes.set(name, node);
  if (network !== undefined && namespace !== undefined) {
    await createNetns(namespace, { router: true, signal });
    await linkLeaf(
      { namespace, router: network.router, device: network.device(), address, gateway: GATEWAY.router, behind: [podRange] },
      signal,
    );
  }
  await cluster.api.put("/api/v1/nodes", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: { podCIDR: podRange, podCIDRs: [podRange] },
  });
  await cluster.api.call("PATCH", `/api/v1/nodes/${name}/status`, {
    status: {
      addresses: [
        { type: "InternalIP", address },
        { type: "Hostname", address: name },
      ],
      conditions: [{ type: "Ready", status: "True", reason: "TestBed", message: "no kubelet runs" }],
    },
  });
  return node;
}

/** Addresses from .10 up. */
function addresses(podRange: string): () => string {
  let n = 9;
  return () => {
    n += 1;
    if (n > 254) throw new Error(`${podRange} is used up: give the pod an address (ip), or add a node`);
    return within(podRange, n);
  };
}

/** The n-th address of an IPv4 range: within("10.244.0.0/16", 256) is 10.244.1.0. */
export function within(range: string, n: number): string {
  const base = (range.split("/")[0] ?? "").split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
  const value = base + n;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}
