import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCluster } from "../../../core/compile/cluster.ts";
import type { Namespace, Pod } from "../../../core/membership/inventory.ts";
import type { Definitions, Direction, Member, Rule, Segment } from "../../../core/model/kinds.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import { matches } from "../../../core/selector/index.ts";
import { allowed } from "../../support/cluster-world.ts";
import type { Atom } from "../../support/cluster-world.ts";
import {
  addressesMember,
  cluster,
  definitions,
  namespace,
  pod,
  podsMember,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";

/** What the definitions mean, said a second time and straight from the words: pods in segments, rules between segments. */
const eu = cluster("eu");
const NAMESPACES: readonly Namespace[] = [
  namespace("one", { team: "x" }),
  namespace("two", { team: "y" }),
  namespace("kube-system", { team: "x" }),
];
const PODS: readonly Pod[] = NAMESPACES.flatMap(({ name }) =>
  ["a", "b"].flatMap((app) => ["x", "y"].map((tier) => pod(`${name}/${app}-${tier}`, { app, tier }))),
);
const ADDRESSES = ["10.9.0.1", "10.8.0.1"];
const PORTS = [80, 443];
const ATOMS: readonly (Atom & { readonly pod?: Pod })[] = PORTS.flatMap((port) => [
  ...ADDRESSES.map((address) => ({ address, port })),
  ...PODS.map((one) => ({ pod: one, labels: one.labels, namespaceLabels: labelsOf(one), port })),
]);

function labelsOf(one: Pod): Readonly<Record<string, string>> {
  return NAMESPACES.find(({ name }) => name === one.namespace)?.labels ?? {};
}

const selector = fc.constantFrom(
  {},
  { matchLabels: { app: "a" } },
  { matchLabels: { app: "b" } },
  { matchLabels: { tier: "x" } },
  { matchExpressions: [{ key: "tier", operator: "NotIn" as const, values: ["x"] }] },
);
const namespaces = fc.constantFrom({}, { matchLabels: { team: "x" } }, { matchLabels: { "kubernetes.io/metadata.name": "two" } });
const member: fc.Arbitrary<Member> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(selector, namespaces).map(([pods, where]) => podsMember(pods, where)) },
  { weight: 1, arbitrary: fc.constantFrom("10.9.0.0/24", "10.8.0.0/24").map((cidr) => addressesMember(cidr)) },
);
const mode = fc.constantFrom("off" as const, "observe" as const, "enforce" as const);
const NAMES = ["s", "t", "u"];
const segments = fc.tuple(
  ...NAMES.map((name) =>
    fc
      .tuple(fc.array(member, { minLength: 1, maxLength: 2 }), mode, mode)
      .map(([members, ingress, egress]) => segment(name, members, ingress, egress)),
  ),
);
const end = fc.subarray([...NAMES, "any"], { minLength: 1, maxLength: 2 }).map((names) => names.join(", "));
const rules = fc.array(
  fc.tuple(end, end, fc.constantFrom("any", "80/tcp", "1-443/tcp")).map(([from, to, ports]) => rule(from, to, ports)),
  { maxLength: 4 },
);

function isIn(one: Segment, who: Pod): boolean {
  return one.members.some(
    (each) => each.kind === "pods" && matches(each.pods, who.labels) && matches(each.namespaces, labelsOf(who)),
  );
}

function holds(one: Segment, atom: (typeof ATOMS)[number]): boolean {
  if (atom.pod !== undefined) return isIn(one, atom.pod);
  const start = (atom.address ?? "").split(".").slice(0, 2).join(".");
  return one.members.some(
    (each) =>
      each.kind === "addresses" && JSON.stringify(each.addresses.v4[0]) === String(start === "10.9" ? 168361984 : 168296448),
  );
}

/** The indexes of the atoms that the definitions let this pod exchange with. */
function meant(defs: Definitions, who: Pod, direction: Direction): ReadonlySet<number> {
  const all = [...defs.segments.values()];
  const mine = all.filter((one) => isIn(one, who));
  const isGoverned = who.namespace !== "kube-system";
  if (!isGoverned || !mine.some((one) => one.isolate[direction] === "enforce")) return new Set(ATOMS.keys());
  const names = new Set(["any", ...mine.map(({ name }) => name)]);
  const applying = [...defs.policies.values()]
    .flatMap((one) => one.rules)
    .filter((one) => subjects(one, direction).some((name) => names.has(name)));
  const isAllowed = (atom: (typeof ATOMS)[number]): boolean =>
    applying.some((one) => {
      const isPort =
        one.ports === "any" ||
        one.ports.some((range) => range.kind === "range" && atom.port >= range.from && atom.port <= range.to);
      const others = direction === "ingress" ? one.from : one.to;
      return isPort && others.some((name) => name === "any" || all.some((each) => each.name === name && holds(each, atom)));
    });
  return new Set([...ATOMS.keys()].filter((index) => isAllowed(ATOMS[index] as (typeof ATOMS)[number])));
}

function subjects(one: Rule, direction: Direction): readonly string[] {
  return direction === "ingress" ? one.to : one.from;
}

// would catch: an overlap of segments that loses an allow, isolates a pod that is only observed, or opens one beyond its rules
test("what is rendered lets every pod do exactly what the definitions say", () => {
  fc.assert(
    fc.property(segments, rules, (some, bodies) => {
      const defs = definitions({ clusters: [eu], segments: some, policies: [policy("p", ...bodies)] });
      const { want } = compileCluster({
        definitions: defs,
        cluster: eu,
        namespaces: NAMESPACES,
        services: [],
        memberships: new Map(),
      });
      const policies = renderNetworkPolicies(want, { instance: "i", sequence: 1, digest: "" });
      for (const who of PODS) {
        for (const direction of ["ingress", "egress"] as const) {
          const found = [...allowed(policies, who, direction, ATOMS)].sort((a, b) => a - b);
          expect(found, `${who.namespace}/${who.name} ${direction}`).toEqual([...meant(defs, who, direction)]);
        }
      }
    }),
    { numRuns: 400 },
  );
});
