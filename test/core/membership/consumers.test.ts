import { describe, expect, it } from "vitest";
import { compileTarget } from "../../../core/compile/inputs.ts";
import { membershipChange } from "../../../core/membership/change.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import { consumersBySegment } from "../../../core/membership/consumers.ts";
import type { Memberships } from "../../../core/membership/membership.ts";
import { countParts, feedersOf, relevantMemberships } from "../../../core/membership/parts.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { findTarget, listTargets, type Target } from "../../../core/model/target.ts";
import { membersDigest, wantDigest } from "../../../core/render/digest.ts";
import {
  app,
  cluster,
  definitions,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";

const shop = namespace("shop");

function world(): Definitions {
  return definitions({
    clusters: [cluster("eu"), cluster("us")],
    fleets: [
      fleet("vm", [
        { name: "db", addresses: ["10.1.0.1"], labels: { role: "db" } },
        { name: "mail", addresses: ["10.1.0.2"], labels: { role: "mail" } },
      ]),
    ],
    segments: [
      segment("web", [app("web")], "enforce", "enforce"),
      segment("db", [hostsMember({ matchLabels: { role: "db" } })], "enforce"),
      segment("mail", [hostsMember({ matchLabels: { role: "mail" } })], "enforce"),
    ],
    policies: [policy("p", rule("web", "db", "5432/tcp"))],
  });
}

function memberships(defs: Definitions, euAddress: string): Memberships {
  const of = (name: string, address: string) => {
    const found = defs.clusters.get(name);
    if (found === undefined) throw new Error(name);
    return computeMembership(
      defs,
      found,
      inventory(name, { namespaces: [shop], pods: [pod(`shop/web-${address}`, { app: "web" }, address)] }),
      1,
    ).membership;
  };
  return new Map([
    ["cluster/eu", of("eu", euAddress)],
    ["cluster/us", of("us", "10.3.0.1")],
  ]);
}

function target(defs: Definitions, id: string): Target {
  const found = findTarget(defs, id);
  if (found === undefined) throw new Error(id);
  return found;
}

describe("who must be told when a segment's addresses change", () => {
  it("is every target that enforces an end opposite to it, and nobody else", () => {
    const consumers = consumersBySegment(world());
    expect([...(consumers.get("web") ?? [])].sort()).toEqual(["host/vm/db"]);
    expect([...(consumers.get("db") ?? [])].sort()).toEqual(["cluster/eu", "cluster/us"]);
    expect(consumers.get("mail")).toBeUndefined();
  });

  it("is every target when the other end is any", () => {
    const defs = { ...world(), policies: definitions({ policies: [policy("p", rule("web", "any"))] }).policies };
    expect(consumersBySegment(defs).get("web")?.size).toBe(listTargets(defs).length);
  });

  it("covers every target whose rendering changes (the bug: a set that nobody updates)", () => {
    const defs = world();
    const operator = { floor: { from: [], ports: [] }, ownPaths: [] };
    const consumers = consumersBySegment(defs);
    for (const item of listTargets(defs)) {
      const digests = ["10.2.0.1", "10.2.0.9"].map((address) => {
        const known = relevantMemberships(defs, item, memberships(defs, address));
        const inputs =
          item.kind === "cluster"
            ? ({ kind: "cluster", namespaces: [shop], services: [], memberships: known, orphans: [] } as const)
            : ({ kind: "host", resolvers: [], memberships: known, orphans: [] } as const);
        const { want } = compileTarget(defs, item, inputs, operator);
        return `${wantDigest(want)} ${membersDigest(want)}`;
      });
      const isConsumer = consumers.get("web")?.has(item.id) ?? false;
      if (digests[0] !== digests[1]) expect(isConsumer, item.id).toBe(true);
    }
  });
});

describe("what a target's rendering rests on", () => {
  it("is fed by the other clusters whose pods may be its peers", () => {
    const defs = world();
    expect(feedersOf(defs, target(defs, "host/vm/db"))).toEqual(["cluster/eu", "cluster/us"]);
    expect(feedersOf(defs, target(defs, "host/vm/mail"))).toEqual([]);
    expect(feedersOf(defs, target(defs, "cluster/eu"))).toEqual([]);
  });

  it("counts segments and rules with a part there", () => {
    const defs = world();
    expect(countParts(defs, target(defs, "host/vm/db"))).toEqual({ segments: 1, rules: 1 });
    expect(countParts(defs, target(defs, "host/vm/mail"))).toEqual({ segments: 1, rules: 0 });
  });
});

describe("how memberships changed", () => {
  it("is counted in addresses per segment, over all feeders", () => {
    const defs = world();
    expect(membershipChange(memberships(defs, "10.2.0.1"), memberships(defs, "10.2.0.9"))).toEqual([
      { name: "web", added: 1, removed: 1, total: 2 },
    ]);
    expect(membershipChange(memberships(defs, "10.2.0.1"), memberships(defs, "10.2.0.1"))).toEqual([]);
  });
});
