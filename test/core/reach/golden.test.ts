import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import { reachOf } from "../../../core/reach/matrix.ts";
import { expandPairs, renderMatrix, renderPairs } from "../../../core/reach/render.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import type { Profile } from "../../../core/verdict/profile.ts";
import { files } from "../manifest/files.ts";
import { expectGolden } from "../../support/golden.ts";

interface Options {
  readonly labels?: Record<string, string>;
  readonly ports?: readonly unknown[];
  readonly pod?: Record<string, unknown>;
}

function namespace(name: string, labels: Record<string, string> = {}): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** `a/web`: labels `app: web` unless others are given. */
function workload(id: string, kind = "Deployment", { labels, ports = [], pod = {} }: Options = {}): object {
  const [space = "", name = ""] = id.split("/");
  const own = labels ?? { app: name };
  const restartPolicy = kind === "CronJob" || kind === "Job" ? "Never" : "Always";
  const template = { metadata: { labels: own }, spec: { containers: [{ name: "c", image: "i", ports }], restartPolicy, ...pod } };
  const group = kind === "CronJob" || kind === "Job" ? "batch/v1" : kind === "ReplicationController" ? "v1" : "apps/v1";
  const spec =
    kind === "CronJob" ? { schedule: "* * * * *", jobTemplate: { spec: { template } } } : { ...selecting(kind, own), template };
  return { apiVersion: group, kind, metadata: { name, namespace: space }, spec };
}

/** Each kind selects its own pods, as the API server wants it; Jobs are given a selector. */
function selecting(kind: string, labels: Record<string, string>): object {
  if (kind === "Job") return {};
  return { selector: kind === "ReplicationController" ? labels : { matchLabels: labels } };
}

function pod(
  id: string,
  labels: Record<string, string>,
  more: { ip?: string; owner?: string; spec?: object; phase?: string } = {},
): object {
  const [space, name] = id.split("/");
  const [kind, ownerName] = (more.owner ?? "").split("/");
  const ownerReferences = more.owner === undefined ? [] : [{ kind, name: ownerName, controller: true }];
  const status = { phase: more.phase ?? "Running", ...(more.ip !== undefined && { podIP: more.ip, podIPs: [{ ip: more.ip }] }) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: space, labels, ownerReferences },
    spec: { containers: [{ name: "c", image: "i" }], ...more.spec },
    status,
  };
}

/** Metadata of an object that another one controls. */
function controlled(id: string, kind: string, owner: string): object {
  const [space, name] = id.split("/");
  return { metadata: { name, namespace: space, ownerReferences: [{ kind, name: owner, controller: true }] } };
}

function policy(id: string, spec: object): object {
  const [space, name] = id.split("/");
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: space }, spec };
}

function tier(kind: string, name: string, spec: object): object {
  const version = kind === "ClusterNetworkPolicy" ? "v1alpha2" : "v1alpha1";
  return { apiVersion: `policy.networking.k8s.io/${version}`, kind, metadata: { name }, spec };
}

const app = (name: string): object => ({ matchLabels: { app: name } });
const http = [{ name: "http", containerPort: 8080 }];

