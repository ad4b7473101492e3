import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { proposalOf, type Proposal } from "../../../core/flow/propose.ts";
import { nextOf, withEnforced, type Enforced } from "../../../core/flow/enforced.ts";
import type { Flow, FlowEnd } from "../../../core/flow/flow.ts";
import { readyOf, type ReadyAnswer } from "../../../core/flow/ready.ts";
import { rulePortOf, seenOf } from "../../../core/flow/seen.ts";
import { usageOf } from "../../../core/flow/usage.ts";
import { verdictOf } from "../../../core/explain/pair.ts";
import { endReader } from "../../../core/guardrail/ends.ts";
import { seenWorld, type ConnectivityWorld } from "../../../core/guardrail/world.ts";
import type { Definitions, Direction } from "../../../core/model/kinds.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import type { SourceFile } from "../../../core/model/source.ts";
import { formatProposal, formatReady } from "../../../core/text/flows.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { expectGolden } from "../../support/golden.ts";

const TEXT = `apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.244.0.0/16], enforcer: kube-network-policies}
---
apiVersion: firebreak.dev/v1alpha1
kind: External
metadata: {name: office}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: web}
spec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {matchLabels: {team: shop}}}]}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: shop}
spec: {members: [{pods: {}, namespaces: {matchLabels: {team: shop}}}], isolate: {ingress: off, egress: off}}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: batch}
spec: {members: [{pods: {matchLabels: {app: batch}}, namespaces: {matchLabels: {team: shop}}}], isolate: {ingress: off, egress: off}}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: database}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {matchLabels: {team: shop}}}], isolate: {ingress: observe, egress: off}}
---
apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: shop}
spec:
  owner: team-shop
  rules:
    - {from: [batch], to: [database], ports: [5432/tcp]}
---
apiVersion: firebreak.dev/v1alpha1
kind: Guardrail
metadata: {name: no-telnet}
spec: {never: [{from: [any], to: [database], ports: [23/tcp]}]}
`;

const FILES: readonly SourceFile[] = [{ path: "policies/all.yaml", bytes: Buffer.from(TEXT) }];
const NOW = Date.parse("2026-11-30T08:00:00Z");
const SEEN = inventory("eu", {
  namespaces: [namespace("shop", { team: "shop" }), namespace("ops")],
  pods: [
    pod("shop/web-1", { app: "web" }, "10.244.0.1", { owner: "Deployment/web" }),
    pod("shop/web-2", { app: "web" }, "10.244.0.2", { owner: "Deployment/web" }),
    pod("shop/web-canary", { app: "web", canary: "1" }, "10.244.0.7"),
    pod("shop/db-0", { app: "db" }, "10.244.0.3", { owner: "StatefulSet/db" }),
    pod("ops/mon-1", { app: "mon" }, "10.244.0.4", { owner: "Deployment/mon" }),
    pod("shop/batch-1", { app: "batch" }, "10.244.0.5", { owner: "Job/batch" }),
  ],
});

function read(files: readonly SourceFile[]): Definitions {
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions === undefined) throw new Error(JSON.stringify(notes));
  return definitions;
}

const INGRESS: Enforced = new Map([["database", ["ingress"] as Direction[]]]);

function worldOf(definitions: Definitions, enforced: Enforced = INGRESS): ConnectivityWorld {
  const seen = { inventories: new Map([["cluster/eu", SEEN]]), live: undefined, enforcers: new Map(), hosts: new Map() };
  return seenWorld(withEnforced(definitions, enforced), seen, NOW);
}

const inputs = { files: FILES, patchPath: (path: string) => path, view: (what: Definitions) => withEnforced(what, INGRESS) };

const workload = (name: string): FlowEnd => ({ kind: "workload", name });
const address = (name: string): FlowEnd => ({ kind: "address", name });
const DB = workload("eu shop/db[StatefulSet]");

function flow(from: FlowEnd, port: number, part: Partial<Flow> = {}): Flow {
  const last = Date.parse("2026-11-29T10:00:00Z");
  return {
    from,
    to: DB,
    protocol: "tcp",
    port,
    verdict: "allowed",
    first: last,
    last,
    count: 1,
    unanswered: 0,
    days: ["2026-11-29"],
    source: "log",
    ...part,
  };
}

