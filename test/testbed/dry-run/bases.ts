/** Objects that the API server takes, of every kind that manifests are read for. Mutations start from them. */
export type Json = { [key: string]: unknown };

/** A base and where it is posted; `namespace` undefined: cluster-wide. */
export interface Base {
  readonly collection: string;
  readonly object: Json;
}

const POD_SPEC = {
  containers: [
    {
      name: "main",
      image: "registry.example/web:1",
      ports: [
        { name: "http", containerPort: 8080 },
        { name: "dns", containerPort: 5353, protocol: "UDP" },
        { containerPort: 9090, protocol: "TCP" },
      ],
      env: [{ name: "A", value: "b" }],
    },
  ],
  initContainers: [
    { name: "proxy", image: "registry.example/proxy:1", restartPolicy: "Always", ports: [{ name: "admin", containerPort: 15000 }] },
    { name: "prepare", image: "registry.example/prepare:1" },
  ],
};
const JOB_POD = { ...POD_SPEC, restartPolicy: "Never" };
const TEMPLATE = { metadata: { labels: { app: "web", tier: "front" } }, spec: POD_SPEC };
const SELECTOR = { matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator: "In", values: ["front", "back"] }] };

function of(apiVersion: string, kind: string, name: string, collection: string, rest: Json, labels: Json = { app: "web" }): Base {
  const isCore = !apiVersion.includes("/");
  const isNamespaced = !["namespaces", "nodes"].includes(collection) && !apiVersion.startsWith("policy.networking");
  const prefix = isCore ? "/api" : "/apis";
  const metadata = { name, ...(isNamespaced && { namespace: "shop" }), labels };
  return {
    collection: `${prefix}/${apiVersion}${isNamespaced ? "/namespaces/shop" : ""}/${collection}`,
    object: { apiVersion, kind, metadata, ...rest },
  };
}

const ALPHA = "policy.networking.k8s.io/v1alpha1";
const PODS_PEER = { pods: { namespaceSelector: { matchLabels: { team: "shop" } }, podSelector: { matchLabels: { app: "db" } } } };
const NAMESPACES_PEER = { namespaces: { matchExpressions: [{ key: "team", operator: "NotIn", values: ["red"] }] } };
const ALPHA_PORTS = [
  { portNumber: { protocol: "TCP", port: 443 } },
  { portRange: { protocol: "UDP", start: 8000, end: 8100 } },
  { namedPort: "http" },
];
const ALPHA_RULES = {
  subject: { namespaces: { matchLabels: { team: "shop" } } },
  ingress: [
    { name: "let in", action: "Allow", from: [PODS_PEER, NAMESPACES_PEER], ports: ALPHA_PORTS },
    { action: "Deny", from: [NAMESPACES_PEER] },
  ],
  egress: [
    { action: "Allow", to: [{ networks: ["10.0.0.0/8", "2001:db8::/32"] }], ports: ALPHA_PORTS.slice(0, 2) },
    { action: "Deny", to: [{ nodes: { matchExpressions: [{ key: "role", operator: "Exists" }] } }, PODS_PEER] },
  ],
};
const PROTOCOLS = [
  { tcp: { destinationPort: { number: 443 } } },
  { udp: { destinationPort: { range: { start: 8000, end: 8100 } } } },
  { destinationNamedPort: "http" },
];

