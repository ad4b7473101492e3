/** What is kept of objects, and what that costs. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { trimNamespace, trimNode, trimPod, trimPolicy } from "../../../adapters/kubernetes/trim.ts";
import { trimApiService, trimService, trimSlice, trimWebhooks, withEndpoints } from "../../../adapters/kubernetes/trim-service.ts";

/** A pod as an API server sends it: about 6 kB with what webhooks, the scheduler and the kubelet add. */
function podText(index: number): string {
  const name = `order-input-6c9f7d8b54-${index.toString(36).padStart(5, "0")}`;
  const container = (part: string) => ({
    name: part,
    image: `registry.test/shop/${part}:1.2.3`,
    env: Array.from({ length: 12 }, (_, n) => ({ name: `SETTING_${n}`, value: `value-${n}-of-${name}` })),
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "1", memory: "512Mi" } },
    volumeMounts: [{ name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }],
  });
  return JSON.stringify({
    metadata: {
      name,
      namespace: "shop",
      uid: `3f2a9c1e-0000-4000-8000-${String(index).padStart(12, "0")}`,
      resourceVersion: String(1_000_000 + index),
      creationTimestamp: "2026-11-21T10:00:00Z",
      labels: { app: "orderInput", team: "shop", "pod-template-hash": "6c9f7d8b54", tier: "front" },
      annotations: { "example.com/config-hash": "a".repeat(64), "example.com/injected": "x".repeat(800) },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "order-input-6c9f7d8b54", uid: "u", controller: true }],
      managedFields: [
        { manager: "kubelet", operation: "Update", fieldsV1: { "f:status": { "f:conditions": { k: "y".repeat(900) } } } },
      ],
    },
    spec: { nodeName: `node-${index % 200}`, containers: [container("main"), container("sidecar")], serviceAccountName: "default" },
    status: {
      phase: "Running",
      podIP: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
      podIPs: [{ ip: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` }],
      conditions: ["Ready", "Initialized", "PodScheduled"].map((type) => ({
        type,
        status: "True",
        lastTransitionTime: "2026-11-21T10:00:00Z",
      })),
    },
  });
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

describe("memory", () => {
  it("10,000 pods take less than 1 kB each (the bug: whole objects, or strings that hold on to the answer they came in)", () => {
    const before = heapUsed();
    const kept = new Map(
      Array.from({ length: 10_000 }, (_, index) => [`shop/${index}`, trimPod(JSON.parse(podText(index)))] as const),
    );
    const perPod = Math.round((heapUsed() - before) / kept.size);
    console.log(`a pod of ${podText(1).length} bytes on the wire takes ${perPod} bytes when trimmed`);
    expect(kept.size).toBe(10_000);
    expect(perPod).toBeLessThan(1_000);
  });
});

describe("pods", () => {
  it("are members by phase: finished ones are not, terminating ones are (docs/design/networkpolicy.md 22)", () => {
    const pod = (status: object, metadata: object = {}) =>
      trimPod({ metadata: { name: "a", namespace: "n", ...metadata }, spec: {}, status });
    expect(pod({ phase: "Succeeded", podIP: "10.0.0.1" })).toBeUndefined();
    expect(pod({ phase: "Failed", podIP: "10.0.0.1" })).toBeUndefined();
    expect(pod({ phase: "Running", podIP: "10.0.0.1" }, { deletionTimestamp: "2026-11-21T10:00:00Z" })?.addresses).toEqual([
      "10.0.0.1",
    ]);
    expect(pod({ phase: "Pending" })?.addresses).toEqual([]);
    expect(pod({ phase: "Unknown", podIP: "10.0.0.1" })?.addresses).toEqual(["10.0.0.1"]);
  });

  it("keep both families, the node, the controller and hostNetwork", () => {
    expect(
      trimPod({
        metadata: {
          name: "a",
          namespace: "n",
          uid: "u",
          labels: { app: "a" },
          ownerReferences: [
            { kind: "Node", name: "x" },
            { kind: "ReplicaSet", name: "r", controller: true },
          ],
        },
        spec: { nodeName: "node-1", hostNetwork: true },
        status: { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] },
      }),
    ).toEqual({
      uid: "u",
      namespace: "n",
      name: "a",
      labels: { app: "a" },
      addresses: ["10.0.0.1", "fd00::1"],
      node: "node-1",
      hostNetwork: true,
      owner: "ReplicaSet/r",
    });
  });
});

describe("the others", () => {
  it("nodes: addresses that packets carry, not names", () => {
    const addresses = [
      { type: "Hostname", address: "node-1" },
      { type: "InternalIP", address: "10.1.0.1" },
      { type: "InternalDNS", address: "node-1.internal" },
      { type: "ExternalIP", address: "203.0.113.1" },
    ];
    expect(trimNode({ metadata: { name: "node-1" }, status: { addresses } }).addresses).toEqual(["10.1.0.1", "203.0.113.1"]);
    expect(trimNode({ metadata: { name: "new" } }).addresses).toEqual([]);
    expect(trimNamespace({ metadata: { name: "shop" } })).toEqual({ name: "shop", labels: {} });
  });

  it("services: all of them, with the addresses that controllers gave them (the bug: any tenant's externalIPs in other people's firewalls)", () => {
    const spec = {
      selector: { "k8s-app": "kube-dns" },
      clusterIPs: ["10.96.0.10", "None"],
      externalIPs: ["198.51.100.7"],
      ports: [{ port: 53, targetPort: "dns", protocol: "UDP" }, { port: 9153 }],
    };
    const status = { loadBalancer: { ingress: [{ ip: "203.0.113.9" }, { hostname: "lb.example.com" }] } };
    expect(trimService({ metadata: { name: "kube-dns", namespace: "kube-system" }, spec, status })).toEqual({
      namespace: "kube-system",
      name: "kube-dns",
      selector: { "k8s-app": "kube-dns" },
      clusterIps: ["10.96.0.10"],
      loadBalancer: ["203.0.113.9"],
      ports: [
        { protocol: "UDP", port: 53, targetPort: "dns" },
        { protocol: "TCP", port: 9153, targetPort: undefined },
      ],
    });
    expect(trimService({ metadata: { name: "web", namespace: "shop" } })).not.toHaveProperty("loadBalancer");
  });

  it("pods: container ports with a name, a sidecar's too (the bug: a named port that nobody has, and 100,000 lists of numbers)", () => {
    const containers = [{ ports: [{ name: "http", containerPort: 8080 }, { containerPort: 9 }] }];
    const initContainers = [
      { restartPolicy: "Always", ports: [{ name: "dns", protocol: "UDP", containerPort: 53 }] },
      { ports: [{ name: "once", containerPort: 1 }] },
    ];
    expect(trimPod({ metadata: { name: "a" }, spec: { containers, initContainers } })?.ports).toEqual([
      { name: "http", protocol: "tcp", port: 8080 },
      { name: "dns", protocol: "udp", port: 53 },
    ]);
    expect(trimPod({ metadata: { name: "a" }, spec: { containers: [{}] } })).not.toHaveProperty("ports");
  });

  it("endpoints: of services without a selector, those that are pods by their names (the bug: a pod of another namespace taken for one)", () => {
    const slice = {
      metadata: { name: "db-1", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
      addressType: "IPv4",
      endpoints: [
        { addresses: ["10.9.0.2"] },
        { addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name: "db-0", namespace: "shop" } },
        { addresses: ["10.0.0.3"], targetRef: { kind: "Pod", name: "x", namespace: "other" } },
      ],
      ports: [{ port: 5432 }],
    };
    const services = [
      trimService({ metadata: { name: "db", namespace: "shop" } }),
      trimService({ metadata: { name: "web", namespace: "shop" }, spec: { selector: { app: "web" } } }),
    ];
    const trimmed = trimSlice(slice);
    const [db, web] = withEndpoints(services, trimmed === undefined ? [] : [trimmed, { ...trimmed, service: "shop/web" }]);
    const ports = [{ protocol: "TCP", port: 5432 }];
    expect(db?.endpoints).toEqual([
      { address: "10.0.0.1", pod: "db-0", ports },
      { address: "10.0.0.3", ports },
      { address: "10.9.0.2", ports },
    ]);
    expect(web).not.toHaveProperty("endpoints");
  });

  it("webhooks: those that a service answers, and whether writes fail without them (the bug: Fail is the default)", () => {
    const service = { namespace: "shop", name: "guard" };
    const webhooks = [
      { name: "a.example.com", clientConfig: { service } },
      { name: "b.example.com", failurePolicy: "Ignore", clientConfig: { service: { ...service, port: 9443 } } },
      { name: "c.example.com", clientConfig: { url: "https://example.com" } },
    ];
    expect(trimWebhooks("validating")({ metadata: { name: "w" }, webhooks })).toEqual([
      { kind: "validating", name: "w/a.example.com", failsClosed: true, service: { ...service, port: 443 } },
      { kind: "validating", name: "w/b.example.com", failsClosed: false, service: { ...service, port: 9443 } },
    ]);
    expect(trimApiService({ metadata: { name: "v1.metrics" }, spec: { service } }).backends).toHaveLength(1);
    expect(trimApiService({ metadata: { name: "v1.apps" }, spec: {} }).backends).toEqual([]);
  });

  it("policies: the whole spec, and who wrote it last, a status write aside", () => {
    const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] };
    const managedFields = [
      { manager: "firebreak", time: "2026-11-21T10:00:00Z" },
      { manager: "kubectl-edit", time: "2026-11-21T10:05:00Z" },
      { manager: "cni", time: "2026-11-21T10:09:00Z", subresource: "status" },
    ];
    const live = trimPolicy({ metadata: { name: "p", namespace: "n", resourceVersion: "7", managedFields }, spec });
    expect(live).toMatchObject({ manager: "kubectl-edit", managedAt: "2026-11-21T10:05:00Z" });
    expect(live.object.spec).toBe(spec);
    expect(JSON.stringify(live)).not.toContain("managedFields");
  });

  // would catch (L10): a thousand pods with a megabyte of labels each, kept whole; and such a pod taken for one without labels, which
  // every `not` and every DoesNotExist lets in
  it("pods: more text of labels than anybody needs is not understood, and such a pod is in no set", () => {
    const labels = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`tenant.example/l${n}`, "x".repeat(63)]));
    const trimmed = (count: number) =>
      trimPod({ metadata: { name: "a", labels: labels(count) }, status: { phase: "Running", podIPs: [{ ip: "10.0.0.1" }] } });
    expect(trimmed(150)).toMatchObject({ labels: labels(150), addresses: ["10.0.0.1"] });
    expect(trimmed(150)).not.toHaveProperty("notUnderstood");
    expect(trimmed(10_000)).toMatchObject({ labels: {}, addresses: [], notUnderstood: true });
    const ports = Array.from({ length: 5000 }, (_, n) => ({ name: `p${n}`, containerPort: 1 + n }));
    expect(trimPod({ metadata: { name: "a" }, spec: { containers: [{ ports }] } })?.ports).toHaveLength(256);
  });

  // would catch: an EndpointSlice beside the API server's own, by which everybody who needs it may reach an address of choice
  it("slices: of default/kubernetes only the one that the API server writes; of others a bounded number of addresses", () => {
    const slice = (namespace: string, name: string, service: string, addresses: readonly string[]) =>
      trimSlice({ metadata: { namespace, name, labels: { "kubernetes.io/service-name": service } }, endpoints: [{ addresses }] });
    const many = Array.from({ length: 12_000 }, (_, n) => `10.7.${n >> 8}.${n & 255}`);
    const slices = [
      slice("default", "kubernetes", "kubernetes", ["192.168.0.9"]),
      slice("default", "evil", "kubernetes", ["203.0.113.66"]),
      slice("shop", "any", "old", many),
    ].flatMap((one) => one ?? []);
    const services = ["default/kubernetes", "shop/old"].map((path) => {
      const [namespace, name] = path.split("/");
      return trimService({ metadata: { namespace, name } });
    });
    const [api, old] = withEndpoints(services, slices);
    expect(api?.endpoints?.map(({ address }) => address)).toEqual(["192.168.0.9"]);
    expect(old?.endpoints).toHaveLength(10_000);
  });
});
