import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import type { Service } from "../../../core/membership/inventory.ts";
import {
  boundariesIn,
  cellKey,
  isExternalIn,
  isHostIn,
  isPodIn,
  peerAddresses,
  resolveSubjects,
  subjectsIn,
} from "../../../core/membership/resolve.ts";
import type { Member, Segment } from "../../../core/model/kinds.ts";
import { matches, type Labels, type LabelSelector } from "../../../core/selector/index.ts";
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
  podsMember,
  segment,
  segmentsMember,
  serviceMember,
} from "../../support/definitions.ts";

const eu = cluster("eu");

function service(name: string, selector: Labels = {}): Service {
  return { namespace: "shop", name, selector, clusterIps: [], ports: [] };
}

function world(...segments: Segment[]) {
  return definitions({ clusters: [eu], segments });
}

/** `a` in its world, asked of a pod. */
function holds(
  segments: readonly Segment[],
  labels: Labels,
  namespaceLabels: Labels = {},
  services: readonly Service[] = [],
): boolean {
  const defs = world(...segments);
  const [first] = segments;
  return first !== undefined && isPodIn(defs, first, eu, services, labels, namespaceLabels);
}

function without(members: readonly Member[], not: readonly Member[], name = "a"): Segment {
  return segment(name, members, "enforce", "off", { not });
}