/** Each kind once, some in two shapes. */
export const BASES: readonly Base[] = [
  of("networking.k8s.io/v1", "NetworkPolicy", "db", "networkpolicies", {
    spec: {
      podSelector: SELECTOR,
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { app: "web" } }, namespaceSelector: {} },
            { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } },
          ],
          ports: [{ protocol: "TCP", port: 5432 }, { port: "http" }, { port: 8000, endPort: 8100, protocol: "UDP" }],
        },
      ],
      egress: [{ to: [{ namespaceSelector: { matchLabels: { team: "shop" } } }], ports: [{ protocol: "UDP", port: 53 }] }],
    },
  }),
  of("networking.k8s.io/v1", "NetworkPolicy", "closed", "networkpolicies", {
    spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "2001:db8::/32", except: ["2001:db8:1::/48"] } }] }] },
  }),
  of(ALPHA, "AdminNetworkPolicy", "gate", "adminnetworkpolicies", { spec: { priority: 10, ...ALPHA_RULES } }),
  of(ALPHA, "BaselineAdminNetworkPolicy", "default", "baselineadminnetworkpolicies", { spec: ALPHA_RULES }),
  of("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "wall", "clusternetworkpolicies", {
    spec: {
      tier: "Admin",
      priority: 10,
      subject: PODS_PEER,
      ingress: [
        { name: "let in", action: "Accept", from: [PODS_PEER, NAMESPACES_PEER], protocols: PROTOCOLS },
        { action: "Deny", from: [NAMESPACES_PEER] },
      ],
      egress: [
        { action: "Pass", to: [{ networks: ["10.0.0.0/8", "2001:db8::/32"] }], protocols: PROTOCOLS.slice(0, 2) },
        { action: "Accept", to: [{ domainNames: ["example.org", "*.example.com"] }], protocols: PROTOCOLS.slice(0, 1) },
        { action: "Deny", to: [{ nodes: { matchLabels: { role: "edge" } } }, PODS_PEER] },
      ],
    },
  }),
  of("v1", "Service", "web", "services", {
    spec: {
      type: "NodePort",
      selector: { app: "web" },
      ports: [
        { name: "http", port: 80, targetPort: "http", nodePort: 30080 },
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "alt", port: 9090, targetPort: 9090, protocol: "TCP" },
      ],
      externalIPs: ["192.0.2.10"],
      externalTrafficPolicy: "Local",
    },
  }),
  of("v1", "Service", "plain", "services", { spec: { clusterIP: "None", ports: [{ port: 5432 }] } }),
  of("v1", "Service", "balanced", "services", {
    spec: {
      type: "LoadBalancer",
      selector: { app: "web" },
      ports: [{ name: "a", port: 80, targetPort: 8080 }],
      clusterIP: "10.96.40.7",
    },
  }),
  of("v1", "Endpoints", "plain", "endpoints", {
    subsets: [
      {
        addresses: [{ ip: "10.20.0.1" }, { ip: "10.20.0.2", hostname: "two" }],
        notReadyAddresses: [{ ip: "10.20.0.3" }],
        ports: [
          { name: "a", port: 5432 },
          { name: "b", port: 53, protocol: "UDP" },
        ],
      },
    ],
  }),
  of(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    "plain-1",
    "endpointslices",
    {
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.20.0.1"], conditions: { ready: true } }, { addresses: ["10.20.0.2"] }],
      ports: [
        { name: "a", port: 5432, protocol: "TCP" },
        { name: "b", port: 53, protocol: "UDP" },
      ],
    },
    { "kubernetes.io/service-name": "plain" },
  ),
  of("networking.k8s.io/v1", "Ingress", "web", "ingresses", {
    spec: {
      defaultBackend: { service: { name: "web", port: { number: 80 } } },
      rules: [
        {
          host: "shop.example.org",
          http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { name: "http" } } } }] },
        },
      ],
    },
  }),
  of("v1", "Namespace", "team", "namespaces", {}, { team: "shop" }),
  of("v1", "Node", "node-9", "nodes", { spec: { podCIDR: "10.244.9.0/24", podCIDRs: ["10.244.9.0/24"] } }, { role: "edge" }),
  of("v1", "Pod", "web", "pods", { spec: POD_SPEC }),
  of("v1", "Pod", "host", "pods", {
    spec: { hostNetwork: true, containers: [{ name: "m", image: "i", ports: [{ containerPort: 9100, hostPort: 9100 }] }] },
  }),
  of("apps/v1", "Deployment", "web", "deployments", { spec: { replicas: 2, selector: SELECTOR, template: TEMPLATE } }),
  of("apps/v1", "ReplicaSet", "web", "replicasets", { spec: { selector: SELECTOR, template: TEMPLATE } }),
  of("apps/v1", "StatefulSet", "web", "statefulsets", {
    spec: { replicas: 2, serviceName: "web", selector: SELECTOR, template: TEMPLATE },
  }),
  of("apps/v1", "DaemonSet", "web", "daemonsets", {
    spec: { selector: SELECTOR, template: { ...TEMPLATE, spec: { ...POD_SPEC, hostNetwork: false } } },
  }),
  of("v1", "ReplicationController", "web", "replicationcontrollers", {
    spec: { selector: { app: "web" }, template: TEMPLATE },
  }),
  of("batch/v1", "Job", "once", "jobs", {
    spec: { completions: 2, completionMode: "Indexed", template: { metadata: { labels: { app: "once" } }, spec: JOB_POD } },
  }),
  of("batch/v1", "Job", "plain", "jobs", { spec: { template: { spec: JOB_POD } } }),
  of("batch/v1", "CronJob", "nightly", "cronjobs", {
    spec: {
      schedule: "0 3 * * *",
      jobTemplate: { spec: { template: { metadata: { labels: { app: "nightly" } }, spec: JOB_POD } } },
    },
  }),
];