/** Small clusters, one idea each. */
const CASES: Readonly<Record<string, readonly object[]>> = {
  "no-policy": [workload("a/web"), workload("b/db", "StatefulSet")],
  "default-deny": [
    namespace("a"),
    workload("a/web"),
    workload("a/db"),
    workload("b/job", "Job"),
    policy("a/deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
  ],
  "one-way": [
    workload("a/web"),
    workload("a/db", "StatefulSet"),
    workload("b/web"),
    policy("a/db", { podSelector: app("db"), ingress: [{ from: [{ podSelector: app("web") }], ports: [{ port: 5432 }] }] }),
  ],
  "every-kind": [
    ...["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"].map((kind) =>
      workload(`a/${kind.toLowerCase()}`, kind, { labels: { app: "x" } }),
    ),
    pod("a/bare", { app: "x" }),
    policy("a/closed", { podSelector: app("x"), policyTypes: ["Ingress"] }),
  ],
  "ports-merged": [
    workload("a/web"),
    workload("a/db"),
    policy("a/db", {
      podSelector: app("db"),
      ingress: [
        {
          from: [{ podSelector: {} }],
          ports: [{ port: 443 }, { port: 80 }, { port: 8000, endPort: 8010 }, { port: 8011, endPort: 8080 }],
        },
        {
          from: [{ podSelector: app("web") }],
          ports: [
            { port: 53, protocol: "UDP" },
            { port: 8005, endPort: 8006 },
          ],
        },
      ],
    }),
  ],
  "named-ports": [
    workload("a/web"),
    workload("a/one", "Deployment", { labels: { role: "api" }, ports: http }),
    workload("a/two", "Deployment", { labels: { role: "api" }, ports: [{ name: "http", containerPort: 9090 }] }),
    policy("a/api", { podSelector: { matchLabels: { role: "api" } }, ingress: [{ ports: [{ port: "http" }] }] }),
    policy("a/web", { podSelector: app("web"), policyTypes: ["Egress"], egress: [{ ports: [{ port: "http" }] }] }),
  ],
  blocks: [
    workload("a/web"),
    workload("a/db"),
    policy("a/web", {
      podSelector: app("web"),
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [{ ipBlock: { cidr: "10.0.0.0/16", except: ["10.0.3.0/24"] } }, { ipBlock: { cidr: "10.1.0.0/16" } }],
          ports: [{ port: 443 }],
        },
      ],
      egress: [{ to: [{ ipBlock: { cidr: "192.168.0.5/24" } }] }],
    }),
  ],
  "pods-in-blocks": [
    pod("a/web", { app: "web" }, { ip: "10.244.0.5" }),
    pod("a/db", { app: "db" }, { ip: "10.244.1.5" }),
    policy("a/db", {
      podSelector: app("db"),
      ingress: [{ from: [{ ipBlock: { cidr: "10.244.0.0/24" } }], ports: [{ port: 5432 }] }],
    }),
  ],
  "both-families": [
    pod("a/web", { app: "web" }, { ip: "2001:db8::5" }),
    workload("a/db"),
    policy("a/db", { podSelector: app("db"), ingress: [{ from: [{ ipBlock: { cidr: "2001:db8::/64" } }] }] }),
  ],
  "pods-of-one-owner": [
    pod("a/web-1", { app: "web", slot: "blue" }, { owner: "ReplicaSet/web-5b9" }),
    pod("a/web-2", { app: "web", slot: "green" }, { owner: "ReplicaSet/web-5b9" }),
    workload("a/db"),
    policy("a/db", {
      podSelector: app("db"),
      ingress: [{ from: [{ podSelector: { matchLabels: { slot: "blue" } } }], ports: [{ port: 5432 }] }],
    }),
  ],
  "host-network-and-finished": [
    workload("a/agent", "DaemonSet", { pod: { hostNetwork: true } }),
    workload("a/web"),
    pod("a/done", { app: "web" }, { phase: "Succeeded", ip: "10.0.0.9" }),
    policy("a/deny", { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }),
  ],
  entries: [
    workload("a/web", "Deployment", { ports: http }),
    workload("a/api", "Deployment", { ports: http }),
    workload("a/quiet"),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "a" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "api", namespace: "a" },
      spec: { selector: { app: "api" }, ports: [{ name: "main", port: 8080 }] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "quiet", namespace: "a" },
      spec: { selector: { app: "quiet" }, ports: [{ port: 1 }] },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "all", namespace: "a" },
      spec: {
        defaultBackend: { service: { name: "quiet", port: { number: 1 } } },
        rules: [
          {
            http: {
              paths: [
                { path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } },
                { path: "/", pathType: "Prefix", backend: { service: { name: "gone", port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    },
    {
      apiVersion: "route.openshift.io/v1",
      kind: "Route",
      metadata: { name: "api", namespace: "a" },
      spec: { to: { kind: "Service", name: "api" }, port: { targetPort: "main" } },
    },
    policy("a/api", { podSelector: app("api"), ingress: [{ from: [{ podSelector: {} }] }] }),
  ],
  // A pod is its topmost controller's that is there; the same name is another workload in another kind or namespace.
  owners: [
    workload("a/web"),
    { ...workload("a/web-1", "ReplicaSet", { labels: { app: "web" } }), ...controlled("a/web-1", "Deployment", "web") },
    pod("a/web-1-x", { app: "web" }, { owner: "ReplicaSet/web-1", ip: "10.244.0.7" }),
    workload("a/nightly", "CronJob"),
    { ...workload("a/nightly-1", "Job", { labels: { app: "nightly" } }), ...controlled("a/nightly-1", "CronJob", "nightly") },
    pod("a/nightly-1-x", { app: "nightly" }, { owner: "Job/nightly-1" }),
    pod("a/api-5f-x", { app: "api" }, { owner: "ReplicaSet/api-5f" }),
    workload("a/web", "StatefulSet", { labels: { app: "other" } }),
    pod("b/web", { app: "web" }),
    policy("a/web", { podSelector: app("web"), ingress: [{ from: [{ podSelector: app("nightly") }], ports: [{ port: 80 }] }] }),
  ],
  // Only the API server says what a namespace is called; an empty selector, a null one and none of a policy are all its pods.
  namespaces: [
    namespace("a", { "kubernetes.io/metadata.name": "b" }),
    workload("a/web"),
    workload("b/web"),
    workload("c/web"),
    policy("c/null", {
      podSelector: null,
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "b" } } }] }],
    }),
    policy("b/none", {
      ingress: [{ from: [{ namespaceSelector: { matchExpressions: [{ key: "team", operator: "DoesNotExist" }] } }] }],
    }),
  ],
  // An allow of one protocol says nothing of the others; ranges touch and overlap.
  protocols: [
    workload("a/web"),
    workload("a/db"),
    policy("a/db", {
      podSelector: app("db"),
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { ports: [{ protocol: "SCTP" }, { protocol: "TCP", port: 1, endPort: 65535 }] },
        {
          from: [{ podSelector: {} }],
          ports: [
            { protocol: "UDP", port: 1, endPort: 100 },
            { protocol: "UDP", port: 101, endPort: 65535 },
          ],
        },
      ],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }], ports: [{ protocol: "SCTP", port: 65535 }] }],
    }),
  ],
  // Headless and with names of target ports as any other; ExternalName and those without a selector lead nowhere that is known.
  "service-kinds": [
    workload("a/web", "Deployment", { ports: [...http, { name: "dns", containerPort: 53, protocol: "UDP" }] }),
    ...Object.entries({
      headless: { clusterIP: "None", selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
      balanced: { type: "LoadBalancer", selector: { app: "web" }, ports: [{ port: 443, nodePort: 30443, targetPort: 9999 }] },
      outside: { type: "ExternalName", externalName: "db.example.com" },
      empty: { ports: [{ port: 80 }] },
    }).map(([name, spec]) => ({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "a" }, spec })),
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "all", namespace: "a" },
      spec: {
        rules: [
          {
            http: {
              paths: [
                ["headless", 80],
                ["balanced", 443],
                ["outside", 80],
                ["empty", 80],
              ].map(([name, number]) => ({ path: "/", pathType: "Prefix", backend: { service: { name, port: { number } } } })),
            },
          },
        ],
      },
    },
  ],
  "admin-and-baseline": [
    namespace("a", { team: "red" }),
    namespace("b", { team: "blue" }),
    workload("a/web"),
    workload("b/db"),
    workload("b/own"),
    tier("AdminNetworkPolicy", "first", {
      priority: 5,
      subject: { namespaces: { matchLabels: { team: "blue" } } },
      ingress: [
        { action: "Pass", from: [{ namespaces: {} }], ports: [{ portNumber: { protocol: "TCP", port: 5432 } }] },
        { action: "Allow", from: [{ namespaces: {} }], ports: [{ portRange: { protocol: "UDP", start: 53, end: 54 } }] },
        { action: "Deny", from: [{ namespaces: { matchLabels: { team: "red" } } }] },
      ],
    }),
    tier("BaselineAdminNetworkPolicy", "default", {
      subject: { namespaces: {} },
      ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
    }),
    policy("b/own", { podSelector: app("own"), ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 5432 }] }] }),
  ],
  "cluster-policies": [
    workload("a/web", "Deployment", { ports: http }),
    workload("b/db", "Deployment", { ports: http }),
    tier("ClusterNetworkPolicy", "low", {
      tier: "Baseline",
      priority: 1,
      subject: { pods: { namespaceSelector: {}, podSelector: app("web") } },
      egress: [
        {
          action: "Accept",
          to: [{ pods: { namespaceSelector: {}, podSelector: app("db") } }],
          protocols: [{ destinationNamedPort: "http" }],
        },
        {
          action: "Accept",
          to: [{ networks: ["10.0.0.0/8"] }],
          protocols: [{ tcp: { destinationPort: { number: 443 } } }, { udp: { destinationPort: { range: { start: 1, end: 9 } } } }],
        },
        { action: "Deny", to: [{ namespaces: {} }, { networks: ["0.0.0.0/0"] }] },
      ],
    }),
    tier("ClusterNetworkPolicy", "high", {
      tier: "Admin",
      priority: 1,
      subject: { namespaces: {} },
      egress: [{ action: "Deny", to: [{ networks: ["169.254.169.254/32"] }] }],
    }),
  ],
};

