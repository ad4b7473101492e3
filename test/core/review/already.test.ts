import { describe, expect, it } from "vitest";
import type { Definitions } from "../../../core/model/kinds.ts";
import { reviewOf, type Review } from "../../../core/review/review.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

/** What a review says of safeguards that a change adds, takes away or leaves empty, where no connection changes. */

function organisation({ tests = "", more = "" } = {}): Definitions {
  return written(`
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, enforcer: kube-network-policies}
---
kind: HostFleet
metadata: {name: metal}
spec: {mode: apply, transport: {ssh: {user: root}}, hosts: [{name: one, addresses: [10.20.0.11], labels: {role: one}}]}
---
kind: Segment
metadata: {name: web}
spec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {}}], isolate: {ingress: off, egress: off}}
---
kind: Segment
metadata: {name: db}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: enforce, egress: off}}
---
kind: Policy
metadata: {name: flow}
spec:
  rules: [{from: [web], to: [db], ports: [5432/tcp]}]
${tests}
${more}`);
}

const TESTS = `  tests:
    - {from: web, to: db, port: 5432/tcp, expect: allowed}
    - {from: web, to: db, port: 22/tcp, expect: denied}`;
const GUARDRAIL = `---
kind: Guardrail
metadata: {name: no-db}
spec: {never: [{from: [web], to: [db], ports: [5432/tcp]}]}`;

function review(before: Definitions, after: Definitions, isLive = false): Review {
  const pods = [pod("shop/web-1", { app: "web" }, "10.244.0.1"), pod("shop/db-1", { app: "db" }, "10.244.0.2")];
  const inventories = new Map([["cluster/eu", inventory("eu", { namespaces: [namespace("shop")], pods })]]);
  const live = { inventories, orphans: [], enforced: new Map() };
  const operator = { floor: { from: [], ports: [] }, ownPaths: [] };
  return reviewOf({ before, after, notes: [], now: Date.UTC(2026, 10, 21), operator, live: isLive ? live : undefined });
}

describe.each([false, true])("a review, on live workloads: %s", (isLive) => {
  // Bug: the tests that would have caught the next mistake vanish, and the review says "opens nothing, closes nothing".
  it("tells that tests of a policy vanish, or expect something else", () => {
    const before = organisation({ tests: TESTS });
    const weaker = organisation({ tests: TESTS.replace("22/tcp, expect: denied", "22/tcp, expect: allowed") });
    const told = (after: Definitions) =>
      review(before, after, isLive).notes.flatMap(({ code, summary }) => (code.startsWith("test-") ? [summary] : []));
    expect(told(organisation())).toEqual([
      "policy flow: the test web → db: 22/tcp is denied is taken away",
      "policy flow: the test web → db: 5432/tcp is allowed is taken away",
    ]);
    expect(told(weaker)).toEqual(["policy flow: the test web → db: 22/tcp is denied expects allowed now"]);
    expect(told(before)).toEqual([]);
  });

  // Bug: a new guardrail does not hold from the first moment on, and nobody is told before the merge.
  it("tells that a guardrail that is new does not hold already, and refuses nothing for it", () => {
    const { notes, problems } = review(organisation(), organisation({ more: GUARDRAIL }), isLive);
    expect(problems).toEqual([]);
    const summary = expect.stringMatching(/^guardrail no-db is new or changed here, and does not hold: never web → db: 5432\/tcp/);
    expect(notes).toContainEqual(expect.objectContaining({ code: "guardrail-violated", severity: "warning", summary }));
    const same = organisation({ more: GUARDRAIL });
    expect(review(same, same, isLive).notes.filter(({ code }) => code === "guardrail-violated")).toEqual([]);
  });

  // Bug: a misspelt label makes a segment of nobody, and the review does not say so.
  it("tells that a segment that is new holds nobody", () => {
    const more = "---\nkind: Segment\nmetadata: {name: typo}\nspec: {members: [{hosts: {matchLabels: {role: oen}}}]}";
    const { notes } = review(organisation(), organisation({ more }), isLive);
    expect(notes).toContainEqual(
      expect.objectContaining({ code: "segment-empty", summary: expect.stringContaining("segment typo") }),
    );
    expect(review(organisation({ more }), organisation({ more }), isLive).notes.map(({ code }) => code)).not.toContain(
      "segment-empty",
    );
  });
});
