import { expect, test } from "vitest";
import { candidateProblems } from "../../../core/revision/candidate.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

const WORLD = `
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, enforcer: calico, podNetwork: routed, podRanges: [10.244.0.0/16]}
---
kind: Workspace
spec: {internal: [10.0.0.0/8]}
---
kind: Segment
metadata: {name: db}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}, clusters: {}}], isolate: {ingress: enforce, egress: off}}
---
kind: Guardrail
metadata: {name: g}
spec: {never: [{from: [internet], to: [db], ports: [any]}]}
`;
const OPENS = `---\nkind: Policy\nmetadata: {name: p}\nspec: {owner: me, reason: test, rules: [{from: [internet], to: [db], ports: [5432/tcp]}]}\n`;
const UNTIL = OPENS.replace("owner: me", "owner: me, expires: 2026-01-01");
const PODS = inventory("eu", { namespaces: [namespace("shop")], pods: [pod("shop/db-1", { app: "db" }, "10.244.0.2")] });

const judge = (after: string, at: string, pods = [PODS]): readonly string[] =>
  candidateProblems(
    structuredClone({
      commit: "4f2a9c1e0d3b5a69784f2a9c1e0d3b5a69784f2a",
      candidate: written(after),
      inForce: written(WORLD),
      inventories: new Map(pods.map((one) => [one.target, one])),
      orphans: [],
      now: Date.parse(at),
      operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    }),
  ).map(({ code }) => code);

// Bug: what is judged in another process, from a copy, is judged otherwise than here: by other workloads, or at another moment.
test("a candidate is judged from a copy of what is known: on live workloads, on made-up ones, and at that moment", () => {
  expect(judge(WORLD, "2026-06-01")).toEqual([]);
  expect(judge(WORLD + OPENS, "2026-06-01")).toEqual(["GUARDRAIL_VIOLATED"]);
  expect(judge(WORLD + OPENS, "2026-06-01", [])).toEqual(["GUARDRAIL_VIOLATED"]);
  expect(judge(WORLD + UNTIL, "2025-06-01")).toEqual(["GUARDRAIL_VIOLATED"]);
  expect(judge(WORLD + UNTIL, "2026-06-01")).toEqual([]);
});
