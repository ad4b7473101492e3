import { describe, expect, it } from "vitest";
import type { ExplainAnswer } from "../../../core/explain/answer.ts";
import { explainConnection, withBlame } from "../../../core/explain/explain.ts";
import { seenWorld, type Seen } from "../../../core/guardrail/world.ts";
import type { Pod } from "../../../core/membership/inventory.ts";
import { formatExplain } from "../../../core/text/explain.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

const NOW = Date.UTC(2026, 10, 21);

const WORLD = `
kind: Cluster
metadata: {name: eu, labels: {env: prod}}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.244.0.0/16], enforcer: kube-network-policies}
---
kind: External
metadata: {name: mainframe, labels: {tier: legacy}}
spec: {addresses: [10.9.0.0/24]}
---
kind: Workspace
spec: {internal: [10.0.0.0/8]}
---
kind: Segment
metadata: {name: web}
spec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {}}], isolate: {ingress: off, egress: observe}}
---
kind: Segment
metadata: {name: db}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: enforce, egress: off}}
---
kind: Segment
metadata: {name: nobody}
spec: {members: [{pods: {matchLabels: {app: nobody}}, namespaces: {}}]}
---
kind: Policy
metadata: {name: flow}
spec:
  rules:
    - {from: [web], to: [db], ports: [5432/tcp, pg/tcp]}
    - {from: [db], to: [db], ports: [5433/tcp], same: [color]}
`;

const PODS = [
  pod("shop/web-1", { app: "web" }, "10.244.0.1", { owner: "ReplicaSet/web-5d9f" }),
  pod("shop/web-2", { app: "web" }, "10.244.0.2", { owner: "ReplicaSet/web-5d9f" }),
  pod("shop/db-1", { app: "db", color: "blue" }, "10.244.0.4", { ports: [{ name: "pg", protocol: "tcp", port: 6432 }] }),
  pod("shop/db-2", { app: "db", color: "blue" }, "10.244.0.5"),
  pod("shop/db-3", { app: "db", color: "red" }, "10.244.0.6"),
  pod("shop/other-1", { app: "other" }, "10.244.0.7"),
];

interface Over {
  readonly pods?: readonly Pod[];
  readonly live?: Seen["live"];
  readonly complete?: boolean;
  /** What was found enforcing in the cluster, where the definition leaves it open. */
  readonly found?: string;
}

async function ask(from: string, to: string, port: string, over: Over = {}): Promise<ExplainAnswer> {
  const isOpen = over.found !== undefined;
  const definitions = written(isOpen ? WORLD.replace("enforcer: kube-network-policies", "enforcer: auto") : WORLD);
  const seen = inventory("eu", { namespaces: [namespace("shop")], pods: over.pods ?? PODS, complete: over.complete ?? true });
  const world = seenWorld(
    definitions,
    {
      inventories: new Map([["cluster/eu", seen]]),
      live: over.live,
      enforcers: new Map(isOpen ? [["cluster/eu", over.found ?? ""]] : []),
      hosts: new Map(),
    },
    NOW,
  );
  const inputs = { files: [], patchPath: (path: string) => path };
  return await withBlame(explainConnection(world, inputs, { from, to, port }), async () => await Promise.resolve(null));
}

describe("where it is enforced", () => {
  // Bug: "enforced at cluster/eu" stands beside "nothing enforces policies there".
  it("is nowhere in a cluster in which nothing enforces, and that is said", async () => {
    const answer = await ask("eu/shop/other-1", "eu/shop/db-1", "5432", { found: "none" });
    expect(answer).toMatchObject({ verdict: "denied", enforcedAt: [] });
    expect(answer.notes).toContain("nothing enforces policies in cluster/eu: what the definitions deny there passes");
    expect(formatExplain(answer)).toContain("enforced at  nowhere: nothing enforces policies there");
  });

  it("is the cluster where an enforcer was found", async () => {
    const { enforcedAt, notes } = await ask("eu/shop/other-1", "eu/shop/db-1", "5432", { found: "calico" });
    expect(enforcedAt).toContainEqual({ target: "cluster/eu", direction: "ingress", mode: "enforced" });
    expect(notes.join()).not.toContain("nothing enforces");
  });
});

