import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import type { Verdict } from "../../../core/verdict/verdict.ts";
import { files } from "../manifest/files.ts";

/**
 * What Kubernetes leads to a pod, asked of plain manifests: policies hold at the pod and at the port that its process listens on, whatever
 * address and port was asked for (Service docs; kube-proxy translates before policies look).
 */
const OPEN_PORT = 8080;
const CLIENT = "10.244.0.9";
const NODE = "192.168.0.1";
const OTHER_NODE = "192.168.0.2";

interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: string;
    readonly hostPort?: number;
  }[];
}

const pod = (containers: readonly Container[], initContainers: readonly Container[] = []) => {
  const withImages = (list: readonly Container[]) => list.map((one) => ({ image: "i", ...one }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "db", namespace: "shop", labels: { app: "db" } },
    spec: {
      nodeName: "n1",
      containers: withImages(containers),
      ...(initContainers.length === 0 ? {} : { initContainers: withImages(initContainers) }),
    },
    status: { podIP: "10.244.0.5", podIPs: [{ ip: "10.244.0.5" }], hostIP: NODE, phase: "Running" },
  };
};

const client = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "client", namespace: "shop", labels: { app: "client" } },
  spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }] },
  status: { podIP: CLIENT, podIPs: [{ ip: CLIENT }], hostIP: NODE, phase: "Running" },
};

const node = (name: string, address: string) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name },
  status: { addresses: [{ type: "InternalIP", address }] },
});

/** The database may be reached at one port, from everybody. */
const policy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "db", namespace: "shop" },
  spec: { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"], ingress: [{ ports: [{ port: OPEN_PORT }] }] },
};

const service = (spec: object) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "db", namespace: "shop" },
  spec: { clusterIP: "10.96.0.7", selector: { app: "db" }, ...spec },
});

function ask(objects: readonly object[], to: string, port: number): Verdict {
  const all = [client, node("n1", NODE), node("n2", OTHER_NODE), policy, ...objects];
  const { manifests } = readManifests(files({ "a.json": all }));
  if (manifests === undefined) throw new Error("the manifests are not read");
  return evaluator(manifests.world).verdict({ kind: "address", address: CLIENT }, { kind: "address", address: to }, port, "tcp");
}

const sql = (containerPort: number, protocol?: string) => ({
  name: "sql",
  containerPort,
  ...(protocol === undefined ? {} : { protocol }),
});
const byName = service({ ports: [{ port: 80, targetPort: "sql" }] });

// FindPort in kubernetes pkg/api/v1/pod: containers in their order, then init containers that always restart; name and protocol both.
describe("a Service's target port by name is the first of that name and protocol", () => {
  test.each<[string, readonly Container[], readonly Container[], boolean]>([
    [
      "in the order of containers, and not of numbers",
      [
        { name: "a", ports: [sql(9090)] },
        { name: "b", ports: [sql(8080)] },
      ],
      [],
      false,
    ],
    [
      "the other way round",
      [
        { name: "a", ports: [sql(8080)] },
        { name: "b", ports: [sql(9090)] },
      ],
      [],
      true,
    ],
    [
      "containers before sidecars",
      [{ name: "a", ports: [sql(8080)] }],
      [{ name: "s", restartPolicy: "Always", ports: [sql(9090)] }],
      true,
    ],
    ["sidecars before nothing", [{ name: "a" }], [{ name: "s", restartPolicy: "Always", ports: [sql(8080)] }], true],
    [
      "another protocol's is passed over",
      [
        { name: "a", ports: [sql(9090, "UDP")] },
        { name: "b", ports: [sql(8080)] },
      ],
      [],
      true,
    ],
  ])("%s", (_, containers, sidecars, allowed) => {
    expect(ask([pod(containers, sidecars), byName], "10.96.0.7", 80)).toMatchObject({ allowed, uncertain: [] });
  });

  test("an init container that ends is none: nothing answers", () => {
    const answer = ask([pod([{ name: "a" }], [{ name: "i", ports: [sql(8080)] }]), byName], "10.96.0.7", 80);
    expect(answer.uncertain).toEqual([expect.stringContaining("no pod answers behind Service shop/db")]);
  });
});

