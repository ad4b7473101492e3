import { describe, expect, it } from "vitest";
import { revisionDiff } from "../../../core/explain/between.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { formatDiffTable } from "../../../core/text/diff.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

const NOW = Date.UTC(2026, 10, 21);
const CLUSTER = "kind: Cluster\nmetadata: {name: eu}\nspec: {mode: apply, context: eu, podRanges: [10.244.0.0/16]}";
const WEB = "kind: Segment\nmetadata: {name: web}\nspec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {}}]}";
const DB =
  "kind: Segment\nmetadata: {name: db}\nspec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: enforce, egress: off}}";
const FLOW = "kind: Policy\nmetadata: {name: flow}\nspec: {rules: [{from: [web], to: [db], ports: [5432/tcp]}]}";

function made(...documents: readonly string[]): Definitions {
  return written(documents.join("\n---\n"));
}

describe("what changes between two revisions, on made-up workloads", () => {
  const before = made(CLUSTER, WEB, DB, FLOW);

  // Bug: a comment, an order or a name of a policy told as a change of connections.
  it("is equivalent when only text changed", () => {
    const after = made(`${FLOW.replace("flow", "renamed")}\n# a comment`, DB, WEB, CLUSTER);
    const diff = revisionDiff(before, after, undefined, NOW);
    expect(diff).toMatchObject({ kind: "equivalent", opened: [], closed: [], openedCount: 0, closedCount: 0, uncertain: [] });
    expect(formatDiffTable(diff)).toBe("equivalent: opens nothing, closes nothing");
  });

  // Bug: lines without a count, or without a connection that anybody can try.
  it("tells what opens and what closes, with counts and a witness each", () => {
    const after = made(CLUSTER, WEB, DB, FLOW.replace("5432", "5433"));
    const diff = revisionDiff(before, after, undefined, NOW);
    expect(diff).toMatchObject({
      kind: "both",
      opened: [{ from: "web", to: "db", ports: "5433/tcp", fromWorkloads: 1, toWorkloads: 1, workloads: 2 }],
      closed: [{ from: "web", to: "db", ports: "5432/tcp", witness: { port: 5432, protocol: "tcp" } }],
      openedCount: 1,
      closedCount: 1,
    });
    expect(diff.opened[0]?.witness).toEqual({ from: "cluster/eu/db/web", to: "cluster/eu/db/db", port: 5433, protocol: "tcp" });
  });

  // Bug: workloads made up for the new selector only, so that whom it leaves open is never seen.
  it("sees who leaves a segment whose selector changed, whatever other segments are called", () => {
    const taken = DB.replaceAll("db", "db-before").replace("{app: db-before}", "{app: spare}");
    const [old, young] = [
      made(CLUSTER, WEB, DB, taken, FLOW),
      made(CLUSTER, WEB, DB.replace("app: db", "app: database"), taken, FLOW),
    ];
    const diff = revisionDiff(old, young, undefined, NOW);
    expect(diff.kind).toBe("both");
    expect(new Set(diff.opened.map(({ to }) => to))).toEqual(new Set(["eu db/db-before-2[Segment]"]));
    expect(revisionDiff(young, young, undefined, NOW).kind).toBe("equivalent");
  });

  // Bug: a policy that has expired still opens in the difference.
  it("takes the definitions as they hold at that moment", () => {
    const dated = FLOW.replace("spec: {", "spec: {expires: 2026-11-22, ");
    expect(revisionDiff(before, made(CLUSTER, WEB, DB, dated), undefined, NOW).kind).toBe("equivalent");
    expect(revisionDiff(before, made(CLUSTER, WEB, DB, dated), undefined, Date.UTC(2026, 10, 22)).kind).toBe("closes");
  });

  // Bug: a repository in `mode: plan` is called equivalent whatever it says.
  it("reads every target as if it were applied", () => {
    const planned = CLUSTER.replace("mode: apply", "mode: plan");
    const diff = revisionDiff(made(planned, WEB, DB), made(planned, WEB, DB, FLOW), undefined, NOW);
    expect(diff.kind).toBe("opens");
  });

  // Bug: from nothing to something is an error, or nothing.
  it("from a repository without segments closes what is isolated now", () => {
    expect(revisionDiff(made(CLUSTER), before, undefined, NOW)).toMatchObject({ kind: "closes", openedCount: 0 });
  });
});

// Bug: an inventory is given, and made-up workloads answer.
it("what changes on the workloads of an inventory counts those", () => {
  const pods = ["web-1", "web-2", "db-1"].map((name, index) =>
    pod(`shop/${name}`, { app: name.slice(0, -2) }, `10.244.0.${index + 1}`),
  );
  const seen = new Map([["cluster/eu", inventory("eu", { namespaces: [namespace("shop")], pods })]]);
  const diff = revisionDiff(made(CLUSTER, WEB, DB), made(CLUSTER, WEB, DB, FLOW), seen, NOW);
  expect(diff.opened).toMatchObject([{ from: "web", to: "db", fromWorkloads: 2, toWorkloads: 1, workloads: 3 }]);
  expect(diff.openedCount).toBe(2);
});