describe("the verdict", () => {
  // Bug: a range is allowed because its first port is; a name is allowed where nobody listens under it.
  it("is of all ports that were asked about", async () => {
    expect(await ask("web", "db", "5432")).toMatchObject({ verdict: "allowed", pairs: { asked: 6, allowed: 6 }, edit: null });
    expect(await ask("web", "db", "5432-5440/tcp")).toMatchObject({
      verdict: "some",
      pairs: { asked: 6, allowed: 0 },
      pair: { port: "5433/tcp" },
    });
    expect(await ask("web", "db", "5433/tcp")).toMatchObject({ verdict: "denied" });
    expect(await ask("web", "eu/shop/db-1", "pg/tcp")).toMatchObject({ verdict: "allowed", pair: { port: "6432/tcp" } });
    expect(await ask("web", "eu/shop/db-2", "pg/tcp")).toMatchObject({ verdict: "denied", ends: [] });
  });

  // Bug: a rule that compares labels denies it without a word, and the edit at hand is a rule that compares none: it opens what the
  // labels keep apart.
  it("says which labels part, and proposes no way round them", async () => {
    const answer = await ask("eu/shop/db-1", "eu/shop/db-3", "5433");
    expect([answer.verdict, answer.edit]).toEqual(["denied", null]);
    expect(answer.notes).toContain(
      "rule flow/1 would allow it, but compares color: eu shop/db-1[Pod] has blue, eu shop/db-3[Pod] has red. Only equal labels are the same",
    );
    expect(answer.notes.join("\n")).toContain("no edit is proposed: give both ends equal labels");
    const bare = await ask("eu/shop/db-1", "eu/shop/db-4", "5433", {
      pods: [...PODS, pod("shop/db-4", { app: "db" }, "10.244.0.8")],
    });
    expect(bare.notes.join("\n")).toContain("db-4[Pod] has no color");
    // Another port is another matter: no rule with labels is about it.
    expect((await ask("eu/shop/db-1", "eu/shop/db-3", "22")).notes.join("\n")).not.toContain("color");
  });

  // Bug: an answer for the first pair sold as one for the segment; a workload counted as a pair with itself.
  it("is of all pairs, and tells the one that is denied", async () => {
    const answer = await ask("db", "db", "5433");
    expect(answer).toMatchObject({ verdict: "some", pairs: { asked: 6, allowed: 2 } });
    expect(answer.pair).toEqual({ from: "eu shop/db-1[Pod]", to: "eu shop/db-3[Pod]", port: "5433/tcp" });
    const alone = await ask("eu/shop/db-1", "eu/shop/db-1", "22");
    expect(alone).toMatchObject({ verdict: "allowed", pairs: { asked: 0 }, ends: [], enforcedAt: [] });
    expect(alone.notes).toContain("both ends are one and the same workload, which always reaches itself");
  });

  // Bug: "2 of 6 pairs", and nowhere which two.
  it("lists every pair by what it gets, in text only where they part or when it is asked for", async () => {
    const answer = await ask("db", "db", "5433");
    const total = (answer.groups ?? []).reduce((sum, { pairs }) => sum + pairs, 0);
    expect([total, answer.moreGroups]).toEqual([6, 0]);
    const allowed = (answer.groups ?? []).filter(({ verdict }) => verdict === "allowed");
    expect(allowed.flatMap(({ from, to }) => [from, to])).toContainEqual(["eu shop/db-2[Pod]"]);
    expect(allowed.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(2);
    expect(formatExplain(answer)).toContain("other pairs get other answers: --full lists all");
    for (const { verdict, from, to, pairs } of answer.groups ?? [])
      expect(formatExplain(answer, true)).toContain(`${verdict.padEnd(9)} ${from.join(", ")} → ${to.join(", ")} (${pairs})`);
    expect(formatExplain(answer, true)).not.toContain("--full");
    expect(formatExplain(await ask("web", "db", "5432"))).not.toContain("--full");
  });

  // Bug: an answer of a thousand workloads of either end is a megabyte, or the rest is left out in silence.
  it("lists within a bound, and counts what is beyond", async () => {
    const many = Array.from({ length: 300 }, (_, index) => pod(`shop/db-${index}`, { app: "db" }, `10.244.3.${index % 250}`));
    const { groups = [] } = await ask("web", "db", "22", { pods: [...PODS.slice(0, 2), ...many] });
    expect(groups[0]?.to.length).toBe(201);
    expect(groups[0]?.to.at(-1)).toMatch(/^\d+ more workloads$/);
  });

  // Bug: ten thousand pairs are looked at and the rest is taken for the same; or they are looked at one by one for minutes.
  it("of big segments counts every pair, asked class by class", async () => {
    const pods = [
      ...Array.from({ length: 3000 }, (_, index) =>
        pod(`shop/web-${index}`, { app: "web" }, `10.244.${10 + (index >> 8)}.${index & 255}`),
      ),
      ...Array.from({ length: 2000 }, (_, index) =>
        pod(`shop/db-${index}`, { app: "db" }, `10.244.${30 + (index >> 8)}.${index & 255}`),
      ),
    ];
    expect(await ask("web", "db", "5432", { pods })).toMatchObject({
      verdict: "allowed",
      pairs: { asked: 6_000_000, allowed: 6_000_000 },
    });
  });

  // Bug: an unseen cluster taken for an empty one.
  it("about a cluster that is not seen whole carries that", async () => {
    const answer = await ask("web", "db", "5432", { complete: false });
    expect(answer.notes).toContain("the workloads of cluster/eu are not known whole");
  });
});

describe("the enforcement points", () => {
  // Bug: "enforced at" an end that only observes and lets everything pass.
  it("tell ends that enforce from ends that observe", async () => {
    const answer = await ask("web", "db", "22");
    expect(answer.enforcedAt).toEqual([
      { target: "cluster/eu", direction: "egress", mode: "observed" },
      { target: "cluster/eu", direction: "ingress", mode: "enforced" },
    ]);
    expect(formatExplain(answer)).toContain("enforced at  cluster/eu (ingress)\n  observed at  cluster/eu (egress)");
    expect(formatExplain(await ask("eu/shop/other-1", "mainframe", "22"))).toContain("enforced at  nowhere: no end is isolated");
  });
});

describe("live", () => {
  const open = { kind: "cluster", completeness: "complete", policies: [] } as const;

  // Bug: "agrees" although live lets through what is denied, or although nobody could read it.
  it("agrees, differs, or cannot be said", async () => {
    const differs = await ask("web", "db", "22", { live: new Map([["cluster/eu", open]]) });
    expect(differs.live).toMatchObject({ verdict: "allowed", agrees: false });
    expect(formatExplain(differs)).toContain("live         allowed, DIFFERS\n    egress   no policy isolates egress of shop/web-1");
    const agrees = await ask("web", "db", "5432", { live: new Map([["cluster/eu", open]]) });
    expect(agrees.live).toMatchObject({ verdict: "allowed", agrees: true });
    const unknown = await ask("web", "db", "22", { live: new Map() });
    expect(unknown.live).toMatchObject({ agrees: null });
    expect((await ask("web", "db", "22")).live).toBeNull();
  });
});

describe("names", () => {
  // Bug: a pod that can only be named by its full id; a controller's name that means one pod of it.
  it("may be ids, names of controllers, externals and addresses", async () => {
    expect((await ask("eu/shop/web-1", "db", "5432")).pairs.asked).toBe(3);
    expect((await ask("cluster/eu/shop/web-1", "db", "5432")).pairs.asked).toBe(3);
    expect((await ask("10.244.0.1", "db", "5432")).pair.from).toMatch(/^eu shop\/web/);
    expect((await ask("mainframe", "db", "5432")).verdict).toBe("denied");
    expect((await ask("10.9.0.7", "db", "5432")).pair.from).toBe("mainframe (10.9.0.7)");
    expect((await ask("198.51.100.1", "db", "5432")).pair.from).toBe("198.51.100.1");
    expect((await ask("internet", "db", "5432")).verdict).toBe("denied");
  });

  it("that are none are answered with what was probably meant", async () => {
    await expect(ask("wbe", "db", "22")).rejects.toThrow('there is no "wbe". Did you mean "web"? Name a segment');
    await expect(ask("eu/shop/db_1", "db", "22")).rejects.toThrow('Did you mean "eu/shop/db-1"?');
    await expect(ask("\u001b[2J", "db", "22")).rejects.toThrow('there is no "\\u001b[2J". Name a segment');
    await expect(ask("nobody", "db", "22")).rejects.toThrow("segment nobody selects nothing now");
    await expect(ask("10.9.0.0/24", "db", "22")).rejects.toThrow("10.9.0.0/24 is a block; name one address of it");
    await expect(ask("10.9.0.256", "db", "22")).rejects.toThrow("10.9.0.256 is not an IP address");
    await expect(ask("::ffff:10.9.0.1", "db", "22")).rejects.toThrow("write 10.9.0.1");
    for (const port of ["any", "70000", "22/tpc", "0", "1-0/tcp", ""]) {
      await expect(ask("web", "db", port), port).rejects.toMatchObject({ code: "USAGE" });
    }
  });
});
