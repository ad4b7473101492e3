import fc from "fast-check";
import { estateOf } from "../../core/estate/build.ts";
import type { Estate } from "../../core/estate/estate.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Definitions, Member, Policy, Rule, Segment, TargetId } from "../../core/model/kinds.ts";
import {
  addressesMember,
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
  segmentsMember,
} from "./definitions.ts";

/** Without what is open without a rule: the slow reading does not know it. Lifelines are empty; neighbour discovery is not asked about. */
const NO_ESSENTIALS = { dns: false, probes: true, dhcp: false, ntp: false, icmpErrors: false, apiserver: false, webhooks: false };

const web = [{ name: "web", protocol: "tcp", port: 80 }] as const;
const odd = [{ name: "web", protocol: "tcp", port: 81 }] as const;

const NAMESPACES = [namespace("a", { team: "red" }), namespace("b", { team: "blue" }), namespace("kube-system")];

/** Two clusters, one of which shows only its nodes; pods of every odd kind. */
export const INVENTORIES: ReadonlyMap<TargetId, ClusterInventory> = new Map(
  [
    inventory("eu", {
      namespaces: NAMESPACES,
      nodes: [{ name: "node-1", addresses: ["10.1.0.1"] }],
      pods: [
        pod("a/x1", { app: "x", color: "blue" }, "10.2.0.1", { ports: web }),
        pod("a/x2", { app: "x", color: "blue" }, "10.2.0.2", { ports: web }),
        pod("a/y1", { app: "y", color: "red" }, "10.2.0.3", { ports: odd }),
        pod("b/x3", { app: "x" }, "10.2.1.1"),
        pod("b/y2", { app: "y", color: "blue" }, undefined, { ports: web }),
        pod("b/h1", { app: "x" }, "10.1.0.1", { hostNetwork: true }),
        pod("kube-system/k1", { app: "x", color: "red" }, "10.2.2.1"),
      ],
    }),
    inventory("us", {
      namespaces: NAMESPACES,
      nodes: [
        { name: "node-1", addresses: ["10.3.0.1"] },
        { name: "node-2", addresses: ["10.3.0.2"] },
      ],
      pods: [
        pod("a/x4", { app: "x", color: "blue" }, "10.4.0.1", { ports: web }),
        pod("a/y3", { app: "y", color: "red" }, "10.4.0.2", { node: "node-2" }),
        pod("b/z1", { app: "z" }, "10.4.0.3", { ports: odd }),
        pod("b/z2", { app: "z", color: "red" }, "10.4.0.4", { node: "node-2" }),
      ],
    }),
  ].map((one) => [one.target, one]),
);

const NAMES = ["s0", "s1", "s2", "s3"] as const;

const podSelector = fc.constantFrom(
  {},
  { matchLabels: { app: "x" } },
  { matchLabels: { app: "y" } },
  { matchLabels: { color: "blue" } },
  { matchExpressions: [{ key: "color", operator: "Exists" as const }] },
  { matchExpressions: [{ key: "app", operator: "NotIn" as const, values: ["x"] }] },
);
const namespaceSelector = fc.constantFrom({}, { matchLabels: { team: "red" } }, { matchLabels: { team: "blue" } });
const clusterSelector = fc.constantFrom(undefined, { matchLabels: { region: "eu" } }, { matchLabels: { region: "us" } });

const podsOrHosts: fc.Arbitrary<Member> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(podSelector, namespaceSelector, clusterSelector).map((parts) => podsMember(...parts)) },
  { weight: 1, arbitrary: fc.constantFrom(hostsMember({}), hostsMember({ matchLabels: { color: "red" } })) },
);
const outsiders: fc.Arbitrary<Member> = fc.constantFrom(
  externalsMember({ matchLabels: { tier: "legacy" } }),
  addressesMember("10.2.0.0/24"),
  addressesMember("10.0.0.0/8"),
  addressesMember("10.3.0.1/32"),
  addressesMember("10.9.0.0/24", "2001:db8::/32"),
);

