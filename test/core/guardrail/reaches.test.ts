import { expect, it } from "vitest";
import { allPorts, noPorts } from "../../../core/address/ports.ts";
import { checkGuardrails } from "../../../core/guardrail/check.ts";
import type { Connection, Connections } from "../../../core/guardrail/connection.ts";
import { ASK_STEPS, reachabilityOf } from "../../../core/guardrail/reaches.ts";
import type { PartyClass } from "../../../core/guardrail/space.ts";
import { Budget } from "../../../core/verdict/budget.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { estate, handSource, written } from "../../support/hand-source.ts";

const OPEN: Connection = { now: allPorts, meant: allPorts, surely: allPorts, possibly: allPorts, uncertain: [] };
const CLOSED: Connection = { now: noPorts, meant: noPorts, surely: noPorts, possibly: noPorts, uncertain: [] };

const COUNT = 400;
/** The cast: of a class, only what ways look at. */
const RING = Array.from({ length: COUNT }, (_, index) => ({
  index,
  workloads: [],
  party: { kind: "workload" },
  other: undefined,
  isManaged: true,
})) as unknown as readonly PartyClass[];
const next: Connections = (from, to) => (to.index === (from.index + 1) % COUNT ? OPEN : CLOSED);

// Bug: a ring of 400 segments, 97 kB in a stranger's pull request, took 65 s: each pair was looked up again for each beginning, and each
// way was written out though one is told.
it("follows edges only: from each class of a ring, work grows with its edges", () => {
  const budget = new Budget(1_000_000_000);
  const reachability = reachabilityOf(RING, next, next, budget);
  const first = reachability.ways("possibly", RING[0]!, RING, () => allPorts);
  expect(1_000_000_000 - budget.left).toBeLessThan(ASK_STEPS * COUNT * COUNT + 10 * COUNT);
  expect(first.get(0)?.hops).toBe(COUNT);
  expect(
    first
      .get(2)
      ?.path()
      .map(({ index }) => index),
  ).toEqual([0, 1, 2]);
  const before = budget.left;
  reachability.ways("possibly", RING[7]!, RING, () => allPorts);
  expect(before - budget.left).toBeLessThan(10 * COUNT);
});

// Bug: beyond what one check may take, a guardrail reads as kept, or the check goes on for hours.
it("says that a claim beyond the budget is not decided", () => {
  const definitions = written(`
kind: Cluster
metadata: {name: eu}
spec: {context: eu}
---
kind: Guardrail
metadata: {name: g}
spec: {never: [{from: [workloads], reaches: [workloads], ports: [any]}]}
`);
  const on = estate(definitions, inventory("eu", { namespaces: [namespace("a")], pods: [pod("a/x", {}, "10.0.0.1")] }));
  const [result] = checkGuardrails(definitions, handSource(on, { allows: [] }), undefined, new Budget(0));
  expect(result).toMatchObject({ outcome: "uncertain", violations: [], why: [expect.stringMatching(/^not decided: /)] });
});
