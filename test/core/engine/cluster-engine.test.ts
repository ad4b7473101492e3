import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSet, subtract, union } from "../../../core/address/index.ts";
import type { AddressSet } from "../../../core/address/index.ts";
import { ClusterEngine } from "../../../core/engine/cluster-engine.ts";
import { presentCells } from "../../../core/membership/present-cells.ts";
import { liveAddresses } from "../../../core/membership/clashes.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import type { ClusterInventory, Namespace, Node, Pod, Service } from "../../../core/membership/inventory.ts";
import type { Cluster } from "../../../core/model/kinds.ts";
import {
  app,
  boundaryMember,
  cluster,
  definitions,
  inventory,
  namespace,
  pod,
  podsMember,
  policy,
  rule,
  segment,
  segmentsMember,
  serviceMember,
} from "../../support/definitions.ts";
import { expand, type State } from "../../support/expanders.ts";

const segments = [
  segment("web", [app("web")]),
  segment("shop", [podsMember({}, { matchLabels: { team: "shop" } })], "observe", "observe", { not: [app("db")] }),
  segment("behind", [serviceMember("shop/web"), serviceMember("shop/old")]),
  segment("all", [segmentsMember("web", "shop")], "observe", "observe", { not: [segmentsMember("behind")] }),
  segment("in", [boundaryMember("ingress")]),
  segment("out", [boundaryMember("egress")]),
];
const policies = [policy("p", rule("web, shop", "all", "any", ["color"]), rule("in", "web"), rule("web", "out"))];

function world(podNetwork: Cluster["podNetwork"]) {
  const eu = cluster("eu", { podNetwork });
  return { eu, definitions: definitions({ clusters: [eu], segments, policies }) };
}

function service(name: string, over: Partial<Service> = {}): Service {
  return { namespace: "shop", name, selector: {}, clusterIps: [], ports: [], ...over };
}

/** What an API server holds: `1ns/NAME`, `2node/NAME`, `3service/NAME`, `4pod/NAMESPACE/NAME`. */
function inventoryOf(state: State): ClusterInventory {
  const of = <T>(kind: string): T[] => [...state].filter(([key]) => key.startsWith(kind)).map(([, item]) => item as T);
  return inventory("eu", {
    namespaces: of<Namespace>("1ns"),
    nodes: of<Node>("2node"),
    services: of<Service>("3service"),
    pods: of<Pod>("4pod"),
  });
}

function steps(before: State, after: State, engine: ClusterEngine): void {
  for (const [key, item] of after) {
    if (before.get(key) === item) continue;
    if (key.startsWith("1ns")) engine.apply({ kind: "namespace", namespace: item as Namespace });
    if (key.startsWith("2node")) engine.apply({ kind: "node", node: item as Node });
    if (key.startsWith("4pod")) engine.apply({ kind: "pod", pod: item as Pod });
  }
  for (const key of before.keys()) {
    if (after.has(key)) continue;
    const name = key.slice(key.indexOf("/") + 1);
    if (key.startsWith("1ns")) engine.apply({ kind: "namespace-gone", key: name });
    if (key.startsWith("2node")) engine.apply({ kind: "node-gone", key: name });
    if (key.startsWith("4pod")) engine.apply({ kind: "pod-gone", key: name });
  }
}

function shown(sets: ReadonlyMap<string, AddressSet>): Record<string, string> {
  return Object.fromEntries([...sets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, set]) => [key, formatSet(set)]));
}

/** Replays the states event by event; after each one the engine must be what a computation from scratch is, and its deltas lead there. */
function replay(states: readonly State[], podNetwork: Cluster["podNetwork"]): void {
  const { eu, definitions: defs } = world(podNetwork);
  let before: State = new Map();
  const engine = new ClusterEngine(defs, eu, inventoryOf(before));
  let followed = new Map<string, AddressSet>();
  for (const state of states) {
    steps(before, state, engine);
    const now = inventoryOf(state);
    engine.redefine(defs, eu, now.services);
    for (const { key, added, removed } of engine.take()) {
      const old = followed.get(key) ?? { v4: [], v6: [] };
      expect(formatSet(subtract(removed, old)), `${key} loses what it had not`).toBe("no address");
      followed.set(key, union(subtract(old, removed), added));
    }
    expect(engine.take()).toEqual([]);
    const scratch = computeMembership(defs, eu, now, 1).membership;
    const mine = engine.membership(true, 1);
    expect(shown(mine.segments)).toEqual(shown(scratch.segments));
    expect(mine.digest).toBe(scratch.digest);
    followed = new Map([...followed].filter(([key, set]) => scratch.segments.has(key) || formatSet(set) !== "no address"));
    for (const key of scratch.segments.keys()) if (!followed.has(key)) followed.set(key, { v4: [], v6: [] });
    expect(shown(followed)).toEqual(shown(scratch.segments));
    expect(engine.liveAddresses()).toEqual(liveAddresses(eu, now));
    expect(engine.presentCells()).toEqual(presentCells(defs, eu, now));
    before = state;
  }
}