// Bug: such a probe is answered for the node or for nobody ("no policy selects it"): open, though the pod is closed.
describe("what leads to a pod is judged at the pod, and at its port", () => {
  const listens = (containerPort: number, hostPort?: number) =>
    pod([{ name: "a", ports: [{ containerPort, ...(hostPort === undefined ? {} : { hostPort }) }] }]);
  const nodePort = (targetPort: number, more: object = {}) =>
    service({ type: "NodePort", ports: [{ port: 80, targetPort, nodePort: 30_432 }], ...more });
  const external = (targetPort: number) => service({ externalIPs: ["203.0.113.7"], ports: [{ port: 80, targetPort }] });
  test.each<[string, readonly object[], string, number, boolean]>([
    ["a cluster IP, open", [listens(8080), service({ ports: [{ port: 80, targetPort: 8080 }] })], "10.96.0.7", 80, true],
    ["a cluster IP, closed", [listens(5432), service({ ports: [{ port: 8080, targetPort: 5432 }] })], "10.96.0.7", 8080, false],
    [
      "a cluster IP without target port: the port itself",
      [listens(8080), service({ ports: [{ port: 8080 }] })],
      "10.96.0.7",
      8080,
      true,
    ],
    ["a node port, closed", [listens(5432), nodePort(5432)], NODE, 30_432, false],
    ["a node port of another node, closed", [listens(5432), nodePort(5432)], OTHER_NODE, 30_432, false],
    ["a load balancer's node port, closed", [listens(5432), nodePort(5432, { type: "LoadBalancer" })], NODE, 30_432, false],
    ["a host port, closed", [listens(5432, 15_432)], NODE, 15_432, false],
    ["an external IP, closed", [listens(5432), external(5432)], "203.0.113.7", 80, false],
    ["the pod itself, closed", [listens(5432)], "10.244.0.5", 5432, false],
    ["the pod itself, open", [listens(8080)], "10.244.0.5", 8080, true],
  ])("%s", (_, objects, to, port, allowed) => {
    expect(ask(objects, to, port).allowed).toBe(allowed);
  });

  test.each([
    ["a node port, open", [listens(8080), nodePort(8080)], NODE, 30_432],
    ["a host port, open", [listens(8080, 15_432)], NODE, 15_432],
  ] as const)("%s", (_, objects, to, port) => {
    expect(ask(objects, to, port).allowed).toBe(true);
  });

  // The source may be a node's address by then: nothing that a rule opens for the pod is surely open.
  test("an external IP that a rule opens is closed, and uncertain", () => {
    expect(ask([listens(8080), external(8080)], "203.0.113.7", 80)).toMatchObject({
      allowed: false,
      why: [{ reason: "rule" }, {}],
      uncertain: [expect.stringContaining("a node's address as its source")],
    });
  });

  test("a host port of a pod on another node is none", () => {
    expect(JSON.stringify(ask([listens(5432, 15_432)], OTHER_NODE, 15_432))).not.toContain("shop/db");
  });
});

// Bug: a Service without a selector leads nowhere, or anywhere, although its EndpointSlices say where.
describe("a Service without a selector leads to what its EndpointSlices or Endpoints hold", () => {
  const bare = service({ selector: undefined, ports: [{ port: 80, targetPort: 1 }] });
  const slice = (address: string, port: number, more: object = {}) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "db-1", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address] }],
    ports: [{ port, name: "", protocol: "TCP" }],
    ...more,
  });
  const endpoints = (ip: string, port: number) => ({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "db", namespace: "shop" },
    subsets: [{ addresses: [{ ip }], ports: [{ port }] }],
  });
  const there = pod([{ name: "a" }]);
  test.each<[string, readonly object[], boolean]>([
    ["a pod's address, open port", [there, bare, slice("10.244.0.5", 8080)], true],
    ["a pod's address, closed port", [there, bare, slice("10.244.0.5", 5432)], false],
    ["Endpoints, closed port", [there, bare, endpoints("10.244.0.5", 5432)], false],
    ["an address that no pod has", [there, bare, slice("198.51.100.7", 5432)], true],
  ])("%s", (_, objects, allowed) => {
    expect(ask(objects, "10.96.0.7", 80)).toMatchObject({ allowed, uncertain: [] });
  });

  test("another Service's slices are not its own, and without any nobody knows", () => {
    const other = slice("10.244.0.5", 8080, {
      metadata: { name: "x", namespace: "shop", labels: { "kubernetes.io/service-name": "other" } },
    });
    for (const more of [[], [other]])
      expect(ask([there, bare, ...more], "10.96.0.7", 80).uncertain).toEqual([expect.stringContaining("has no selector")]);
  });
});