const mode = fc.constantFrom("off" as const, "observe" as const, "enforce" as const, "enforce" as const);

/** Four segments; the last may be made of the others. */
const segments: fc.Arbitrary<readonly Segment[]> = fc
  .tuple(
    ...NAMES.map((name) =>
      fc.record({
        name: fc.constant(name),
        members: fc.array(fc.oneof({ weight: 3, arbitrary: podsOrHosts }, { weight: 1, arbitrary: outsiders }), {
          minLength: 1,
          maxLength: 2,
        }),
        nested: fc.subarray(["s0", "s1", "s2"]),
        not: fc.array(fc.oneof(podsOrHosts, outsiders), { maxLength: 1 }),
        ingress: mode,
        egress: mode,
      }),
    ),
  )
  .map((bodies) =>
    bodies.map(({ name, members, nested, not, ingress, egress }) => {
      const more = name === "s3" && nested.length > 0 ? [segmentsMember(...nested)] : [];
      return segment(name, [...members, ...more], ingress, egress, { not });
    }),
  );

const end = fc.oneof(
  { weight: 5, arbitrary: fc.subarray([...NAMES], { minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(["any"], ["internet"]) },
);
const ports = fc.constantFrom("any", "80/tcp", "80-90/tcp, 53/udp", "web/tcp", "icmp/8", "icmp, 81/tcp", "7/sctp");

const rules: fc.Arbitrary<readonly Omit<Rule, "id" | "policy">[]> = fc.array(
  fc
    .tuple(end, end, ports, fc.boolean())
    .map(([from, to, words, isSame]) =>
      rule(from.join(", "), to.join(", "), words, isSame && isLabelled(from, to) ? ["color"] : []),
    ),
  { maxLength: 4 },
);

function isLabelled(...ends: readonly (readonly string[])[]): boolean {
  return ends.every((names) => names.every((name) => name !== "any" && name !== "internet"));
}

/** What can differ between two revisions of one organisation. */
export interface Revision {
  readonly segments: readonly Segment[];
  readonly rules: readonly Omit<Rule, "id" | "policy">[];
}

export const revisions: fc.Arbitrary<Revision> = fc.record({ segments, rules });

const FLEET = [
  { name: "one", addresses: ["10.5.0.1"], labels: { color: "red" } },
  { name: "two", addresses: ["10.5.0.2", "2001:db8::2"], labels: { color: "blue" } },
];

/** The organisation at a revision, with its rules in one policy or several. */
export function organisation({ segments: list, rules: bodies }: Revision): Definitions {
  const policies: readonly Policy[] = bodies.map((body, index) => {
    const isRefused = [...body.from, ...body.to].some((name) => hasAddresses(list, name));
    return policy(`p${index}`, isRefused ? { ...body, same: [] } : body);
  });
  return definitions({
    clusters: [cluster("eu", { labels: { region: "eu" } }), cluster("us", { labels: { region: "us" }, podNetwork: "masqueraded" })],
    fleets: [fleet("fleet", FLEET)],
    externals: [
      external("mainframe", { tier: "legacy", color: "blue" }, "10.9.0.0/25"),
      external("lab", { tier: "test", color: "red" }, "10.2.0.2/31", "10.4.0.2/32", "10.5.0.2/32", "10.9.0.64/26"),
    ],
    segments: list,
    policies,
    workspace: { essentials: NO_ESSENTIALS, internal: [] },
  });
}

/** `same` is refused where addresses have no labels. */
function hasAddresses(list: readonly Segment[], name: string): boolean {
  const members = list.find((one) => one.name === name)?.members ?? [];
  return members.some((member) =>
    member.kind === "segments" ? member.segments.some((inner) => hasAddresses(list, inner)) : member.kind === "addresses",
  );
}

/** What lives there; the same for every revision. */
export const ESTATE: Estate = estateOf(organisation({ segments: [], rules: [] }), INVENTORIES);
