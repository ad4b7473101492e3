import fc from "fast-check";
import type { PolicyObject, World, WorldPod } from "../../../core/verdict/world.ts";
import type { Probe } from "./naive.ts";

const NAMESPACES = [
  { name: "x", labels: { "kubernetes.io/metadata.name": "x", team: "red" } },
  { name: "y", labels: { "kubernetes.io/metadata.name": "y", team: "blue" } },
  { name: "z", labels: { "kubernetes.io/metadata.name": "z", team: "blue" } },
];

const ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2", "10.1.0.1", "192.168.0.1", "192.168.0.2", "203.0.113.5"];
const BLOCKS = ["10.0.0.0/24", "10.0.0.0/16", "10.0.0.1/32", "192.168.0.0/30", "0.0.0.0/0", "2001:db8::/64", "::/0"];
const HOLES: Readonly<Record<string, readonly string[]>> = {
  "10.0.0.0/24": ["10.0.0.2/32"],
  "10.0.0.0/16": ["10.0.1.0/24"],
  "0.0.0.0/0": ["10.0.0.0/8", "192.168.0.0/31"],
  "::/0": ["2001:db8::2/127"],
};

const labels = fc.record({ app: fc.constantFrom("a", "b"), tier: fc.constantFrom("1", "2") }, { requiredKeys: [] });
const selector = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: labels }),
  fc.record({
    matchExpressions: fc.array(
      fc.oneof(
        fc.record({
          key: fc.constantFrom("app", "tier"),
          operator: fc.constantFrom("In", "NotIn"),
          values: fc.constantFrom(["a"], ["1", "b"]),
        }),
        fc.record({ key: fc.constantFrom("app", "tier"), operator: fc.constantFrom("Exists", "DoesNotExist") }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);
const namespaceSelector = fc.oneof(
  fc.constant({}),
  fc.constantFrom({ matchLabels: { team: "blue" } }, { matchLabels: { "kubernetes.io/metadata.name": "x" } }),
  fc.constant({ matchExpressions: [{ key: "team", operator: "NotIn", values: ["red"] }] }),
);
const block = fc
  .tuple(fc.constantFrom(...BLOCKS), fc.boolean())
  .map(([cidr, withHoles]) => ({ ipBlock: { cidr, ...(withHoles && HOLES[cidr] !== undefined ? { except: HOLES[cidr] } : {}) } }));
const peer = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector }),
  fc.record({ podSelector: selector, namespaceSelector }),
  block,
);
const port = fc.oneof(
  fc.record({ port: fc.constantFrom<number | string>(80, 81, "web") }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP", "SCTP"), port: fc.constantFrom<number | string>(80, "web") }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP") }),
  fc.constant({ port: 79, endPort: 81 }),
);

function rules(end: "from" | "to"): fc.Arbitrary<readonly unknown[]> {
  const rule = fc.record(
    { [end]: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) },
    { requiredKeys: [] },
  );
  return fc.array(rule, { maxLength: 2 });
}

/** One NetworkPolicy as the API would serve it. */
export const policies: fc.Arbitrary<PolicyObject> = fc
  .record({
    namespace: fc.constantFrom("x", "y"),
    spec: fc.record(
      {
        podSelector: selector,
        policyTypes: fc.constantFrom(["Ingress"], ["Egress"], ["Ingress", "Egress"]),
        ingress: rules("from"),
        egress: rules("to"),
      },
      { requiredKeys: ["podSelector"] },
    ),
  })
  .map(({ namespace, spec }) => ({ kind: "NetworkPolicy", metadata: { name: "p", namespace }, spec }));

const subject = fc.oneof(
  fc.record({ namespaces: namespaceSelector }),
  fc.record({ pods: fc.record({ namespaceSelector, podSelector: selector }) }),
);
const outsidePeer = fc.oneof(
  subject,
  fc.record({ networks: fc.subarray(BLOCKS, { minLength: 1, maxLength: 2 }) }),
  fc.constantFrom({ nodes: {} }, { nodes: { matchLabels: { zone: "a" } } }),
);
const alphaPort = fc.constantFrom(
  { portNumber: { protocol: "TCP", port: 80 } },
  { portNumber: { protocol: "UDP", port: 81 } },
  { portRange: { protocol: "TCP", start: 79, end: 81 } },
  { namedPort: "web" },
);
const betaProtocol = fc.constantFrom(
  { tcp: { destinationPort: { number: 80 } } },
  { udp: { destinationPort: { range: { start: 79, end: 81 } } } },
  { sctp: {} },
  { destinationNamedPort: "web" },
);

