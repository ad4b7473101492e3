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
