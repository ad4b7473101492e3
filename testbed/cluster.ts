/** A real Kubernetes control plane for one test, with the identities Firebreak uses. Pods and nodes: pods.ts, nodes.ts. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubeconfigText, startControlPlane, type ControlPlane } from "./control-plane.ts";
import { kubeApi, type KubeApi, type KubeObject } from "./kube-api.ts";
import type { Device } from "./netns.ts";
import type { TestNode } from "./nodes.ts";
import type { TestPod } from "./pods.ts";
import type { Run } from "./run.ts";

/** Where a cluster's nodes are linked: the router namespace of a world. */
export interface ClusterNetwork {
  readonly router: string;
  /** A device name that is free in the router. */
  readonly device: Device;
}

export interface ClusterOptions {
  readonly run: Run;
  readonly name: string;
  /** Where the API server listens (default 127.0.0.1); a cluster with packets needs an address its nodes can reach. */
  readonly address?: string;
  /** Addresses of its pods; node k (from 1) gets the k-th /24 of it. Default 10.244.0.0/16. */
  readonly podRange?: string;
  /** Addresses of its nodes, a /24. Default 172.31.0.0/24. */
  readonly nodeRange?: string;
  /** Absent: nodes and pods are API objects only. */
  readonly network?: ClusterNetwork;
  /** Why there is no `network`, where one was wanted. */
  readonly withoutPackets?: string;
  readonly signal?: AbortSignal | undefined;
  /** Progress of a first build. */
  readonly log?: (line: string) => void;
}

/** A running cluster. */
export interface TestCluster extends AsyncDisposable {
  readonly run: Run;
  readonly name: string;
  /** The context in both kubeconfigs: the cluster's name. */
  readonly context: string;
  /** https://ADDRESS:PORT, verified with `caFile`. */
  readonly server: string;
  readonly caFile: string;
  readonly kubeconfig: string;
  /** The same with a token that may only get, list and watch: what drift is given. */
  readonly readerKubeconfig: string;
  readonly adminToken: string;
  readonly readerToken: string;
  readonly podRange: string;
  readonly nodeRange: string;
  readonly hasControllerManager: boolean;
  /** Calls as admin. */
  readonly api: KubeApi;
  readonly network: ClusterNetwork | undefined;
  /** Why nodes and pods are API objects only, although packets were wanted; undefined when they have packets or none were wanted. */
  readonly withoutPackets: string | undefined;
  /** What nodes.ts and pods.ts made and did not remove: nodes by name, pods by `namespace/name`. */
  readonly nodes: Map<string, TestNode>;
  readonly pods: Map<string, TestPod>;
  /** UID of namespace kube-system: the cluster's identity. */
  uid(): Promise<string>;
  stopApiServer(): Promise<void>;
  startApiServer(signal?: AbortSignal): Promise<void>;
  restartApiServer(signal?: AbortSignal): Promise<void>;
  /** See {@link ControlPlane}. */
  pauseApiServer(paused: boolean): void;
  stop(): Promise<void>;
}

const READER = "firebreak-reader";

/** Boots a cluster: control plane, tokens, kubeconfigs. About 5 s alone on two cores, once built. */
export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const { run, name, address = "127.0.0.1", signal } = options;
  const adminToken = randomBytes(16).toString("hex");
  const readerToken = randomBytes(16).toString("hex");
  const tokens = [
    { token: adminToken, user: "firebreak-admin", group: "system:masters" },
    { token: readerToken, user: READER },
  ];
  const plane = await startControlPlane({ ...options, address, tokens, adminToken, signal });
  const { server, caFile } = plane;
  const api = kubeApi({ server, ca: readFileSync(caFile, "utf8"), token: adminToken });
  await allowReading(api);
  const write = (file: string, token: string): string => {
    const path = join(run.makeFolder(`cluster-${name}`), file);
    writeFileSync(path, kubeconfigText([{ name, server, caFile, token }]), { mode: 0o600 });
    return path;
  };
  const stop = async (): Promise<void> => {
    await api[Symbol.asyncDispose]();
    await plane.stop();
  };
  run.defer(stop);
  return {
    run,
    name,
    context: name,
    server,
    caFile,
    kubeconfig: write("kubeconfig", adminToken),
    readerKubeconfig: write("reader.kubeconfig", readerToken),
    adminToken,
    readerToken,
    podRange: options.podRange ?? "10.244.0.0/16",
    nodeRange: options.nodeRange ?? "172.31.0.0/24",
    hasControllerManager: plane.hasControllerManager,
    api,
    network: options.network,
    withoutPackets: options.withoutPackets,
    nodes: new Map(),
    pods: new Map(),
    uid: () => readUid(api),
    stopApiServer: () => plane.stopApiServer(),
    startApiServer: (until) => plane.startApiServer(until),
    pauseApiServer: (paused) => plane.pauseApiServer(paused),
    restartApiServer: (until) => restart(plane, until),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Creates a namespace, or sets its labels to exactly these. */
export async function createNamespace(
  cluster: TestCluster,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<KubeObject> {
  return await cluster.api.put("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
}

async function restart(plane: ControlPlane, signal?: AbortSignal): Promise<void> {
  await plane.stopApiServer();
  await plane.startApiServer(signal);
}

async function readUid(api: KubeApi): Promise<string> {
  const { metadata } = await api.get("/api/v1/namespaces/kube-system");
  if (metadata.uid === undefined) throw new Error("namespace kube-system has no UID");
  return metadata.uid;
}

async function allowReading(api: KubeApi): Promise<void> {
  const group = "rbac.authorization.k8s.io";
  await api.put(`/apis/${group}/v1/clusterroles`, {
    apiVersion: `${group}/v1`,
    kind: "ClusterRole",
    metadata: { name: READER },
    rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] }],
  });
  await api.put(`/apis/${group}/v1/clusterrolebindings`, {
    apiVersion: `${group}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: READER },
    roleRef: { apiGroup: group, kind: "ClusterRole", name: READER },
    subjects: [{ apiGroup: group, kind: "User", name: READER }],
  });
}