const tableOf = (flows: readonly Flow[]) => ({
  flows,
  coverage: [
    { source: "log", format: "firebreak", first: NOW - 9, last: NOW, sightings: flows.length, broken: 0, lost: 2, merged: 0 },
  ],
});

const STORY = [
  flow(workload("eu shop/web[Deployment]"), 5432, { count: 12, days: ["2026-11-28", "2026-11-29"] }),
  flow(workload("eu shop/web[Deployment]"), 5433, { verdict: "would be denied" }),
  flow(workload("eu shop/batch[Job]"), 5432),
  flow(workload("eu shop/batch[Job]"), 8080),
  flow(workload("eu ops/mon[Deployment]"), 9187, { count: 900 }),
  flow(address("192.0.2.9"), 5432),
  flow(address("198.51.100.7"), 5432, { unanswered: 1 }),
  flow(address("198.51.100.8"), 22, { verdict: "denied" }),
  flow(workload("eu shop/web[Deployment]"), 23),
  flow(workload("eu shop/gone[Deployment]"), 5432),
  flow({ kind: "ambiguous", name: "10.244.0.9" }, 5432),
  flow(address("203.0.113.1"), 0, { port: null, count: 65_000 }),
];

const proposed = (flows: readonly Flow[]): Proposal => proposalOf(worldOf(read(FILES)), inputs, INGRESS, tableOf(flows));
const readied = (flows: readonly Flow[]): ReadyAnswer =>
  readyOf(worldOf(read(FILES)), inputs, "database", ["ingress"], tableOf(flows));

/** The files with the patch of a proposal, put together from its parts: one edit a file. */
function patched({ patch }: Proposal): readonly SourceFile[] {
  let files = FILES;
  for (const part of patch.split(/^(?=--- )/m).filter(Boolean)) {
    const path = /^\+\+\+ b\/(.*)$/m.exec(part)?.[1] ?? "";
    const old = files.find((file) => file.path === path);
    const lines = old === undefined ? [] : Buffer.from(old.bytes).toString().split("\n");
    const after: string[] = [];
    let at = 0;
    for (const hunk of part.split(/^(?=@@ )/m).slice(1)) {
      const start = Number(/^@@ -(\d+)/.exec(hunk)?.[1] ?? 1) - 1;
      after.push(...lines.slice(at, Math.max(start, 0)));
      at = Math.max(start, 0);
      for (const line of hunk.split("\n").slice(1)) {
        if (line.startsWith("+")) after.push(line.slice(1));
        else if (line.startsWith("-")) at += 1;
        else if (line.startsWith(" ")) after.push(lines[at++] ?? "");
      }
    }
    after.push(...lines.slice(at));
    files = [...files.filter((file) => file.path !== path), { path, bytes: Buffer.from(after.join("\n")) }];
  }
  return files;
}

