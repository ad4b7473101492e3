import { describe, expect, test } from "vitest";
import type { ClusterInventory } from "../../../core/membership/inventory.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import { compileTarget } from "../../../core/compile/inputs.ts";
import type { TargetInputs } from "../../../core/compile/inputs.ts";
import { clusterStructure } from "../../../core/compile/structure.ts";
import type { ClusterWant, Want } from "../../../core/compile/want.ts";
import { findTarget } from "../../../core/model/target.ts";
import { equivalenceKey, requireEquivalence } from "../../../core/plan/equivalence.ts";
import type { CompiledWant } from "../../../core/plan/equivalence.ts";
import { pod } from "../../support/definitions.ts";
import { inventories, shop } from "../enforced/shop.ts";

const OPERATOR = { floor: { from: [], ports: [] }, ownPaths: [] };
const NOW = Date.parse("2026-11-21T00:00:00Z");

/** Cluster eu of the shop, compiled with the memberships of `fed`, while `seen` is what its pods are now. */
function compiled(fed: readonly ClusterInventory[], seen: readonly ClusterInventory[] = fed): CompiledWant {
  const target = findTarget(shop, "cluster/eu");
  const [eu, us] = fed;
  const others = shop.clusters.get("us");
  if (target?.kind !== "cluster" || eu === undefined || us === undefined || others === undefined) throw new Error("eu, us");
  const { membership } = computeMembership(shop, others, us, 0);
  const memberships = new Map([["cluster/us", membership]]);
  const inputs: TargetInputs = {
    kind: "cluster",
    ...clusterStructure(shop, target.cluster, eu),
    memberships,
    orphans: [],
    now: NOW,
  };
  const { want } = compileTarget(shop, target, inputs, OPERATOR);
  return {
    definitions: shop,
    target,
    want,
    inputs,
    operator: OPERATOR,
    inventories: new Map(seen.map((one) => [one.target, one])),
  };
}

/** The want with one port wider. */
function widened({ want }: CompiledWant): Want {
  const cluster = want as ClusterWant;
  const objects = cluster.objects.map((object) => ({
    ...object,
    allows: object.allows.map((allow) =>
      allow.origin === "order/0" && allow.ports !== "any"
        ? { ...allow, ports: allow.ports.map((port) => (port.kind === "range" ? { ...port, to: port.to + 1 } : port)) }
        : allow,
    ),
  }));
  return { ...cluster, objects };
}

describe("requireEquivalence", () => {
  test("a want that means what the definitions say has nothing to tell", () => {
    expect(requireEquivalence(compiled(inventories))).toEqual([]);
  });

  // Bug: a compiler that widens, and nobody who stops the plan.
  test("a wider want stops the plan, with a connection that shows it", () => {
    const right = compiled(inventories);
    expect(() => requireEquivalence({ ...right, want: widened(right) })).toThrow(
      /check what was rendered for cluster\/eu: eu\/shop\/web-1 → eu\/shop\/db-1: 5433\/tcp, ingress .*the definitions do not allow it/,
    );
  });

  // Bug: a pod that came between two looks is called a bug of ours, and every plan of its neighbours stops.
  test("a pod elsewhere that came or went since the membership was computed is no difference", () => {
    const [eu, us] = inventories as [ClusterInventory, ClusterInventory];
    const more = { ...us, pods: [...us.pods, pod("shop/web-9", { app: "web" }, "10.2.0.9")] };
    const fewer = { ...us, pods: [] };
    expect(requireEquivalence(compiled(inventories, [eu, more]))).toEqual([]);
    expect(requireEquivalence(compiled(inventories, [eu, fewer]))).toEqual([]);
    expect(requireEquivalence(compiled([eu, more], inventories))).toEqual([]);
  });

  test("pods of a namespace that is being deleted are nobody's subjects", () => {
    const [eu, us] = inventories as [ClusterInventory, ClusterInventory];
    const going = { ...eu, namespaces: eu.namespaces.map((one) => ({ ...one, terminating: true as const })) };
    expect(requireEquivalence(compiled([going, us]))).toEqual([]);
  });

  test("where nothing enforces, what is rendered opens nothing and closes nothing", () => {
    const right = compiled(inventories);
    expect(requireEquivalence({ ...right, enforcer: "none" })).toEqual([]);
  });
});

describe("equivalenceKey", () => {
  const [eu, us] = inventories as [ClusterInventory, ClusterInventory];
  const key = (question: CompiledWant, sequence = 1): string => equivalenceKey(question, sequence);

  // Bug: a check for every pod event; or none although a label makes another group.
  test("one more pod of a known group asks nothing new, another group or revision does", () => {
    const before = compiled(inventories);
    const twin = { ...eu, pods: [...eu.pods, pod("shop/web-3", { app: "web" }, "10.1.0.3")] };
    const stranger = { ...eu, pods: [...eu.pods, pod("shop/new-1", { app: "new" }, "10.1.0.4")] };
    expect(key(compiled([twin, us]))).toBe(key(before));
    expect(key(compiled([stranger, us]))).not.toBe(key(before));
    expect(key(before, 2)).not.toBe(key(before));
    expect(key({ ...before, want: widened(before) })).not.toBe(key(before));
  });
});