function listing(objects: readonly object[], profile: Profile = PROFILES["kube-network-policies"]): string {
  const { manifests, notes } = readManifests(files({ "all.json": objects }));
  if (manifests === undefined) return notes.map(({ summary }) => summary).join("\n");
  const reach = reachOf(manifests, profile);
  const told = [...notes, ...reach.notes].map(({ severity, summary }) => `# ${severity}: ${summary}\n`);
  return [...told, ...[...expandPairs(reach)].map(({ src, dst, conn }) => `${src} => ${dst} : ${conn}\n`)].join("");
}

describe("small clusters, pair by pair", () => {
  test.each(Object.entries(CASES))("%s", (name, objects) => {
    expectGolden(`reach/${name}.txt`, listing(objects));
  });

  test("the order of the manifests never matters", () => {
    for (const objects of Object.values(CASES)) {
      const sorted = (text: string): string => text.split("\n").sort().join("\n");
      expect(sorted(listing(objects.toReversed()))).toBe(sorted(listing(objects)));
    }
  });

  test("Cilium's reading: a block matches no pod", () => {
    const lines = listing(CASES["pods-in-blocks"] ?? [], PROFILES.cilium);
    expect(lines).not.toContain("a/web[Pod] => a/db[Pod]");
  });

  test("the matrix and its pairs in every format", () => {
    const { manifests } = readManifests(files({ "all.json": CASES["entries"] ?? [] }));
    if (manifests === undefined) throw new Error("refused");
    const reach = reachOf(manifests, PROFILES["kube-network-policies"]);
    for (const format of ["table", "json", "csv", "dot"] as const) {
      expectGolden(`reach/formats/classes.${format}`, [...renderMatrix(reach, format)].join(""));
      expectGolden(`reach/formats/pairs.${format}`, [...renderPairs(reach, format)].join(""));
    }
    const parsed = JSON.parse([...renderMatrix(reach, "json")].join("")) as {
      classes: Record<string, string[]>;
      connections: { src: string; dst: string }[];
    };
    for (const { src, dst } of parsed.connections) expect([parsed.classes[src], parsed.classes[dst]]).not.toContain(undefined);
  });
});
