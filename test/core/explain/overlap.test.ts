import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromPrefixes, intersect, isEmpty, parsePrefix, type AddressSet } from "../../../core/address/index.ts";
import { hasPort } from "../../../core/address/ports.ts";
import { renderedSource } from "../../../core/enforced/source.ts";
import { explainConnection } from "../../../core/explain/explain.ts";
import { connect } from "../../../core/guardrail/connection.ts";
import { checkTests } from "../../../core/guardrail/tests.ts";
import { seenWorld } from "../../../core/guardrail/world.ts";
import type { ConnectivityWorld } from "../../../core/guardrail/world.ts";
import { listSource } from "../../../core/reach/listing.ts";
import { sourceDiff } from "../../../core/reach/diff.ts";
import { listSegments } from "../../../core/segments/list.ts";
import type { Party, Source } from "../../../core/reach/source.ts";
import { renderAll } from "../enforced/render-all.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

/**
 * Ranges that hold each other, a host and a pod (docs/design/contracts.md "Membership by address"): what people are told of a name is what
 * the rendered rules do to every one of its addresses.
 */

const PODS = inventory("eu", {
  namespaces: [namespace("shop")],
  pods: [pod("shop/db-1", { app: "db" }, "10.244.0.1"), pod("shop/web-1", { app: "web" }, "10.244.0.2")],
});

/** `corp` is an External as wide as asked; `narrow` is a range in it; rules let the named ones in. */
function organisation(corp: string, narrow: string, rules: readonly string[], except = "[]", tests = ""): string {
  return `
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.244.0.0/16], enforcer: kube-network-policies}
---
kind: HostFleet
metadata: {name: metal}
spec:
  mode: apply
  transport: {ssh: {user: root}}
  hosts:
    - {name: one, addresses: [10.20.0.11], labels: {role: one}}
    - {name: two, addresses: [10.20.0.12], labels: {role: two}}
---
kind: External
metadata: {name: corp, labels: {net: corp}}
spec: {addresses: [${corp}], except: ${except}}
---
kind: Workspace
spec: {internal: [10.0.0.0/8], essentials: {icmpErrors: false, dns: false, ntp: false, dhcp: false}}
---
kind: Segment
metadata: {name: corp-net}
spec: {members: [{externals: {matchLabels: {net: corp}}}]}
---
kind: Segment
metadata: {name: narrow}
spec: {members: [{addresses: [${narrow}]}]}
---
kind: Segment
metadata: {name: corp-rest}
spec: {members: [{externals: {matchLabels: {net: corp}}}], not: [{addresses: [${narrow}]}]}
---
kind: Segment
metadata: {name: one}
spec: {members: [{hosts: {matchLabels: {role: one}}}], isolate: {ingress: enforce, egress: enforce}}
---
kind: Segment
metadata: {name: two}
spec: {members: [{hosts: {matchLabels: {role: two}}}], isolate: {ingress: off, egress: off}}
---
kind: Segment
metadata: {name: db}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: enforce, egress: enforce}}
---
kind: Policy
metadata: {name: flow}
spec:
  rules:
${rules.map((rule) => `    - ${rule}`).join("\n")}
${tests}`;
}

function worldOf(text: string): ConnectivityWorld {
  const seen = { inventories: new Map([["cluster/eu", PODS]]), live: undefined, enforcers: new Map(), hosts: new Map() };
  return seenWorld(written(text), seen, Date.UTC(2026, 10, 21));
}

function ask(world: ConnectivityWorld, from: string, to: string) {
  return explainConnection(world, { files: [], patchPath: (path) => path }, { from, to, port: "443" });
}

const NARROW_MAY = ["{from: [narrow], to: [one], ports: [443/tcp]}", "{from: [narrow], to: [db], ports: [443/tcp]}"];

