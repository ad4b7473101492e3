import { describe, expect, test } from "vitest";
import { areCovered, isolatedDirections, normaliseSpec, specKey, specKeyWithoutAddresses } from "../../../core/plan/defaulting.ts";
import type { NetworkPolicyRule, NetworkPolicySpec } from "../../../core/render/networkpolicy-types.ts";

const ingress = (...rules: NetworkPolicyRule<"from">[]): NetworkPolicySpec => ({
  podSelector: {},
  policyTypes: ["Ingress"],
  ingress: rules,
});
const from = (...cidrs: string[]): NetworkPolicyRule<"from"> => ({ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })) });

/** Two texts of one meaning: a plan or a finding between them would never end. */
const SAME: readonly (readonly [string, NetworkPolicySpec, NetworkPolicySpec])[] = [
  ["podSelector absent and empty", { policyTypes: ["Ingress"] }, { podSelector: {}, policyTypes: ["Ingress"] }],
  ["ingress absent and empty", { policyTypes: ["Ingress"] }, { policyTypes: ["Ingress"], ingress: [] }],
  ["policyTypes absent, with egress rules", { egress: [{}] }, { policyTypes: ["Ingress", "Egress"], egress: [{}] }],
  ["policyTypes absent, without", { ingress: [{}], egress: [] }, { policyTypes: ["Ingress"], ingress: [{}] }],
  ["from absent and empty", ingress({ from: [] }), ingress({})],
  ["protocol defaults to TCP", ingress({ ports: [{ port: 80 }] }), ingress({ ports: [{ protocol: "TCP", port: 80 }] })],
  [
    "order of rules, peers and ports",
    ingress(from("10.0.0.2/32", "10.0.0.1/32"), from("10.9.0.0/24")),
    ingress(from("10.9.0.0/24"), from("10.0.0.1/32", "10.0.0.2/32")),
  ],
  ["cut of blocks", ingress(from("10.0.0.0/31")), ingress(from("10.0.0.0/32", "10.0.0.1/32"))],
  [
    "except as a cut",
    ingress({ from: [{ ipBlock: { cidr: "10.0.0.0/31", except: ["10.0.0.1/32"] } }] }),
    ingress(from("10.0.0.0/32")),
  ],
  [
    "a namespaceSelector alone is all of its pods",
    ingress({ from: [{ namespaceSelector: {} }] }),
    ingress({ from: [{ namespaceSelector: {}, podSelector: {} }] }),
  ],
  [
    "In with one value",
    { podSelector: { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] } },
    { podSelector: { matchLabels: { a: "b" } } },
  ],
];

test.each(SAME)("same: %s", (_, a, b) => {
  expect(specKey(a)).toBe(specKey(b));
});

/** Two meanings that a careless comparison takes for one. */
const DIFFERENT: readonly (readonly [string, NetworkPolicySpec, NetworkPolicySpec])[] = [
  ["default deny and allow all", ingress(), ingress({})],
  [
    "egress denied and egress not mentioned",
    { policyTypes: ["Ingress"], egress: [] },
    { policyTypes: ["Ingress", "Egress"], egress: [] },
  ],
  ["TCP and UDP", ingress({ ports: [{ port: 53 }] }), ingress({ ports: [{ protocol: "UDP", port: 53 }] })],
  ["TCP and SCTP", ingress({ ports: [{ port: 53 }] }), ingress({ ports: [{ protocol: "SCTP", port: 53 }] })],
  [
    "one port and all ports of a protocol",
    ingress({ ports: [{ protocol: "TCP" }] }),
    ingress({ ports: [{ protocol: "TCP", port: 80 }] }),
  ],
  [
    "own namespace and every namespace",
    ingress({ from: [{ podSelector: {} }] }),
    ingress({ from: [{ podSelector: {}, namespaceSelector: {} }] }),
  ],
  [
    "two peers (or) and one with both selectors (and)",
    ingress({ from: [{ podSelector: {} }, { namespaceSelector: {} }] }),
    ingress({ from: [{ podSelector: {}, namespaceSelector: {} }] }),
  ],
  ["a named port and another", ingress({ ports: [{ port: "http" }] }), ingress({ ports: [{ port: "https" }] })],
  ["0.0.0.0/0 and any", ingress(from("0.0.0.0/0")), ingress({})],
  ["a rule that policyTypes leaves inert", { policyTypes: ["Ingress"], egress: [{}] }, { policyTypes: ["Ingress"] }],
];

test.each(DIFFERENT)("different: %s", (_, a, b) => {
  expect(specKey(a)).not.toBe(specKey(b));
});

describe("without addresses", () => {
  test("elements and rules of addresses only do not count, everything else does", () => {
    const mixed = (cidr: string): NetworkPolicySpec => ingress({ from: [{ podSelector: {} }, { ipBlock: { cidr } }] });
    expect(specKeyWithoutAddresses(mixed("10.0.0.1/32"))).toBe(specKeyWithoutAddresses(mixed("10.0.0.2/32")));
    expect(specKeyWithoutAddresses(ingress(from("10.0.0.1/32")))).toBe(specKeyWithoutAddresses(ingress()));
    expect(specKeyWithoutAddresses(ingress({}))).not.toBe(specKeyWithoutAddresses(ingress()));
  });
});

// would catch: a heal planned as "narrow only" that closes something wanted
test("covering is only said where it is certain", () => {
  const rules = (...list: NetworkPolicyRule<"from">[]) => normaliseSpec(ingress(...list)).ingress ?? [];
  expect(areCovered(rules(from("10.0.0.1/32")), rules(from("10.0.0.0/24")))).toBe(true);
  expect(areCovered(rules(from("10.0.0.0/24")), rules(from("10.0.0.1/32")))).toBe(false);
  expect(areCovered(rules({ ports: [{ port: 80 }] }), rules({ ports: [{ port: 1, endPort: 443 }] }))).toBe(true);
  expect(areCovered(rules({ ports: [{ port: "http" }] }), rules({ ports: [{ port: 1, endPort: 65535 }] }))).toBe(false);
  expect(areCovered(rules({ ports: [{ port: "http" }] }), rules({}))).toBe(true);
  expect(areCovered(rules({}), rules(from("0.0.0.0/0", "::/0")))).toBe(false);
  expect(areCovered(rules(), rules())).toBe(true);
});

test("directions a spec isolates in", () => {
  expect(isolatedDirections({ egress: [] })).toEqual(["ingress"]);
  expect(isolatedDirections({ policyTypes: [] })).toEqual(["ingress"]);
  expect(isolatedDirections({ policyTypes: ["Egress"] })).toEqual(["egress"]);
});
