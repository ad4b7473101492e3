import { expect, it } from "vitest";
import { LogFacts } from "../../../core/audit/log-facts.ts";

/** The log with these entries. */
function factsOf(...entries: readonly ({ readonly type: string } & Record<string, unknown>)[]): LogFacts {
  const facts = new LogFacts();
  for (const { type, ...fields } of entries) facts.add({ type, time: "2026-11-30T12:00:00.000Z", fields });
  return facts;
}

const target = { kind: "cluster", id: "cluster/eu", uid: "uid-a" };
const pullRequest = { number: 7 };
const ann = { kind: "person", id: "ann" };

it("knows who a target is, what was applied and read back, and by which revision it was orphaned", () => {
  const facts = factsOf(
    { type: "target.identified", target },
    { type: "apply.outcome", target, revision: 3, outcome: "ok" },
    { type: "apply.outcome", target, revision: 4, outcome: "failed" },
    { type: "target.orphaned", target: { kind: "cluster", id: "cluster/eu" }, revision: 5 },
  );
  expect(facts.target("cluster/eu")).toEqual({ uid: "uid-a", applied: 3, orphanedBy: 5, isReleased: false });
  expect(facts.target("cluster/us")).toEqual({});
});

// Bug: what was applied to another cluster counts for the one that took its name; a released name is for ever the old cluster's.
it("forgets what was applied when a name comes to stand for another cluster, and all of it when it is released", () => {
  const applied = { type: "apply.outcome", target, revision: 3, outcome: "ok" };
  const facts = factsOf(applied, { type: "target.replaced", target: { ...target, uid: "uid-b" } });
  expect(facts.target("cluster/eu")).toMatchObject({ uid: "uid-b", applied: undefined });
  facts.add({ type: "target.released", time: "", fields: { target } });
  expect(facts.target("cluster/eu")).toEqual({ isReleased: true });
});

// Bug: whoever has the database lets an orphan go by deleting its row, and what was written there is not known from what somebody marked.
it("knows orphans until they are released, and what was written to a cluster until it is planned to go", () => {
  const steps = (kind: string, ...names: readonly string[]) => ({
    type: "plan.computed",
    target,
    detail: { steps: names.map((name) => ({ kind, subject: `networkpolicy ${name}` })) },
  });
  const facts = factsOf(
    { type: "target.orphaned", target, revision: 5 },
    steps("create", "a/one", "a/two"),
    steps("delete", "a/two"),
  );
  expect([...facts.orphans()]).toEqual([["cluster/eu", 5]]);
  expect(["a/one", "a/two", "a/three"].map((name) => facts.hasWritten("cluster/eu", `networkpolicy ${name}`))).toEqual([
    true,
    false,
    false,
  ]);
  expect(facts.hasWritten("cluster/us", "networkpolicy a/one")).toBe(false);
  facts.add({ type: "target.released", time: "", fields: { target } });
  expect([[...facts.orphans()], facts.hasWritten("cluster/eu", "networkpolicy a/one")]).toEqual([[], false]);
  // Entries of another version: what does not read is not there.
  factsOf(
    { type: "plan.computed", target, detail: { steps: [null, 7, { kind: "create" }] } },
    { type: "plan.computed", target, detail: "x" },
  );
});

it("knows who holds a pull request until somebody approved or resumed it", () => {
  const held = { type: "plan.held", pullRequest, actor: ann, reason: "wait" };
  expect(factsOf(held).hold(7)).toEqual({ by: "ann", reason: "wait", at: Date.parse("2026-11-30T12:00:00.000Z") });
  expect(factsOf(held, { type: "plan.resumed", pullRequest, actor: ann }).hold(7)).toBeUndefined();
  expect(factsOf(held, { type: "plan.approved", pullRequest, actor: ann }, held).hold(7)?.by).toBe("ann");
  expect(factsOf(held).hold(8)).toBeUndefined();
});

it("takes nothing from fields that do not read", () => {
  const facts = factsOf({ type: "target.identified", target: "cluster/eu" }, { type: "plan.held", pullRequest: { number: "7" } });
  expect([facts.target("cluster/eu"), facts.hold(7)]).toEqual([{}, undefined]);
});