describe("a proposal", () => {
  it("has a rule for what was seen, with its evidence, and says what stays denied", () => {
    expectGolden("flow/proposal.txt", formatProposal(proposed(STORY), { full: false }));
  });

  const froms = fc.constantFrom(...new Set(STORY.map(({ from }) => from)));
  const flows = fc.array(
    fc.record({
      from: froms,
      port: fc.constantFrom(23, 80, 443, 5432),
      verdict: fc.constantFrom("allowed" as const, "would be denied" as const),
    }),
    { maxLength: 8 },
  );
  const many = flows.map((list) => list.map(({ from, port, verdict }) => flow(from, port, { verdict })));

  // Bug: merged, it denies something that it says it covers.
  it("denies nothing of what was seen but what it says, once it is merged", () => {
    fc.assert(
      fc.property(many, (list) => {
        const proposal = proposed(list);
        const after = worldOf(read(patched(proposal)));
        const told = new Set(proposal.denied.map(({ from, port }) => `${from} ${port}`));
        for (const one of seenOf(after.estate, list).seen) {
          const verdict = verdictOf(after.enforceable, { port: rulePortOf(one) }, { from: one.initiator, to: one.responder });
          const name = one.initiator.kind === "workload" ? one.initiator.workload.name : one.from.name;
          expect([name, one.port, verdict === "allowed"]).toEqual([name, one.port, !told.has(`${name} ${one.port}/tcp`)]);
        }
      }),
      { numRuns: 15 },
    );
  });

  // Bug: a rule opens more than the members of the segments that it names, on the ports that were seen between them.
  it("opens nothing beyond the members of the segments it names, on the ports that were seen", () => {
    fc.assert(
      fc.property(many, (list) => {
        const proposal = proposed(list);
        const [before, after] = [worldOf(read(FILES)), worldOf(read(patched(proposal)))];
        const segments = endReader(after.definitions, after.estate);
        for (const from of after.estate.workloads)
          for (const to of after.estate.workloads)
            for (const port of [22, 23, 80, 443, 5432, 9999]) {
              if (from === to) continue;
              const asked = { port: { kind: "range", protocol: "tcp", from: port, to: port } } as const;
              const pair = { from: { kind: "workload", workload: from }, to: { kind: "workload", workload: to } } as const;
              if (verdictOf(after.enforceable, asked, pair) === verdictOf(before.enforceable, asked, pair)) continue;
              const isStated = proposal.rules.some(
                (rule) =>
                  rule.ports.includes(`${port}/tcp`) &&
                  rule.from.some((name) => segments(name).has(from)) &&
                  segments(rule.to).has(to),
              );
              expect([from.name, to.name, port, isStated]).toEqual([from.name, to.name, port, true]);
            }
      }),
      { numRuns: 10 },
    );
  });

  // Bug: two runs, or the same flows in another order, propose another text: every run is then a new pull request.
  it("is the same text for the same flows in any order", () => {
    fc.assert(
      fc.property(many, (list) => {
        expect(proposed(list.toReversed()).patch).toBe(proposed(list).patch);
      }),
      { numRuns: 8 },
    );
  });

  // Bug: merged, it is not enough, and the next run proposes it again.
  it("leaves nothing to propose once it is merged", () => {
    const files = patched(proposed(STORY));
    const again = proposalOf(worldOf(read(files)), { ...inputs, files }, INGRESS, tableOf(STORY));
    expect({ rules: again.rules, patch: again.patch }).toEqual({ rules: [], patch: "" });
  });
});

describe("ready", () => {
  it("lists what enforcing would deny, with the edit that would allow each", () => {
    expectGolden("flow/ready.txt", formatReady(readied(STORY), { full: false }));
  });

  // Bug: no flows read as no traffic: a segment that nobody looked at is called ready.
  it("says that nothing was seen", () => {
    expect(formatReady(readied([]), { full: false })).toContain(
      "no connection of it was seen, which says nothing of what would break",
    );
  });

  it("enforces what observes, else what is off", () => {
    const { segments } = read(FILES);
    expect(["web", "database", "batch"].map((name) => nextOf(segments.get(name) as never))).toEqual([
      ["ingress", "egress"],
      ["ingress"],
      ["ingress", "egress"],
    ]);
  });
});

describe("usage", () => {
  const usageIn = (days: number, flows: readonly Flow[]) => {
    const world = worldOf(read(FILES));
    return usageOf(world, tableOf(flows), days).rules.map(({ rule, usage, count, why }) => ({ rule, usage, count, why }));
  };
  const web = flow(workload("eu shop/web[Deployment]"), 443, { first: NOW - 40 * 86_400_000 });

  it.each([
    // Bug: a rule of which nobody saw anything, because nobody looked, is called unused and taken away.
    ["nobody looked at its ends", 30, [], "unknown", 0],
    ["its ends were looked at for long, and nothing used it", 30, [web], "unseen", 0],
    ["its ends were not looked at for long enough", 90, [web], "unknown", 0],
    ["it carried what was seen", 90, [flow(workload("eu shop/batch[Job]"), 5432, { count: 3 }), web], "used", 3],
    ["what was seen was refused", 30, [flow(workload("eu shop/batch[Job]"), 5432, { verdict: "denied" }), web], "unseen", 0],
    ["another port of the same two was seen", 30, [flow(workload("eu shop/batch[Job]"), 5433), web], "unseen", 0],
  ] as const)("%s", (_, days, flows, usage, count) => {
    expect(usageIn(days, flows)).toMatchObject([{ rule: "shop/0", usage, count }]);
  });
});
