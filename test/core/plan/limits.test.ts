import { describe, expect, test } from "vitest";
import type { Definitions } from "../../../core/model/kinds.ts";
import { checkRevision, countUnisolated, findUnisolated } from "../../../core/plan/limits.ts";
import {
  app,
  cluster,
  definitions,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  podsMember,
  segment,
} from "../../support/definitions.ts";

const eu = cluster("eu");
const world = inventory("eu", {
  namespaces: [namespace("shop", { team: "shop" })],
  pods: [
    pod("shop/web-1", { app: "web" }),
    pod("shop/web-2", { app: "web" }),
    pod("shop/db-1", { app: "db" }),
    pod("shop/agent", { app: "web" }, undefined, { hostNetwork: true }),
  ],
});
const inventories = new Map([["cluster/eu", world]]);
const web = segment("web", [app("web")], "enforce");
const base = definitions({ clusters: [eu], segments: [web] });

function count(before: Definitions, after: Definitions, seen = inventories): number {
  return countUnisolated(before, after, seen);
}

describe("what a revision un-isolates", () => {
  test("nothing when nothing changes, or when more is isolated", () => {
    expect(count(base, base)).toBe(0);
    expect(count(base, definitions({ clusters: [eu], segments: [web, segment("db", [app("db")], "enforce")] }))).toBe(0);
  });

  // would catch: enforcement switched to observe without anybody counting the pods
  test("the pods of a segment that is enforced no more, hostNetwork ones left out", () => {
    expect(count(base, definitions({ clusters: [eu], segments: [segment("web", [app("web")])] }))).toBe(2);
    expect(count(base, definitions({ clusters: [eu] }))).toBe(2);
  });

  // would catch: counting pods that another segment isolates anyway, and calling a removed direction over them nothing
  test("pods that another segment isolates stay isolated, and the removed direction counts as one", () => {
    const all = segment("all", [podsMember({})], "enforce");
    expect(count(definitions({ clusters: [eu], segments: [web, all] }), definitions({ clusters: [eu], segments: [all] }))).toBe(1);
  });

  test("an enforced direction over no members counts as one, per direction", () => {
    const ghost = segment("ghost", [app("ghost")], "enforce", "enforce");
    expect(
      count(
        definitions({ clusters: [eu], segments: [ghost] }),
        definitions({ clusters: [eu], segments: [segment("ghost", [app("ghost")], "enforce")] }),
      ),
    ).toBe(1);
    expect(count(definitions({ clusters: [eu], segments: [ghost] }), definitions({ clusters: [eu] }))).toBe(2);
  });

  test("a member selector or `governs` that no longer matches", () => {
    expect(count(base, definitions({ clusters: [eu], segments: [segment("web", [app("web2")], "enforce")] }))).toBe(2);
    expect(
      count(base, definitions({ clusters: [cluster("eu", { governs: { matchLabels: { team: "x" } } })], segments: [web] })),
    ).toBe(2);
  });

  // would catch: a lost cluster counted as opened, although what is there stays
  test("a target that is gone or written no more keeps what it has", () => {
    expect(count(base, definitions({ segments: [web] }))).toBe(0);
    expect(count(base, definitions({ clusters: [cluster("eu", { mode: "plan" })], segments: [web] }))).toBe(0);
  });

  // would catch: a restart that judges a revision before any pod is known
  test("an inventory that is missing or incomplete counts each selector that is gone", () => {
    const gone = definitions({ clusters: [eu], segments: [segment("web", [app("web2")], "enforce")] });
    expect(count(base, gone, new Map())).toBe(1);
    expect(count(base, gone, new Map([["cluster/eu", inventory("eu", { complete: false })]]))).toBe(1);
    expect(count(base, base, new Map())).toBe(0);
  });

  test("hosts count one each, whatever the number of directions", () => {
    const hosts = fleet("dir", [
      { name: "one", addresses: ["10.0.0.1"], labels: { role: "db" } },
      { name: "two", addresses: ["10.0.0.2"], labels: { role: "db" } },
    ]);
    const servers = segment("db", [hostsMember({ matchLabels: { role: "db" } })], "enforce", "enforce");
    const before = definitions({ fleets: [hosts], segments: [servers] });
    expect(count(before, definitions({ fleets: [hosts] }))).toBe(2);
    expect(findUnisolated(before, definitions({ fleets: [hosts] }), new Map()).reasons).toEqual([
      "host/dir/one (db ingress, db egress)",
      "host/dir/two (db ingress, db egress)",
    ]);
  });
});

describe("checkRevision", () => {
  const codes = (before: Definitions | undefined, after: Definitions): readonly string[] =>
    checkRevision({ before, after, inventories }).map(({ code }) => code);

  test("the limit of the revision in force counts, not the candidate's", () => {
    const loose = { workspace: { limits: { unisolate: 9 } } };
    const open = definitions({ clusters: [eu], segments: [segment("web", [app("web")])], ...loose });
    expect(codes(base, open)).toEqual(["LIMIT_EXCEEDED"]);
    expect(codes(definitions({ clusters: [eu], segments: [web], ...loose }), open)).toEqual([]);
    expect(checkRevision({ before: base, after: open, inventories })[0]?.message).toContain("2 pod(s) like shop/web-1");
  });

  // would catch: a wrong path or a bad merge that takes everything down
  test("empty, no segments, or most targets gone", () => {
    const three = ["a", "b", "c"].map((name) => cluster(name));
    expect(codes(undefined, definitions({}))).toEqual(["REVISION_EMPTIES"]);
    expect(codes(base, definitions({}))).toEqual(["REVISION_EMPTIES", "LIMIT_EXCEEDED"]);
    expect(codes(base, definitions({ clusters: [eu] }))).toContain("REVISION_EMPTIES");
    expect(
      codes(definitions({ clusters: three, segments: [web] }), definitions({ clusters: three.slice(0, 1), segments: [web] })),
    ).toEqual(["REVISION_EMPTIES"]);
    expect(
      codes(definitions({ clusters: three, segments: [web] }), definitions({ clusters: three.slice(0, 2), segments: [web] })),
    ).toEqual([]);
  });

  test("the first revision is held back by nothing but emptiness", () => {
    expect(codes(undefined, base)).toEqual([]);
  });
});
