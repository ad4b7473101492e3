import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkEquivalence } from "../../../core/enforced/equivalence.ts";
import { renderedSource } from "../../../core/enforced/source.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import type { Definitions, Member } from "../../../core/model/kinds.ts";
import {
  addressesMember,
  app,
  boundaryMember,
  cluster,
  definitions,
  external,
  externalsMember,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  podsMember,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";
import { renderAll } from "./render-all.ts";

const NAMES = ["a", "b", "c", "d"];

const member: fc.Arbitrary<Member> = fc.oneof(
  fc.constantFrom("a", "b", "c").map((name) => app(name)),
  fc.constant(podsMember({ matchLabels: { color: "blue" } }, { matchLabels: { team: "x" } })),
  fc.constant(
    podsMember({ matchExpressions: [{ key: "app", operator: "NotIn", values: ["a"] }] }, {}, { matchLabels: { region: "eu" } }),
  ),
  fc.constant(hostsMember({ matchLabels: { role: "ldap" } })),
  fc.constant(externalsMember({ matchLabels: { tier: "legacy" } })),
  fc.constantFrom("10.1.0.0/24", "10.9.0.0/25", "172.16.0.0/12", "2001:db8::/32").map((text) => addressesMember(text)),
  fc.constantFrom("ingress" as const, "egress" as const).map((side) => boundaryMember(side)),
);
const mode = fc.constantFrom("off" as const, "observe" as const, "enforce" as const, "enforce" as const);
const ports = fc.constantFrom("443/tcp", "8000-8010/tcp, 53/udp", "5060/sctp", "any", "http/tcp", "icmp/8", "icmpv6");
const end = fc.constantFrom("a", "b", "c", "d", "a, d", "any", "internet");

/** Segments of any members but peers only where they are isolated, rules between them, two clusters that show their pods in two ways. */
const organisation: fc.Arbitrary<Definitions> = fc
  .record({
    segments: fc.tuple(
      ...NAMES.map(() => fc.record({ members: fc.array(member, { minLength: 1, maxLength: 2 }), ingress: mode, egress: mode })),
    ),
    rules: fc.array(fc.record({ from: end, to: end, ports, same: fc.boolean() }), { maxLength: 5 }),
    podNetwork: fc.constantFrom("routed" as const, "masqueraded" as const),
  })
  .map(({ segments, rules, podNetwork }) =>
    definitions({
      clusters: [cluster("eu", { labels: { region: "eu" } }), cluster("us", { labels: { region: "us" }, podNetwork })],
      fleets: [
        fleet("dir", [
          { name: "ldap-1", addresses: ["10.20.0.11", "2001:db8::11"], labels: { role: "ldap", color: "blue" } },
          { name: "other", addresses: ["10.20.0.13"], labels: { role: "none" } },
        ]),
      ],
      externals: [external("mainframe", { tier: "legacy" }, "10.9.0.0/24")],
      segments: segments.map(({ members, ingress, egress }, index) => segment(NAMES[index] ?? "", members, ingress, egress)),
      policies: [
        policy(
          "p",
          ...rules.map(({ from, to, ports: allowed, same }) => {
            const isPlain = [from, to].every((name) => name !== "any" && name !== "internet" && !hasAddresses(segments, name));
            return rule(from, to, allowed, same && isPlain ? ["color"] : []);
          }),
        ),
      ],
    }),
  );

function hasAddresses(segments: readonly { readonly members: readonly Member[] }[], end: string): boolean {
  return end
    .split(", ")
    .some((name) => segments[NAMES.indexOf(name)]?.members.some(({ kind }) => kind === "addresses" || kind === "boundary") ?? true);
}

const http = [{ name: "http", protocol: "tcp" as const, port: 8080 }];
const namespaces = [namespace("shop", { team: "x" }), namespace("lab", { team: "y" }), namespace("kube-system")];
const inventories = ["eu", "us"].map((name, index) =>
  inventory(name, {
    namespaces,
    nodes: [
      { name: "node-1", addresses: [`192.168.${index}.1`] },
      { name: "node-2", addresses: [`192.168.${index}.2`] },
    ],
    pods: [
      pod("shop/a-1", { app: "a", color: "blue" }, `10.${index + 1}.0.1`, { ports: http }),
      pod("shop/a-2", { app: "a", color: "red" }, `10.${index + 1}.0.2`, { node: "node-2" }),
      pod("shop/b-1", { app: "b", color: "blue" }, `10.${index + 1}.0.3`, {
        ports: [{ name: "http", protocol: "tcp", port: 8081 }],
      }),
      pod("lab/c-1", { app: "c" }, `10.${index + 1}.1.1`, { addresses: [`10.${index + 1}.1.1`, `2001:db8:${index + 1}::1`] }),
      pod("lab/new", { app: "a", color: "blue" }),
      pod("kube-system/agent", { app: "b" }, `192.168.${index}.1`, { hostNetwork: true }),
    ],
  }),
);

describe("for any definitions", () => {
  // Bug: two readings of a rule that nobody had thought of together.
  test("what is rendered for every target, read back, is what the definitions mean", () => {
    fc.assert(
      fc.property(organisation, (defs) => {
        const { estate, rendered } = renderAll(defs, inventories);
        const intent = intentOf(defs, estate, { as: "enforceable" });
        for (const [target, one] of rendered) {
          const found = checkEquivalence({ target, intent, rendered: renderedSource(estate, new Map([[target, one]])) });
          expect(found.kind === "same" ? "same" : found.text).toBe("same");
        }
      }),
      { numRuns: 60 },
    );
  });
});
