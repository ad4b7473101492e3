/** Pods of a test cluster: API objects with a running status and, in a world, a network namespace each. No kubelet runs. */
import type { Port } from "./agent/protocol.ts";
import { parsePort } from "./agent/protocol.ts";
import type { TestCluster } from "./cluster.ts";
import type { KubeObject } from "./kube-api.ts";
import { GATEWAY, createNetns, linkLeaf, removeNetns } from "./netns.ts";
import type { TestNode } from "./nodes.ts";
import { listenOn, place, type Place } from "./probe.ts";

export interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: the first node. */
  readonly node?: string;
  /** Where it listens (and echoes), as "8443/tcp"; also its containerPorts. */
  readonly ports?: readonly string[];
  /** The pod is its node: the node's address and namespace. */
  readonly hostNetwork?: boolean;
  /** An address of its own choice (a recycled one, say); default the next free one of its node. */
  readonly ip?: string;
  /** False: an API object without a namespace, also in a world (thousands of pods for a benchmark). */
  readonly packets?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A pod. */
export interface TestPod extends Place {
  readonly namespace: string | undefined;
  /** Kubernetes namespace (`namespace` is the network namespace). */
  readonly kubeNamespace: string;
  readonly name: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: PodOptions;
}

/** Creates a pod that is Running and Ready; its namespace and listeners are there before the API server knows of it. */
export async function createPod(cluster: TestCluster, options: PodOptions): Promise<TestPod> {
  const node = nodeOf(cluster, options.node);
  const ports = (options.ports ?? []).map(parsePort);
  const at = await makePlace(cluster, node, options);
  const pod: TestPod = {
    ...at,
    kubeNamespace: options.namespace,
    name: options.name,
    node: node.name,
    labels: options.labels ?? {},
    options,
  };
  cluster.pods.set(keyOf(pod), pod);
  if (at.namespace !== undefined) await listenOn(at, ports);
  await cluster.api.call("POST", `/api/v1/namespaces/${options.namespace}/pods`, podObject(pod, ports));
  await setPodPhase(cluster, pod, "Running");
  return pod;
}

/** Writes a pod's status: phase, address, readiness. */
export async function setPodPhase(
  cluster: TestCluster,
  pod: TestPod,
  phase: "Pending" | "Running" | "Succeeded" | "Failed",
): Promise<void> {
  const ready = phase === "Running" ? "True" : "False";
  const hostIP = nodeOf(cluster, pod.node).address;
  const address =
    phase === "Pending" ? {} : { podIP: pod.address, podIPs: [{ ip: pod.address }], hostIP, hostIPs: [{ ip: hostIP }] };
  const conditions = ["Ready", "ContainersReady", "PodScheduled", "Initialized"].map((type) => ({ type, status: ready }));
  await cluster.api.call("PATCH", `${pathOf(pod)}/status`, { status: { phase, ...address, conditions } });
}

/** Replaces a pod's labels. */
export async function relabelPod(cluster: TestCluster, pod: TestPod, labels: Readonly<Record<string, string>>): Promise<TestPod> {
  const gone = Object.fromEntries(Object.keys(pod.labels).map((key) => [key, null]));
  await cluster.api.call("PATCH", pathOf(pod), { metadata: { labels: { ...gone, ...labels } } });
  const relabelled = { ...pod, labels, options: { ...pod.options, labels } };
  cluster.pods.set(keyOf(pod), relabelled);
  return relabelled;
}

/** Deletes a pod at once (no grace period) and its namespace with it. */
export async function deletePod(cluster: TestCluster, pod: TestPod): Promise<void> {
  await cluster.api.remove(pathOf(pod));
  cluster.pods.delete(keyOf(pod));
  if (pod.namespace === undefined || pod.options.hostNetwork === true) return;
  await removeNetns(pod.namespace);
}

/** Deletes a pod and creates it again on another node, with another address: what a rescheduling looks like. */
export async function movePod(
  cluster: TestCluster,
  pod: TestPod,
  { node, ip }: { readonly node: string; readonly ip?: string },
): Promise<TestPod> {
  await deletePod(cluster, pod);
  const { ip: _, ...rest } = pod.options;
  return await createPod(cluster, { ...rest, node, ...(ip === undefined ? {} : { ip }) });
}

/** Creates a Service that selects pods by label. */
export async function createService(
  cluster: TestCluster,
  {
    namespace,
    name,
    selector,
    ports,
    clusterIP,
  }: { namespace: string; name: string; selector: Record<string, string>; ports: readonly string[]; clusterIP?: string },
): Promise<KubeObject> {
  const list = ports
    .map(parsePort)
    .map(({ port, protocol }) => ({ name: `${protocol}-${port}`, port, protocol: protocol.toUpperCase() }));
  return await cluster.api.put(`/api/v1/namespaces/${namespace}/services`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector, ports: list, ...(clusterIP === undefined ? {} : { clusterIP }) },
  });
}

function nodeOf(cluster: TestCluster, name: string | undefined): TestNode {
  const node = name === undefined ? cluster.nodes.values().next().value : cluster.nodes.get(name);
  if (node === undefined) throw new Error(`cluster ${cluster.name} has no node ${name ?? "at all"}: createNode first`);
  return node;
}

async function makePlace(cluster: TestCluster, node: TestNode, options: PodOptions): Promise<Place> {
  const { run } = cluster;
  const label = `${cluster.name}/${options.namespace}/${options.name}`;
  if (options.hostNetwork === true) return { ...node, label };
  const address = options.ip ?? node.nextAddress();
  const hasPackets = node.namespace !== undefined && options.packets !== false;
  if (!hasPackets || node.namespace === undefined) return place(run, { label, address, namespace: undefined, isReal: false });
  const namespace = `${run.id}-${cluster.name}-${options.namespace}-${options.name}`;
  await createNetns(namespace, { signal: options.signal });
  await linkLeaf({ namespace, router: node.namespace, device: node.device(), address, gateway: GATEWAY.node }, options.signal);
  return place(run, { label, address, namespace, isReal: true });
}

function podObject(pod: TestPod, ports: readonly Port[]): KubeObject {
  const containerPorts = ports.map(({ port, protocol }) => ({ containerPort: port, protocol: protocol.toUpperCase() }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod.name, namespace: pod.kubeNamespace, labels: pod.labels },
    spec: {
      nodeName: pod.node,
      hostNetwork: pod.options.hostNetwork ?? false,
      containers: [{ name: "main", image: "testbed.invalid/none", ports: containerPorts }],
    },
  };
}

function keyOf(pod: TestPod): string {
  return `${pod.kubeNamespace}/${pod.name}`;
}

function pathOf(pod: TestPod): string {
  return `/api/v1/namespaces/${pod.kubeNamespace}/pods/${pod.name}`;
}
