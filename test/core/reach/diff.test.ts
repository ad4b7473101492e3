import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allOf, equalPorts, intersectPorts, allPorts, noPorts, subtractPorts, isEmptyPorts } from "../../../core/address/ports.ts";
import type { PortSet } from "../../../core/address/ports.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import { estateOf } from "../../../core/estate/build.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { matrixOf } from "../../../core/reach/classes.ts";
import { sourceDiff } from "../../../core/reach/diff.ts";
import { listSource } from "../../../core/reach/listing.ts";
import { expandPairs, renderMatrix } from "../../../core/reach/render.ts";
import type { Party, Source } from "../../../core/reach/source.ts";
import { diffAnswer, formatDiff, formatDiffMarkdown, formatDiffTable } from "../../../core/text/diff.ts";
import { app, cluster, definitions, inventory, namespace, pod, policy, rule, segment } from "../../support/definitions.ts";
import { ESTATE, INVENTORIES, organisation, revisions } from "../../support/intent-worlds.ts";
import type { Revision } from "../../support/intent-worlds.ts";

const WORKLOADS = ESTATE.workloads.map((workload): Party & { kind: "workload" } => ({ kind: "workload", workload }));

type Families = { readonly v4: readonly unknown[]; readonly v6: readonly unknown[] };

/** What no family that both have can carry: ICMP is of IPv4, ICMPv6 of IPv6. */
function absentBetween(from: Party, to: Party): PortSet {
  const shared = familiesOf(from) & familiesOf(to);
  return shared === 1 ? allOf("icmpv6") : shared === 2 ? allOf("icmp") : noPorts;
}

function familiesOf(party: Party): number {
  const { v4, v6 }: Families = party.kind === "workload" ? party.workload.addresses : party.addresses;
  return v4.length + v6.length === 0 ? 3 : (v4.length > 0 ? 1 : 0) | (v6.length > 0 ? 2 : 0);
}

/** What passes from one party to another, both ends, pair by pair; what observes is open. */
function passes(source: Source, from: Party, to: Party): PortSet {
  if ((familiesOf(from) & familiesOf(to)) === 0) return noPorts;
  const [out, into] = [source.end("egress", from, to), source.end("ingress", to, from)];
  return intersectPorts(out.mode === "observed" ? allPorts : out.ports, into.mode === "observed" ? allPorts : into.ports);
}

function intent(revision: Revision, estate = ESTATE): Source {
  return intentOf(organisation(revision), estate, { as: "approved" });
}

/** Ordered pairs with something opened, and with something closed; addresses that neither tells apart count once. */
function changesBetween(before: Source, after: Source) {
  const { classes } = matrixOf([before, after]);
  const outside = classes.flatMap(({ kind, parties }) => (kind === "addresses" ? (parties[0] ?? []) : []));
  // An external that somebody tells apart is its addresses: they are outside.
  const inClasses = new Set(classes.flatMap(({ workloads }) => workloads.map(({ id }) => id)));
  const parties: readonly Party[] = [...WORKLOADS.filter(({ workload }) => inClasses.has(workload.id)), ...outside];
  let [opened, closed] = [0, 0];
  for (const from of parties) {
    for (const to of parties) {
      if (from === to) continue;
      const [old, now] = [passes(before, from, to), passes(after, from, to)];
      const absent = absentBetween(from, to);
      if (!isEmptyPorts(subtractPorts(subtractPorts(now, old), absent))) opened += 1;
      if (!isEmptyPorts(subtractPorts(subtractPorts(old, now), absent))) closed += 1;
    }
  }
  return { openedCount: opened, closedCount: closed };
}

