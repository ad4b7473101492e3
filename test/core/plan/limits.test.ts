import { describe, expect, test } from "vitest";
import type { Definitions } from "../../../core/model/kinds.ts";
import { checkRevision, countUnisolated, findUnisolated } from "../../../core/revision/limits.ts";
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
  policy,
  rule,
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

describe("limits cannot be walked around", () => {
  const hosts = (name: string, role: string, mode: "plan" | "apply" = "apply") =>
    fleet(name, [{ name: "one", addresses: ["10.0.0.1"], labels: { role } }], { mode });
  const servers = segment("db", [hostsMember({ matchLabels: { role: "db" } })], "enforce", "enforce");
  const of = (one: ReturnType<typeof hosts>) => definitions({ fleets: [one], segments: [servers] });
  const isolated = of(hosts("dir", "db"));

  // would catch: un-isolating a host by renaming its fleet in the same commit
  test("a host or cluster under another name is the same machine", () => {
    expect(findUnisolated(isolated, of(hosts("other", "free")), new Map())).toEqual({
      count: 1,
      reasons: ["host/dir/one (db ingress, db egress)"],
    });
    expect(count(isolated, of(hosts("other", "db")), new Map())).toBe(0);
    const renamed = cluster("west", { connection: eu.connection });
    expect(count(base, definitions({ clusters: [renamed], segments: [web] }))).toBe(0);
    expect(count(base, definitions({ clusters: [renamed], segments: [segment("web", [app("web2")], "enforce")] }))).toBe(2);
  });

  // would catch: apply → plan → edit → apply, and gone → back, where nobody counts because no two neighbours both write
  test("a target that was not written in between is compared with what it enforces", () => {
    const enforced = new Map([["host/dir/one", isolated]]);
    const planned = of(hosts("dir", "free", "plan"));
    const back = of(hosts("dir", "free"));
    expect(findUnisolated(planned, back, new Map(), enforced).count).toBe(1);
    expect(findUnisolated(definitions({ segments: [servers] }), back, new Map(), enforced).count).toBe(1);
    expect(findUnisolated(definitions({ segments: [servers] }), of(hosts("new", "free")), new Map(), enforced).count).toBe(1);
    expect(findUnisolated(planned, of(hosts("dir", "db")), new Map(), enforced).count).toBe(0);
    expect(findUnisolated(planned, planned, new Map(), enforced).count).toBe(0);
    expect(checkRevision({ before: planned, after: back, inventories: new Map(), enforced })).toMatchObject([
      { code: "LIMIT_EXCEEDED" },
    ]);
    // What was accepted while a target was away counted then, and is not counted again.
    expect(findUnisolated(back, back, new Map(), enforced).count).toBe(0);
  });

  // would catch: a segment over no members that stays `enforce` in name, and is moved to where nothing can ever be
  test("an enforced segment that can select nothing any more is removed", () => {
    const ghost = (...members: Parameters<typeof segment>[1]) =>
      definitions({ clusters: [eu], segments: [segment("ghost", members, "enforce")] });
    const before = ghost(app("ghost"));
    expect(count(before, ghost(podsMember({ matchLabels: { app: "ghost" } }, {}, { matchLabels: { env: "nowhere" } })))).toBe(1);
    const never = [
      { key: "app", operator: "Exists" },
      { key: "app", operator: "DoesNotExist" },
    ] as const;
    expect(count(before, ghost(podsMember({ matchExpressions: [...never] })))).toBe(1);
    expect(count(before, ghost(app("ghosts")))).toBe(0);
  });

  // would catch: a commit that drops `require: [owner]` and adds a policy that nobody owns
  test("what the revision in force requires of policies holds for the candidate", () => {
    const strict = { workspace: { require: ["owner" as const] } };
    const bare = policy("p", rule("web", "web", "80/tcp"));
    const before = definitions({ clusters: [eu], segments: [web], ...strict });
    const problems = (after: Definitions) => checkRevision({ before, after, inventories });
    expect(problems(definitions({ clusters: [eu], segments: [web], policies: [bare] }))).toMatchObject([
      { code: "REVISION_INVALID", message: expect.stringContaining("policy p has no owner") },
    ]);
    expect(problems(definitions({ clusters: [eu], segments: [web], policies: [{ ...bare, owner: "team" }] }))).toEqual([]);
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
