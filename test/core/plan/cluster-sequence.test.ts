import { describe, expect, test } from "vitest";
import { compileCluster } from "../../../core/compile/cluster.ts";
import type { ClusterWant } from "../../../core/compile/want.ts";
import { membershipDigest } from "../../../core/membership/digest.ts";
import type { Namespace } from "../../../core/membership/inventory.ts";
import type { Membership } from "../../../core/membership/membership.ts";
import type { Policy, Segment } from "../../../core/model/kinds.ts";
import { planCluster } from "../../../core/plan/cluster.ts";
import { specKey } from "../../../core/plan/defaulting.ts";
import { wantDigest } from "../../../core/render/digest.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import { PolicyStore } from "../../support/cluster-world.ts";
import {
  addresses,
  app,
  cluster,
  definitions,
  namespace,
  pod,
  podsMember,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";
import { expand } from "../../support/expanders.ts";
import type { State } from "../../support/expanders.ts";

/**
 * States of a repository and a cluster, changed, grown and shrunk in an order that is not its own mirror image. Keys sort
 * namespaces and members before segments, and segments before the policies that name them.
 */
const shop = namespace("shop", { team: "shop" });
const far = segment("far", [podsMember({}, {}, { matchLabels: { env: "other" } })]);
const SEQUENCE: readonly State[] = [
  state([shop], [], [segment("web", [app("web")], "enforce")], []),
  state(
    [shop, namespace("pay")],
    ["10.2.0.1/32"],
    [segment("web", [app("web")], "enforce", "enforce"), segment("db", [app("db")], "enforce"), far],
    [policy("orders", rule("web", "db", "5432/tcp"), rule("far", "web", "443/tcp"))],
  ),
  state(
    [shop, namespace("pay")],
    ["10.2.0.2/32", "10.2.0.9/32"],
    [
      segment("web", [app("web"), app("api")], "enforce"),
      segment("db", [app("db")]),
      segment("team", [podsMember({}, { matchLabels: { team: "shop" } })], "enforce"),
      far,
    ],
    [
      policy("orders", rule("web", "db", "5432-5440/tcp"), rule("far", "team", "443/tcp")),
      policy("open", rule("any", "db", "9100/tcp")),
    ],
  ),
  state(
    [namespace("pay", { team: "shop" })],
    [],
    [segment("team", [podsMember({}, { matchLabels: { team: "shop" } })], "enforce"), segment("db", [app("db")], "enforce")],
    [policy("open", rule("any", "db", "9101/tcp"))],
  ),
];

function state(
  namespaces: readonly Namespace[],
  fed: readonly string[],
  segments: readonly Segment[],
  policies: readonly Policy[],
): State {
  return new Map<string, unknown>([
    ...namespaces.map((one) => [`1-namespace/${one.name}`, one] as const),
    ...fed.map((cidr) => [`2-member/${cidr}`, cidr] as const),
    ...segments.map((one) => [`3-segment/${one.name}`, one] as const),
    ...policies.map((one) => [`4-policy/${one.name}`, one] as const),
  ]);
}

const eu = cluster("eu");
const us = cluster("us", { labels: { env: "other" } });
const pods = ["shop", "pay"].flatMap((name) => ["web", "api", "db"].map((value) => pod(`${name}/${value}-1`, { app: value })));

function wantOf(current: State): ClusterWant {
  const all = <T>(kind: string): T[] => [...current].filter(([key]) => key.startsWith(kind)).map(([, value]) => value as T);
  const policies = all<Policy>("4-policy").filter(({ rules }) =>
    rules.every((one) => [...one.from, ...one.to].every((name) => name === "any" || current.has(`3-segment/${name}`))),
  );
  const defs = definitions({ clusters: [eu, us], segments: all<Segment>("3-segment"), policies });
  const segments = new Map([["far", addresses(...all<string>("2-member"))]]);
  const membership: Membership = {
    target: "cluster/us",
    segments,
    complete: true,
    observedAt: 1,
    digest: membershipDigest(segments),
  };
  const input = {
    definitions: defs,
    cluster: eu,
    namespaces: all<Namespace>("1-namespace"),
    services: [],
    memberships: new Map([["cluster/us", membership]]),
  };
  return compileCluster(input).want;
}

function step(store: PolicyStore, current: State, sequence: number): void {
  const want = wantOf(current);
  const mark = { instance: "i-1", sequence, digest: wantDigest(want) };
  const plan = planCluster({
    want,
    mark,
    observation: store.observe("cluster/eu"),
    pods,
    membershipDigest: "",
    mayUnisolate: true,
  });
  for (const one of plan.steps) store.apply(one);
}

describe("what a cluster ends in depends on the last state only", () => {
  // would catch: memory in compiler or planner, objects left behind, removals in another order than additions
  test.each(expand(SEQUENCE).map((replay) => [replay.name, replay.states] as const))("%s", (_, states) => {
    const store = new PolicyStore();
    states.forEach((current, index) => {
      step(store, current, index);
      const expected = renderNetworkPolicies(wantOf(current), { instance: "i-1", sequence: index, digest: "" });
      const keyed = (objects: Iterable<(typeof expected)[number]>): readonly string[] =>
        [...objects].map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${specKey(spec)}`).sort();
      expect(keyed(store.objects.values())).toEqual(keyed(expected));
    });
    const size = store.objects.size;
    step(store, states.at(-1) ?? new Map(), 99);
    expect(store.objects.size).toBe(size);
  });
});