describe("an External that is wider than the range that may connect", () => {
  // Bug: the External is taken for a member of the narrow segment, so all of 10.0.0.0/8 is said to be ALLOWED where 10.1.0.0/16 is.
  it("is allowed for some, and what is told is a part that is not", () => {
    const world = worldOf(organisation("10.0.0.0/8", "10.1.0.0/16", NARROW_MAY));
    expect(ask(world, "corp", "metal/one")).toMatchObject({
      verdict: "some",
      pair: { from: expect.stringMatching(/^corp \(10\.0\.0\.0/) },
    });
    expect(ask(world, "corp", "db").verdict).toBe("some");
    expect(ask(world, "narrow", "metal/one").verdict).toBe("allowed");
    expect(ask(world, "corp-net", "db").verdict).toBe("some");
    expect(ask(world, "corp-rest", "db").verdict).toBe("denied");
    expect(ask(world, "10.1.2.3", "db").verdict).toBe("allowed");
    expect(ask(world, "10.2.2.3", "db").verdict).toBe("denied");
    expect(ask(world, "any", "db").verdict).toBe("some");
  });

  // Bug: a segment of addresses alone is asked as one lump, and allowed because a part of it is.
  it("is cut also where it is only addresses in a segment", () => {
    const text = organisation("192.0.2.1", "10.1.0.0/16", NARROW_MAY).replace(
      "spec: {members: [{externals: {matchLabels: {net: corp}}}]}",
      "spec: {members: [{externals: {matchLabels: {net: corp}}}, {addresses: [10.0.0.0/8]}]}",
    );
    expect(ask(worldOf(text), "corp-net", "db").verdict).toBe("some");
  });

  // Bug: `internet` is asked as the one External that has a public address, and its answer is told of everybody.
  it("does not stand for the internet around it", () => {
    const world = worldOf(organisation("203.0.114.7", "203.0.114.7", NARROW_MAY));
    expect(ask(world, "internet", "db").verdict).toBe("some");
  });

  // Bug: a policy's test that expects the whole range to be let in passes because a part of it is.
  it("fails a test that expects all of it to be let in, or none of it", () => {
    const tests = `  tests:
    - {from: corp-net, to: one, port: 443/tcp, expect: allowed}
    - {from: corp-net, to: one, port: 443/tcp, expect: denied}
    - {from: narrow, to: one, port: 443/tcp, expect: allowed}
    - {from: corp-rest, to: one, port: 443/tcp, expect: denied}`;
    const { definitions, approved } = worldOf(organisation("10.0.0.0/8", "10.1.0.0/16", NARROW_MAY, "[]", tests));
    expect(checkTests(definitions, approved).map(({ outcome }) => outcome)).toEqual(["violated", "violated", "passed", "passed"]);
  });

  // Bug: `segments narrow` lists the External with 10.0.0.0/8.
  it("is in the narrow segment with the addresses that it has there", () => {
    const { definitions, estate } = worldOf(organisation("10.0.0.0/8", "10.1.0.0/16", NARROW_MAY));
    const { segments } = listSegments({ basis: "inventory", definitions, estate, gaps: [] }, "narrow");
    expect(segments[0]?.members.map(({ name, addresses }) => ({ name, addresses }))).toEqual([
      { name: "corp (10.1.0.0/16)", addresses: ["10.1.0.0/16"] },
    ]);
  });

  // Bug: `diff` says that the whole External opens, or that naming addresses opens them.
  it("opens in a difference by the part that opens; giving addresses a name opens nothing", () => {
    const before = worldOf(organisation("10.0.0.0/8", "10.1.0.0/16", ["{from: [two], to: [one], ports: [443/tcp]}"]));
    const after = worldOf(organisation("10.0.0.0/8", "10.1.0.0/16", [...NARROW_MAY, "{from: [two], to: [one], ports: [443/tcp]}"]));
    const diff = sourceDiff(before.approved, after.intentOf(after.definitions));
    expect(diff.opened.map(({ from }) => from)).toEqual(["narrow"]);
    const named = worldOf(organisation("10.0.0.0/8", "10.1.0.0/16", NARROW_MAY));
    const without = worldOf(organisation("192.0.2.9", "10.1.0.0/16", NARROW_MAY));
    expect(sourceDiff(without.approved, named.approved)).toMatchObject({ kind: "equivalent", opened: [], closed: [] });
  });
});

const ranges = fc.constantFrom(
  "10.0.0.0/8",
  "10.0.0.0/9",
  "10.20.0.0/16",
  "10.20.0.0/28",
  "10.20.0.11/32",
  "10.244.0.0/16",
  "10.244.0.2/32",
  "0.0.0.0/0",
  "203.0.113.0/24",
);
const names = fc.constantFrom("corp-net", "narrow", "corp-rest", "two", "internet");
const rules = fc.uniqueArray(
  fc
    .record({ peer: names, own: fc.constantFrom("one", "db"), isIngress: fc.boolean() })
    .map(({ peer, own, isIngress }) => `{from: [${isIngress ? peer : own}], to: [${isIngress ? own : peer}], ports: [443/tcp]}`),
  { minLength: 1, maxLength: 3 },
);

function single(text: string): AddressSet {
  const parsed = parsePrefix(`${text}/32`);
  if (!("ok" in parsed)) throw new Error(text);
  return fromPrefixes([parsed.ok]);
}

/** Addresses that somebody here tells apart: of hosts, of pods, and one on each side of every range. */
const PROBES =
  "10.0.0.1 10.20.0.1 10.20.0.13 10.20.0.200 10.20.1.1 10.128.0.1 10.244.0.3 10.244.9.9 203.0.113.5 8.8.8.8 192.168.0.1".split(" ");
const OWN = new Map([
  ["metal/one", "host/metal/one"],
  ["db", "cluster/eu/shop/db-1"],
]);

describe("random ranges over each other", () => {
  /** What the rendered rules do to one address that no workload has, in both directions. */
  const passes = (rendered: Source, world: ConnectivityWorld, address: string, own: string, isIngress: boolean): boolean => {
    const workload = world.estate.workloads.find(({ id }) => id === OWN.get(own));
    if (workload === undefined) throw new Error(own);
    const [managed, peer]: readonly Party[] = [
      { kind: "workload", workload },
      { kind: "addresses", addresses: single(address) },
    ];
    const { now } = isIngress
      ? connect(rendered, peer as Party, managed as Party)
      : connect(rendered, managed as Party, peer as Party);
    return hasPort(now, "tcp", 443);
  };

  // Bug: what explain, test or reach say of a range is not what the rules do to each of its addresses.
  it("explain, test and reach say of names what the rendered rules do to their addresses", () => {
    fc.assert(
      fc.property(ranges, ranges, rules, (corp, narrow, list) => {
        const text = organisation(corp, narrow, list);
        const world = worldOf(text);
        const { rendered, estate } = renderAll(world.definitions, [PODS]);
        const source = renderedSource(estate, rendered);
        const reach = listSource(world.approved);
        for (const own of OWN.keys()) {
          for (const isIngress of [true, false]) {
            const said = new Map(PROBES.map((address) => [address, passes(source, world, address, own, isIngress)]));
            const where = JSON.stringify({ corp, narrow, list, own, isIngress });
            for (const [address, isOpen] of said) {
              const { verdict } = isIngress ? ask(world, address, own) : ask(world, own, address);
              expect(verdict, `explain ${address} ${where}`).toBe(isOpen ? "allowed" : "denied");
              expect(reached(world, reach, address, own, isIngress), `reach ${address} ${where}`).toBe(isOpen);
            }
            for (const name of ["corp-net", "narrow", "internet"]) {
              const inside = PROBES.filter((address) => isInside(world, name, address));
              if (inside.length === 0) continue;
              const { verdict } = isIngress ? ask(world, name, own) : ask(world, own, name);
              const open = inside.map((address) => said.get(address));
              // A claim of the whole is a claim of each of its addresses.
              if (verdict === "allowed") expect(open, `explain ${name} ${where}`).not.toContain(false);
              if (verdict === "denied") expect(open, `explain ${name} ${where}`).not.toContain(true);
              const test = `  tests: [{from: ${isIngress ? name : own.replace("metal/", "")}, to: ${isIngress ? own.replace("metal/", "") : name}, port: 443/tcp, expect: allowed}]`;
              const tested = worldOf(organisation(corp, narrow, list, "[]", test));
              const [result] = checkTests(tested.definitions, tested.approved);
              if (result?.outcome === "passed") expect(open, `test ${name} ${where}`).not.toContain(false);
            }
          }
        }
      }),
      { numRuns: 25, seed: 7 },
    );
  });
});

function isInside({ definitions, estate }: ConnectivityWorld, name: string, address: string): boolean {
  const set = single(address);
  if (estate.workloads.some(({ kind, addresses }) => kind !== "external" && !isEmpty(intersect(addresses, set)))) return false;
  if (name === "internet")
    return !address.startsWith("10.") && !address.startsWith("192.168.") && !address.startsWith("203.0.113.");
  const { segments } = listSegments({ basis: "inventory", definitions, estate, gaps: [] }, name);
  const [line] = segments;
  const listed = [...(line?.addresses ?? []), ...(line?.members ?? []).flatMap(({ addresses }) => addresses)];
  return listed.some((range) => isBetween(address, range));
}

/** True when a listing has a connection on 443 between whoever is at that address and one of ours. */
function reached(
  { estate }: ConnectivityWorld,
  { classes, connections }: ReturnType<typeof listSource>,
  address: string,
  own: string,
  isIngress: boolean,
): boolean {
  const isCorp = estate.workloads.some(
    ({ kind, addresses }) => kind === "external" && !isEmpty(intersect(addresses, single(address))),
  );
  const name = own === "db" ? "eu shop/db-1[Pod]" : "metal/one";
  const isOwn = new Set(classes.filter(({ members }) => members.includes(name)).map(({ id }) => id));
  const isPeer = new Set(
    classes
      .filter(({ members, kind }) =>
        kind === "addresses" ? members.some((range) => isBetween(address, range)) : isCorp && members.includes("corp"),
      )
      .map(({ id }) => id),
  );
  return [...connections].some(({ src, dst, conn }) => {
    const [peer, mine] = isIngress ? [src, dst] : [dst, src];
    return isPeer.has(peer) && isOwn.has(mine) && /443|All/.test(conn);
  });
}

/** `10.0.0.0/8`, `10.0.0.1`, `10.0.0.1-10.0.0.9`. */
function isBetween(address: string, range: string): boolean {
  if (range.includes(":")) return false;
  const value = (text: string): number => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const [block = "", bits] = range.split("/");
  const [first = "", last = first] = block.split("-");
  const size = bits === undefined ? 1 : 2 ** (32 - Number(bits));
  return value(first) <= value(address) && value(address) <= value(last) + size - 1;
}