describe("pods", () => {
  // would catch: not of a pod label that also leaves out pods of other namespaces, or none without the label
  test("not takes away what it selects, and pods without the label stay", () => {
    const shop = without([podsMember({})], [app("db", { matchLabels: { team: "shop" } })]);
    expect(holds([shop], { app: "db" }, { team: "shop" })).toBe(false);
    expect(holds([shop], { app: "db" }, { team: "other" })).toBe(true);
    expect(holds([shop], {}, { team: "shop" })).toBe(true);
  });

  // would catch: the not of an outer segment applied to one member only, or that of a nested one lost
  test("nested segments bring their own not, and the outer not holds for all of them", () => {
    const inner = without([app("web"), app("db")], [podsMember({ matchLabels: { old: "yes" } })], "inner");
    const outer = without([segmentsMember("inner"), app("tool")], [podsMember({ matchLabels: { tier: "test" } })]);
    expect(holds([outer, inner], { app: "db" })).toBe(true);
    expect(holds([outer, inner], { app: "db", old: "yes" })).toBe(false);
    expect(holds([outer, inner], { app: "db", tier: "test" })).toBe(false);
    expect(holds([outer, inner], { app: "tool", old: "yes" })).toBe(true);
  });

  // would catch: pods of another namespace with the service's labels
  test("a service is the pods that it selects in its namespace", () => {
    const services = [service("web", { app: "web" })];
    const behind = segment("a", [serviceMember("shop/web")]);
    expect(holds([behind], { app: "web" }, { "kubernetes.io/metadata.name": "shop" }, services)).toBe(true);
    expect(holds([behind], { app: "web" }, { "kubernetes.io/metadata.name": "dev" }, services)).toBe(false);
    expect(holds([behind], { app: "web" }, { "kubernetes.io/metadata.name": "shop" })).toBe(false);
  });

  // would catch: a deleted service that lets its pods in where they were left out, or that un-isolates a segment
  test("a service in not that is not there: nobody is a peer, everybody is isolated, and an error says so", () => {
    const a = without([app("web")], [serviceMember("shop/admin")]);
    const defs = world(a);
    expect(subjectsIn(defs, a, eu, [])).toEqual([]);
    expect(isPodIn(defs, a, eu, [], { app: "web" }, {}, "in")).toBe(true);
    const { notes } = computeMembership(defs, eu, inventory("eu", { namespaces: [namespace("shop")] }), 0);
    expect(notes.find(({ severity }) => severity === "error")?.summary).toContain("not names service shop/admin");
    expect(subjectsIn(defs, a, eu, [service("admin", { app: "admin" })])).toHaveLength(1);
  });

  // would catch: a compiler that takes minutes, or a cut list that leaves too much in
  test("a not that takes too many alternatives is closed on both sides", () => {
    const keys = (n: number): LabelSelector => ({ matchLabels: Object.fromEntries([0, 1, 2, 3].map((k) => [`k${n}-${k}`, "v"])) });
    const a = without(
      [podsMember({})],
      [0, 1, 2, 3, 4].map((n) => podsMember(keys(n))),
    );
    const resolved = resolveSubjects(world(a), a, eu, []);
    expect(resolved.problem).toEqual({ kind: "too-many" });
    expect(resolved.certain).toEqual([]);
    expect(resolved.possible).toHaveLength(1);
  });

  // would catch: any error of the algebra: what subjects say must be what members and not say
  test("subjects are members without not, whoever asks", () => {
    const selector: fc.Arbitrary<LabelSelector> = fc.record(
      {
        matchLabels: fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom("1", "2"), { maxKeys: 2 }),
        matchExpressions: fc.array(
          fc.oneof(
            fc.record({
              key: fc.constantFrom("x", "y"),
              operator: fc.constantFrom("In" as const, "NotIn" as const),
              values: fc.array(fc.constantFrom("1", "2", "3"), { minLength: 1, maxLength: 2 }),
            }),
            fc.record({ key: fc.constantFrom("x", "y"), operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const) }),
          ),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: [] },
    );
    const member = fc.tuple(selector, selector).map(([pods, namespaces]) => podsMember(pods, namespaces));
    const values = [undefined, "1", "2", "3"];
    const objects: readonly Labels[] = values.flatMap((x) =>
      values.map((y) => ({ ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) })),
    );
    const isIn = (members: readonly Member[], labels: Labels, of: Labels): boolean =>
      members.some((it) => it.kind === "pods" && matches(it.pods, labels) && matches(it.namespaces, of));
    fc.assert(
      fc.property(fc.array(member, { maxLength: 3 }), fc.array(member, { maxLength: 3 }), (members, not) => {
        const a = without(members, not);
        const defs = world(a);
        if (resolveSubjects(defs, a, eu, []).problem !== undefined) return;
        const asked = objects.flatMap((labels) => objects.map((of) => ({ labels, of })));
        const wrong = asked.filter(
          ({ labels, of }) => isPodIn(defs, a, eu, [], labels, of) !== (isIn(members, labels, of) && !isIn(not, labels, of)),
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the others", () => {
  const fleets = [
    fleet("vm", [
      { name: "a", addresses: ["10.1.0.1"], labels: { role: "db" } },
      { name: "b", addresses: ["10.1.0.2"], labels: { role: "db", old: "yes" } },
    ]),
  ];
  const externals = [external("mainframe", { tier: "legacy" }, "10.9.0.0/30"), external("printer", {}, "10.8.0.1/32")];

  test("hosts: by labels, nested, without not", () => {
    const db = segment("db", [hostsMember({ matchLabels: { role: "db" } })]);
    const a = without([segmentsMember("db")], [hostsMember({ matchLabels: { old: "yes" } })]);
    const defs = definitions({ fleets, segments: [a, db] });
    const [vm] = fleets;
    expect(vm?.hosts.map((host) => vm !== undefined && isHostIn(defs, a, vm, host))).toEqual([true, false]);
  });

  // would catch: an address that not names and a nested external brings back
  test("addresses: externals and addresses, without what not takes", () => {
    const legacy = segment("legacy", [externalsMember({ matchLabels: { tier: "legacy" } })]);
    const a = without([segmentsMember("legacy"), addressesMember("10.7.0.0/31")], [addressesMember("10.9.0.2/31", "10.7.0.1/32")]);
    const defs = definitions({ externals, segments: [a, legacy] });
    expect(formatSet(peerAddresses(defs, a))).toBe("10.7.0.0, 10.9.0.0/31");
    expect(externals.map((it) => isExternalIn(defs, a, it))).toEqual([true, false]);
  });

  test("boundary: per side, and not of a side takes it away", () => {
    const both = segment("both", [boundaryMember("ingress"), boundaryMember("egress")]);
    const a = without([segmentsMember("both")], [boundaryMember("egress")]);
    expect(boundariesIn(world(a, both), a, eu)).toEqual(["ingress"]);
    const elsewhere = segment("a", [boundaryMember("ingress", { matchLabels: { env: "dev" } })]);
    expect(boundariesIn(world(elsewhere), elsewhere, eu)).toEqual([]);
  });

  // would catch: two cells of one name
  test("cells have one name for one meaning, whatever the values", () => {
    expect(cellKey("s", { b: "2", a: "1" })).toBe(cellKey("s", { a: "1", b: "2" }));
    expect(cellKey("s", { a: "1&b=2" })).not.toBe(cellKey("s", { a: "1", b: "2" }));
  });
});