describe("the difference of two revisions", () => {
  // Bug: an end whose key is the same though its answer is not, so that a change is never looked at.
  test("finds what asking every pair finds", () => {
    fc.assert(
      fc.property(revisions, revisions, (a, b) => {
        const [before, after] = [intent(a), intent(b)];
        const found = sourceDiff(before, after);
        expect(found).toMatchObject(changesBetween(before, after));
        // Over two estates that hold the same, nothing can be skipped: the answer must not depend on that.
        const elsewhere = intent(b, estateOf(organisation({ segments: [], rules: [] }), INVENTORIES));
        const whole = sourceDiff(before, elsewhere);
        expect([whole.openedCount, whole.closedCount, whole.unchangedCount]).toEqual([
          found.openedCount,
          found.closedCount,
          found.unchangedCount,
        ]);
        expect(whole.opened).toEqual(found.opened);
        expect(whole.closed).toEqual(found.closed);
      }),
      { numRuns: 25 },
    );
  });

  // Bug: order of keys, of rules or of segments leaks into the answer.
  test("with itself is empty, whatever the order of rules and segments", () => {
    fc.assert(
      fc.property(revisions, (a) => {
        const turned = { segments: a.segments.toReversed(), rules: a.rules.toReversed() };
        const found = sourceDiff(intent(a), intent(turned));
        expect(found).toMatchObject({ kind: "equivalent", opened: [], closed: [], openedCount: 0, closedCount: 0, uncertain: [] });
      }),
      { numRuns: 30 },
    );
  });

  // Bug: a difference that is not one of states: what a→b→c opens and a→c does not, or the other way.
  test("composes", () => {
    fc.assert(
      fc.property(revisions, revisions, revisions, (a, b, c) => {
        const sources = [intent(a), intent(b), intent(c)] as const;
        const pairs = WORKLOADS.flatMap((from) => WORKLOADS.map((to) => [from, to] as const)).filter(([from, to]) => from !== to);
        for (const [from, to] of pairs) {
          const [x, y, z] = sources.map((source) => passes(source, from, to)) as [PortSet, PortSet, PortSet];
          const step = (state: PortSet, old: PortSet, now: PortSet): PortSet =>
            union(subtractPorts(state, subtractPorts(old, now)), subtractPorts(now, old));
          expect(equalPorts(step(step(x, x, y), y, z), step(x, x, z))).toBe(true);
        }
        const [ab, bc, ac] = [
          sourceDiff(sources[0], sources[1]),
          sourceDiff(sources[1], sources[2]),
          sourceDiff(sources[0], sources[2]),
        ];
        if (ab.kind === "equivalent") expect(ac.kind).toBe(bc.kind);
        if (ac.kind === "equivalent") expect([ab.kind, bc.kind].sort()).toEqual([ab.kind, OPPOSITE[ab.kind]].sort());
      }),
      { numRuns: 15 },
    );
  });

  // Bug: an allow that takes something away, or isolation that adds.
  test("a rule more never closes, isolation less never closes", () => {
    fc.assert(
      fc.property(revisions, (a) => {
        const fewer = { ...a, rules: a.rules.slice(1) };
        expect(sourceDiff(intent(fewer), intent(a)).closed).toEqual([]);
        const loosened = a.segments.map((one) => ({ ...one, isolate: { ingress: "off", egress: "off" } as const }));
        expect(sourceDiff(intent(a), intent({ ...a, segments: loosened })).closed).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

const OPPOSITE = { equivalent: "equivalent", opens: "closes", closes: "opens", both: "both" } as const;

function union(a: PortSet, b: PortSet): PortSet {
  return subtractPorts(allPorts, intersectPorts(subtractPorts(allPorts, a), subtractPorts(allPorts, b)));
}

describe("what people read", () => {
  const pods = [
    ...[1, 2, 3].map((n) => pod(`shop/web-${n}`, { app: "web" }, `10.2.0.${n}`, { owner: "StatefulSet/web" })),
    pod("shop/api-1", { app: "api" }, "10.2.0.11"),
    pod("shop/db-1", { app: "db" }, "10.2.0.21", { ports: [{ name: "sql", protocol: "tcp", port: 5432 }] }),
    pod("shop/db-2", { app: "db" }, "10.2.0.22", { ports: [{ name: "sql", protocol: "tcp", port: 5432 }] }),
  ];
  const shop = inventory("eu", { namespaces: [namespace("shop")], pods });
  const world = (db: "off" | "observe" | "enforce", ...rules: Parameters<typeof policy>[1][]): Definitions =>
    definitions({
      clusters: [cluster("eu")],
      segments: [
        segment("web", [app("web")], "off", "off"),
        segment("api", [app("api")], "off", "off"),
        segment("db", [app("db")], db, "off"),
      ],
      policies: [policy("data", ...rules)],
    });
  const estate = estateOf(world("off"), new Map([["cluster/eu", shop]]));
  const read = (before: Definitions, after: Definitions) =>
    sourceDiff(intentOf(before, estate, { as: "approved" }), intentOf(after, estate, { as: "approved" }));

  // Bug: class numbers or pods instead of the names in the repository; counts of pairs where people think of workloads.
  test("segments by name, how many workloads, one connection to try", () => {
    const diff = read(world("enforce"), world("enforce", rule("web, api", "db", "5432/tcp")));
    expect(formatDiff(diff)).toEqual(["opens web, api → db: 5432/tcp for 6 workloads"]);
    expect(diff.opened[0]?.witness).toMatchObject({ to: "cluster/eu/shop/db-1", port: 5432, protocol: "tcp" });
    expect(diff).toMatchObject({ kind: "opens", openedCount: 8, closedCount: 0 });
    expect(formatDiffMarkdown(diff)[0]).toMatch(/^\*\*opens 8 connections, closes none, \d+ unchanged\*\*$/);
    expect(formatDiffTable(diff)).toContain("cluster/eu/shop/db-1: 5432/tcp");
    expect(JSON.parse(JSON.stringify(diffAnswer(diff)))).toMatchObject({ kind: "opens", counts: { opened: 8, closed: 0 } });
  });

  // Bug: "closes" for what rules allowed and for what merely was not enforced yet, in one word.
  test("what only observe let pass is told apart", () => {
    const lines = formatDiff(
      read(world("observe", rule("any", "db", "5432/tcp")), world("enforce", rule("any", "db", "5432/tcp"))),
    );
    expect(lines).toEqual([
      "closes any → db: any port but 5432/tcp for 2 workloads (was observed only)",
      "stays open any → db: 5432/tcp for 2 workloads",
    ]);
    expect(formatDiff(read(world("observe"), world("off")))).toEqual(["opens nothing, closes nothing"]);
  });

  // Bug: a rule that is only written otherwise counts as a change.
  test("text that changes and means the same is equivalent", () => {
    const once = world("enforce", rule("web", "db", "5432-5433/tcp"));
    const twice = world("enforce", rule("web", "db", "5433/tcp"), rule("web", "db", "5432/tcp"));
    expect(read(once, twice)).toMatchObject({ kind: "equivalent", openedCount: 0, uncertain: [] });
  });

  // Bug: what is not known of a cluster passes for settled.
  test("a stale inventory makes the answer uncertain", () => {
    const stale = estateOf(world("off"), new Map([["cluster/eu", { ...shop, complete: false }]]));
    const [before, after] = [world("enforce"), world("enforce", rule("web", "db", "5432/tcp"))].map((one) =>
      intentOf(one, stale, { as: "approved" }),
    ) as [Source, Source];
    expect(sourceDiff(before, after).uncertain.map(({ text }) => text)).toEqual(["what is known of cluster/eu may be old"]);
  });

  // Bug: a workload that only one side knows is left out.
  test("a workload that appears opens its connections", () => {
    const smaller = estateOf(world("off"), new Map([["cluster/eu", { ...shop, pods: pods.slice(1) }]]));
    const meaning = world("enforce", rule("web", "db", "5432/tcp"));
    const diff = sourceDiff(intentOf(meaning, smaller, { as: "approved" }), intentOf(meaning, estate, { as: "approved" }));
    expect(diff.kind).toBe("opens");
    expect(diff.opened.map(({ witness }) => `${witness.from} ${witness.to}`).join()).toContain("cluster/eu/shop/web-1");
  });

  // Bug: the listing of definitions says what that of manifests would not, or names pods.
  test("a listing by names", () => {
    const reach = listSource(intentOf(world("enforce", rule("web", "db", "5432/tcp")), estate, { as: "approved" }));
    const pairs = [...expandPairs(reach)].filter(({ dst }) => dst.includes("db"));
    expect(pairs.map(({ src, dst, conn }) => `${src} > ${dst}: ${conn}`)).toEqual([
      "eu shop/web[StatefulSet] > eu shop/db-1[Pod]: TCP 5432",
      "eu shop/web[StatefulSet] > eu shop/db-2[Pod]: TCP 5432",
    ]);
    expect([...renderMatrix(reach, "csv")].join("")).toContain("TCP 5432");
  });
});