const node = (name: string, ...addresses: string[]): Node => ({ name, addresses });
const p1 = pod("shop/a", { app: "web", color: "blue" }, "10.0.0.1", { node: "n1" });
const selector = { app: "web" };
const controller = { "app.kubernetes.io/name": "ingress-nginx" };
const sequence: readonly State[] = [
  new Map<string, unknown>([
    ["1ns/shop", namespace("shop", { team: "shop" })],
    ["2node/n1", node("n1", "192.168.0.1")],
    ["4pod/shop/a", p1],
    ["4pod/dev/x", pod("dev/x", { app: "db", color: "red" }, "10.0.0.2", { node: "n2" })],
  ]),
  new Map<string, unknown>([
    // A namespace that joins, a node that comes after its pods, a service, a second holder of one address.
    ["1ns/shop", namespace("shop")],
    ["1ns/dev", namespace("dev", { team: "shop" })],
    ["2node/n1", node("n1", "192.168.0.1")],
    ["2node/n2", node("n2", "192.168.0.2", "fd00::2")],
    ["3service/shop/web", service("web", { selector })],
    [
      "3service/shop/old",
      service("old", {
        endpoints: [
          { address: "10.9.0.1", ports: [] },
          { address: "10.0.0.2", pod: "b", ports: [] },
        ],
      }),
    ],
    ["4pod/shop/a", p1],
    ["4pod/shop/b", pod("shop/b", { app: "db" }, "10.0.0.1", { node: "n1" })],
    ["4pod/dev/x", pod("dev/x", { app: "db", color: "red" }, "10.0.0.2", { node: "n2" })],
  ]),
  new Map<string, unknown>([
    // A cell that changes, a moved pod, an address that is another pod's now, both families, an ingress controller.
    ["1ns/dev", namespace("dev", { team: "shop" })],
    ["2node/n2", node("n2", "192.168.0.3", "fd00::2")],
    ["3service/shop/web", service("web", { selector: controller, loadBalancer: ["203.0.113.9"] })],
    ["4pod/shop/a", pod("shop/a", { app: "web", color: "red" }, undefined, { node: "n2", addresses: ["10.0.0.7", "fd00::7"] })],
    ["4pod/shop/c", pod("shop/c", controller, "10.0.0.1", { node: "n2" })],
    ["4pod/dev/x", pod("dev/x", { app: "db", color: "green" }, "10.0.0.2", { node: "n2", hostNetwork: true })],
  ]),
];

describe("a sequence of states, one event at a time, is what a computation from scratch says", () => {
  for (const podNetwork of ["routed", "masqueraded"] as const) {
    test.each(expand(sequence).map(({ name, states }) => [name, states] as const))(`${podNetwork}: %s`, (_, states) => {
      replay(states, podNetwork);
    });
  }

  // would catch: state that an unlucky order of events leaves behind
  test("any sequence", () => {
    const labels = fc.record({ app: fc.constantFrom("web", "db"), color: fc.constantFrom("blue", "red") }, { requiredKeys: [] });
    const path = fc.constantFrom("shop/a", "shop/b", "dev/a", "dev/b");
    const aPod = fc
      .record({
        path,
        labels,
        address: fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1"),
        node: fc.constantFrom("n1", "n2"),
        hostNetwork: fc.constantFrom(false, false, true),
      })
      .map((it) => [`4pod/${it.path}`, pod(it.path, it.labels as Record<string, string>, it.address, it)] as const);
    const aNamespace = fc
      .record({ name: fc.constantFrom("shop", "dev"), team: fc.constantFrom("shop", "other") })
      .map(({ name, team }) => [`1ns/${name}`, namespace(name, { team })] as const);
    const aNode = fc
      .record({ name: fc.constantFrom("n1", "n2"), last: fc.nat(3) })
      .map(({ name, last }) => [`2node/${name}`, node(name, `192.168.0.${last}`)] as const);
    const aService = fc
      .constantFrom(service("web", { selector }), service("old", { endpoints: [{ address: "10.0.0.1", pod: "a", ports: [] }] }))
      .map((it) => [`3service/shop/${it.name}`, it] as const);
    const state = fc
      .array(fc.oneof(aPod, aPod, aPod, aNamespace, aNode, aService), { maxLength: 8 })
      .map((items) => new Map<string, unknown>(items));
    fc.assert(
      fc.property(
        fc.array(state, { minLength: 1, maxLength: 5 }),
        fc.constantFrom("routed" as const, "masqueraded" as const),
        replay,
      ),
      { numRuns: 150 },
    );
  });
});

describe("an event", () => {
  const { eu, definitions: defs } = world("routed");

  // would catch: a relabelled namespace that waits for the next whole list (docs/design/networkpolicy.md 30)
  test("of a namespace's label moves its pods into a segment, and says which", () => {
    const engine = new ClusterEngine(defs, eu, inventory("eu", { namespaces: [namespace("shop")], pods: [p1] }));
    engine.take();
    engine.apply({ kind: "namespace", namespace: namespace("shop", { team: "shop" }) });
    const changed = Object.fromEntries(engine.take().map(({ key, added }) => [key, formatSet(added)]));
    expect(changed).toEqual({ shop: "10.0.0.1", "shop?color=blue": "10.0.0.1" });
    expect(engine.keysOf("shop/a")).toContain("shop");
  });

  // would catch: a delta for a pod that came and went, or for a heartbeat
  test("that is undone before anybody looks is no change", () => {
    const engine = new ClusterEngine(defs, eu, inventory("eu", { pods: [p1] }));
    engine.take();
    engine.apply({ kind: "pod-gone", key: "shop/a" });
    engine.apply({ kind: "pod", pod: { ...p1 } });
    engine.apply({ kind: "pod", pod: pod("shop/new", { app: "web" }, "10.0.0.9") });
    engine.apply({ kind: "pod-gone", key: "shop/new" });
    expect(engine.take()).toEqual([]);
  });

  // would catch: gaps of a lost watch that no event tells
  test("of a whole list takes away what is not in it", () => {
    const other = pod("shop/other", { app: "web" }, "10.0.0.9");
    const engine = new ClusterEngine(defs, eu, inventory("eu", { pods: [p1, other] }));
    engine.take();
    engine.replace(inventory("eu", { pods: [other] }));
    expect(engine.take().map(({ key, removed }) => `${key} ${formatSet(removed)}`)).toEqual(
      expect.arrayContaining(["web 10.0.0.1", "boundary/egress 10.0.0.1"]),
    );
  });
});