function tierRules(end: "from" | "to", actions: readonly string[], portsKey: string): fc.Arbitrary<readonly unknown[]> {
  const rule = fc.record(
    {
      action: fc.constantFrom(...actions),
      [end]: fc.array(end === "from" ? subject : outsidePeer, { minLength: 1, maxLength: 2 }),
      [portsKey]: fc.array<unknown>(portsKey === "ports" ? alphaPort : betaProtocol, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ["action", end] },
  );
  return fc.array(rule, { maxLength: 3 });
}

function tierSpec(actions: readonly string[], portsKey: string) {
  return { subject, ingress: tierRules("from", actions, portsKey), egress: tierRules("to", actions, portsKey) };
}

const accept = ["Accept", "Deny", "Pass"];
const allow = ["Allow", "Deny", "Pass"];

/** Up to five cluster-wide policies of both APIs, no two of a tier with one priority. */
const tierLists: fc.Arbitrary<readonly PolicyObject[]> = fc
  .tuple(
    fc.array(fc.record(tierSpec(allow, "ports")), { maxLength: 2 }),
    fc.option(fc.record(tierSpec(["Allow", "Deny"], "ports"))),
    fc.array(fc.record({ tier: fc.constantFrom("Admin", "Baseline"), ...tierSpec(accept, "protocols") }), { maxLength: 2 }),
    fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 }),
  )
  .map(([admin, baseline, cluster, priorities]) => [
    ...admin.map((spec, index) => ({
      kind: "AdminNetworkPolicy",
      metadata: { name: `a${index}` },
      spec: { ...spec, priority: priorities[index] },
    })),
    ...(baseline === null ? [] : [{ kind: "BaselineAdminNetworkPolicy", metadata: { name: "default" }, spec: baseline }]),
    ...cluster.map((spec, index) => ({
      kind: "ClusterNetworkPolicy",
      metadata: { name: `c${index}` },
      spec: { ...spec, priority: priorities[index + 2] },
    })),
  ]);

const pod: fc.Arbitrary<Omit<WorldPod, "name" | "addresses">> = fc.record({
  namespace: fc.constantFrom("x", "y", "z"),
  labels,
  hostNetwork: fc.constantFrom(false, false, false, true),
  ports: fc.constantFrom(
    [],
    [{ name: "web", containerPort: 80 }],
    [
      { name: "web", containerPort: 81, protocol: "UDP" },
      { name: "web", containerPort: 81 },
    ],
  ),
});

/** Up to six pods with different addresses, of one or both families. */
export const podLists: fc.Arbitrary<readonly WorldPod[]> = fc
  .tuple(fc.array(pod, { minLength: 1, maxLength: 6 }), fc.array(fc.constantFrom(4, 6, 10), { minLength: 6, maxLength: 6 }))
  .map(([pods, families]) =>
    pods.map((item, index) => ({
      ...item,
      name: `p${index}`,
      addresses: [
        ...(families[index] === 6 ? [] : [ADDRESSES[index] ?? "10.9.9.9"]),
        ...(families[index] === 4 ? [] : [`2001:db8::${index + 1}`]),
      ],
    })),
  );

/** A world with a few policies. */
export const worlds: fc.Arbitrary<World> = fc
  .tuple(podLists, fc.array(policies, { maxLength: 4 }))
  .map(([pods, list]) => ({ namespaces: NAMESPACES, pods, policies: list }));

const NODES = [
  { name: "n1", labels: { zone: "a" }, addresses: ["192.168.0.1", "2001:db8::6"] },
  { name: "n2", labels: { zone: "b" }, addresses: ["192.168.0.3"] },
];

/** A world whose NetworkPolicies have tiers above and below. */
export const tieredWorlds: fc.Arbitrary<World> = fc
  .tuple(worlds, tierLists)
  .map(([world, tiers]) => ({ ...world, nodes: NODES, policies: [...tiers, ...world.policies] }));

/** Every connection worth asking about: all pods and some strangers, ports at the borders of the rules. */
export function probesOf(world: World): readonly Probe[] {
  const ends = [...world.pods, "10.0.0.77", "198.51.100.1", "192.168.0.3", "2001:db8::99", "2001:db9::1"];
  const probes: Probe[] = [];
  for (const from of ends) {
    for (const to of ends) {
      if (typeof from === "string" && typeof to === "string") continue;
      for (const protocol of ["TCP", "UDP", "SCTP"] as const) {
        for (const number of [78, 79, 80, 81, 82]) probes.push({ from, to, protocol, port: number });
      }
    }
  }
  return probes;
}
