import { describe, expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { clusterStructure } from "../../../core/compile/structure.ts";
import { estateOf } from "../../../core/estate/build.ts";
import { fairCells, MAX_PRESENT } from "../../../core/membership/cells.ts";
import { clashingAddresses, findAddressClashes, liveAddresses, readLiveAddresses } from "../../../core/membership/clashes.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import type { Pod } from "../../../core/membership/inventory.ts";
import { freezeAddresses } from "../../../core/membership/merge.ts";
import { claimants } from "../../../core/membership/pod-addresses.ts";
import {
  app,
  cluster,
  definitions,
  fleet,
  inventory,
  namespace,
  pod,
  policy,
  prefix,
  rule,
  segment,
} from "../../support/definitions.ts";
import { differencesOf } from "../../support/compile-organisation.ts";

const eu = cluster("eu", { podRanges: [prefix("10.9.0.0/16"), prefix("2001:db8:9::/48")] });
const shop = { matchLabels: { team: "shop" } };
const web = segment("web", [app("web", shop)], "enforce", "enforce");
const db = segment("db", [app("db", shop)], "enforce", "enforce");
const defs = definitions({
  clusters: [eu],
  fleets: [fleet("dir", [{ name: "one", addresses: ["10.20.0.11"], labels: {} }])],
  segments: [web, db],
  policies: [policy("p", rule("web", "db", "5432/tcp", ["color"]))],
});
const namespaces = [namespace("shop", { team: "shop" }), namespace("tenant-a")];
const colored = (path: string, kind: string, color: string): Pod => pod(path, { app: kind, color }, undefined, { addresses: [] });
const honest = ["blue", "red"].flatMap((color) => [
  pod(`shop/web-${color}`, { app: "web", color }, "10.9.1.1"),
  pod(`shop/db-${color}`, { app: "db", color }, "10.9.1.2"),
]);
const tenants = (count: number, path: string): readonly Pod[] =>
  Array.from({ length: count }, (_, n) => [
    colored(`${path}/web-${n}`, "web", `a${n}`),
    colored(`${path}/db-${n}`, "db", `a${n}`),
  ]).flat();

function compiled(pods: readonly Pod[], spaces = namespaces) {
  const seen = inventory("eu", { namespaces: spaces, pods });
  const { cells } = clusterStructure(defs, eu, seen);
  const { want, notes } = compileCluster({
    definitions: defs,
    cluster: eu,
    namespaces: spaces,
    services: [],
    memberships: new Map(),
    cells,
  });
  const colors = want.objects.flatMap(({ subject }) => subject.matchLabels?.["color"] ?? []);
  return { seen, colors: new Set(colors), objects: want.objects.length, codes: notes.map(({ code }) => code) };
}

describe("label values that a tenant writes", () => {
  // would catch (H7): 510 labels of a tenant's Pending pods, in no segment, that make a thousand objects; 512 that take the rule away
  test("on pods in no segment make no object and take no rule away", () => {
    const alone = compiled(honest);
    const beside = compiled([...honest, ...tenants(600, "tenant-a")]);
    expect([...beside.colors].sort()).toEqual(["blue", "red"]);
    expect([beside.objects, beside.codes]).toEqual([alone.objects, alone.codes]);
  });

  // would catch: a member of both ends who crowds out the others, and a target that cannot be planned because of him
  test("on pods of both ends take nothing from other namespaces, and what is cut is no contradiction", () => {
    const spaces = [...namespaces, namespace("mine", { team: "shop" })];
    const { seen, colors, codes } = compiled([...honest, ...tenants(600, "mine")], spaces);
    expect([colors.has("blue"), colors.has("red"), colors.size]).toEqual([true, true, 512]);
    expect(codes).toContain("same-too-many");
    expect(differencesOf({ definitions: defs, inventories: [seen] })).toEqual([]);
  });

  // would catch: a list that grows with what a tenant writes
  test("are a bounded list, those of every namespace first", () => {
    const many = Array.from({ length: 5000 }, (_, n) => JSON.stringify([`a${n}`]));
    const { cells, isWhole } = fairCells([many, ['["z1"]', '["z2"]']]);
    expect([cells.length, isWhole]).toEqual([MAX_PRESENT, false]);
    expect(cells.slice(0, 4).flat()).toEqual(expect.arrayContaining(["z1", "z2"]));
  });
});

describe("addresses that a pod's status claims", () => {
  const named = (path: string, ...addresses: string[]): Pod => pod(path, { app: "web" }, undefined, { addresses });

  // would catch (M11): 198.51.100.99 in sets of hosts because a status says so
  test("outside podRanges join nothing, in no reading, and are told with whose they are", () => {
    const seen = inventory("eu", { namespaces, pods: [named("shop/web-1", "198.51.100.99", "10.9.0.7", "2001:db8:8::1")] });
    const { membership, notes } = computeMembership(defs, eu, seen, 0);
    expect(formatSet(membership.segments.get("web") ?? { v4: [], v6: [] })).toBe("10.9.0.7");
    expect(notes.filter(({ code }) => code === "address-outside-ranges").map(({ summary }) => summary)).toEqual([
      "cluster eu: shop/web-1 198.51.100.99: outside its podRanges, so such an address joins no set",
    ]);
    const [workload] = estateOf(defs, new Map([["cluster/eu", seen]])).workloads.filter(({ kind }) => kind === "pod");
    expect(formatSet(workload?.addresses ?? { v4: [], v6: [] })).toBe("10.9.0.7");
  });

  // would catch: 100,000 pods that hold the service up while they are read; two pods far from each other whose one address nobody contests
  test("are read in steps, and who shares one is found over all of them", () => {
    const pods = Array.from({ length: 9_000 }, (_, at) => named(`shop/p-${at}`, `10.9.${at >> 8}.${at & 255}`));
    const now = inventory("eu", { namespaces, pods: [...pods, named("shop/x", "10.9.0.7"), named("shop/y", "2001:db8:9::1")] });
    const steps = readLiveAddresses(eu, now);
    let count = 0;
    while (steps.next().done !== true) count += 1;
    expect(count).toBeGreaterThan(4);
    const { own, contested } = liveAddresses(eu, now);
    expect(formatSet(contested)).toBe("10.9.0.7");
    expect(formatSet(own)).toBe("10.9.0.0-10.9.35.39, 2001:db8:9::1");
  });

  // would catch: a pod that takes another one's address, or its node's, and its place in every rule
  test("of another pod or of a node join no further set and leave none", () => {
    const before = inventory("eu", { namespaces, pods: [named("shop/web-1", "10.9.0.1"), named("shop/web-2", "10.9.0.2")] });
    const first = computeMembership(defs, eu, before, 0).membership;
    const nodes = [{ name: "n1", addresses: ["10.9.0.50"] }];
    const evil = { ...named("shop/x", "10.9.0.2", "10.9.0.50", "10.9.0.3"), labels: { app: "db" } };
    const now = inventory("eu", { namespaces, nodes, pods: [...before.pods, evil] });
    const live = liveAddresses(eu, now);
    const clashes = findAddressClashes(defs, new Map([["cluster/eu", live]]));
    expect(clashes.map(({ kind, addresses }) => `${kind} ${formatSet(addresses)}`)).toEqual(["address-clash 10.9.0.2, 10.9.0.50"]);
    expect(claimants(eu, now, live.contested)).toEqual(["node n1", "pod shop/web-2", "pod shop/x"]);
    const frozen = freezeAddresses(first, computeMembership(defs, eu, now, 0).membership, clashingAddresses(clashes));
    expect(formatSet(frozen.segments.get("db") ?? { v4: [], v6: [] })).toBe("10.9.0.3");
    expect(formatSet(frozen.segments.get("web") ?? { v4: [], v6: [] })).toBe("10.9.0.1-10.9.0.2");
  });

  // would catch: root of a node who writes a host's address into its status, and the host let in wherever the boundary is
  test("of a host, by a node, join nothing either", () => {
    const seen = inventory("eu", { nodes: [{ name: "n1", addresses: ["10.1.0.1", "10.20.0.11"] }] });
    const clashes = findAddressClashes(defs, new Map([["cluster/eu", liveAddresses(eu, seen)]]));
    expect(clashes.map(({ kind }) => kind)).toEqual(["host-is-a-node"]);
    expect(formatSet(clashingAddresses(clashes))).toBe("10.20.0.11");
  });

  // would catch: a pod that says it is a host of a fleet
  test("of a host are no identity", () => {
    const wide = cluster("eu", { podRanges: [] });
    const world = definitions({ clusters: [wide], fleets: [...defs.fleets.values()], segments: [web] });
    const seen = inventory("eu", { namespaces, pods: [named("shop/web-1", "10.20.0.11")] });
    const clashes = findAddressClashes(world, new Map([["cluster/eu", liveAddresses(wide, seen)]]));
    expect(formatSet(clashingAddresses(clashes))).toBe("10.20.0.11");
  });
});
