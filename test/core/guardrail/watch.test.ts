import { expect, test } from "vitest";
import { unwatched, watchGuardrails } from "../../../core/guardrail/watch.ts";
import { Budget } from "../../../core/verdict/budget.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

const DEFINITIONS = written(`
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
`);
const PODS = inventory("eu", { namespaces: [namespace("shop")], pods: [pod("shop/db-1", { app: "db" }, "10.244.0.2")] });
const WORLD = {
  definitions: DEFINITIONS,
  // Nothing isolates there: live breaks what the definitions keep.
  seen: {
    inventories: new Map([[PODS.target, PODS]]),
    live: new Map([[PODS.target, { kind: "cluster", completeness: "complete", policies: [] } as const]]),
    enforcers: new Map([[PODS.target, "calico"]]),
    hosts: new Map(),
  },
  now: 0,
  operator: { floor: { from: [], ports: [] }, ownPaths: [] },
};

test("what only live violates is found, and not as what the definitions say", () => {
  const { findings, settled, undecided } = watchGuardrails(structuredClone(WORLD));
  expect(findings.map(({ subject, severity }) => [subject, severity])).toEqual([["guardrail g/never/0", "critical"]]);
  expect([settled, undecided]).toEqual([[], []]);
});

// Bug: a guardrail that is too much work to check reads as kept: no finding, and what it violated is over.
test("what is too much work to decide is a finding, and no answer about what was violated", () => {
  const { findings, settled, undecided } = watchGuardrails(WORLD, () => new Budget(0));
  expect(undecided).toEqual(["guardrail g/never/0"]);
  expect(findings.map(({ subject, severity, effect }) => [subject, severity, effect.verdict])).toEqual([
    ["guardrail g/never/0, not decided", "high", "uncertain"],
  ]);
  expect(settled).toEqual(findings.map(({ fingerprint }) => fingerprint));
  const none = unwatched(DEFINITIONS, "too large: it took more than 10 s");
  expect(none.findings.map(({ target, summary }) => [target, summary])).toEqual([
    ["cluster/eu", "whether the guardrails hold is not decided: too large: it took more than 10 s"],
  ]);
});
