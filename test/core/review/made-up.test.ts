import { describe, expect, it } from "vitest";
import { reviewCandidate } from "../../../core/review/candidate.ts";
import { reviewMarkdown } from "../../../core/text/review.ts";
import { verdictOf } from "../../../core/review/reviewed.ts";
import { written } from "../../support/hand-source.ts";

const BASE = (ranges = "10.244.0.0/16"): string => `
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [${ranges}]}
---
kind: External
metadata: {name: partner, labels: {zone: partner}}
spec: {addresses: [203.0.113.0/24, "2001:db8:9::/48"]}
---
kind: Segment
metadata: {name: partners}
spec: {members: [{externals: {matchLabels: {zone: partner}}}]}
---
kind: Segment
metadata: {name: db}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: enforce, egress: enforce}}
---
kind: Segment
metadata: {name: web}
spec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {}}]}
---
kind: Guardrail
metadata: {name: g}
spec: {never: [{from: [partners], to: [db], ports: [any]}]}
`;
const POLICY = (rules: string): string => `---
kind: Policy
metadata: {name: flow}
spec: {owner: team, reason: because, rules: [${rules}]}
`;
const SNEAKY = `---
kind: Segment
metadata: {name: sneaky}
spec: {members: [{pods: {matchLabels: {version: v2}}, namespaces: {}}]}
`;
const file = (text: string) => [
  {
    path: "all.yaml",
    bytes: Buffer.from(text.replaceAll(/^kind:/gm, "apiVersion: firebreak.dev/v1alpha1\nkind:")),
    mode: "100644",
  },
];

/** What a stranger's pull request is told, from Git alone. */
function review(before: string, after: string) {
  const reviewed = reviewCandidate({
    common: file(before),
    base: file(before),
    head: file(after),
    before: written(before),
    allow: undefined,
    now: 0,
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    live: undefined,
  });
  if (reviewed.kind !== "reviewed") throw new Error(JSON.stringify(reviewed));
  const { diff, problems } = reviewed.review;
  return {
    verdict: verdictOf(reviewed),
    opened: diff.opened.map(({ from, to, ports }) => `${from} → ${to}: ${ports}`),
    uncertain: diff.uncertain.map(({ text }) => text),
    problems: problems.map(({ code }) => code),
  };
}

describe("a review from Git alone never says that nothing opens when something may", () => {
  // Bug: made-up pods had no named ports, so a rule to one opened nothing, and the guardrail passed.
  it("for a rule to a named port", () => {
    expect(review(BASE(), BASE() + POLICY("{from: [partners], to: [db], ports: [postgres/tcp]}"))).toEqual({
      verdict: "blocked",
      opened: ["partners → db: 65535/tcp"],
      uncertain: [expect.stringContaining("the number behind the named port postgres/tcp")],
      problems: ["GUARDRAIL_VIOLATED"],
    });
  });

  // Bug: a made-up pod had one address, of the first range, so IPv6 met nobody.
  it("for IPv6, where the cluster has it", () => {
    const base = BASE('10.244.0.0/16, "fd00:1::/64"').replace("203.0.113.0/24, ", "");
    expect(review(base, base + POLICY("{from: [partners], to: [db], ports: [22/tcp]}"))).toMatchObject({
      verdict: "blocked",
      opened: ["partners → db: 22/tcp"],
      problems: ["GUARDRAIL_VIOLATED"],
    });
  });

  // Bug: the made-up cluster had no API server, so a new way to it was "opens nothing; touches none".
  it("for a new way to the API server", () => {
    const after = BASE().replace(
      "isolate: {ingress: enforce, egress: enforce}",
      "isolate: {ingress: enforce, egress: enforce}, needs: [apiserver]",
    );
    expect(review(BASE(), after).opened).toEqual(["db → 192.0.2.1: 6443/tcp"]);
  });

  // Bug: a rule to a segment that nobody isolates opens the pods that it shares with one that is; made-up pods stand in one segment each.
  it("for a segment that may share workloads with an isolated one", () => {
    const { verdict, opened, uncertain } = review(
      BASE(),
      BASE() + SNEAKY + POLICY("{from: [partners], to: [sneaky], ports: [22/tcp]}"),
    );
    expect([verdict, opened]).toEqual(["uncertain", []]);
    expect(uncertain).toEqual([
      "it opens partners → a workload in db and sneaky: 22/tcp, if there is such a workload; ask with --inventory, or the running service",
    ]);
  });

  it("and has no doubt where what opens is told already, or nothing touches such a segment", () => {
    const base = (BASE() + SNEAKY).replace(/---\nkind: Guardrail[^]*?any\]\}\]\}\n/, "");
    expect(review(base, base + POLICY("{from: [partners], to: [db], ports: [22/tcp]}"))).toMatchObject({
      verdict: "fine",
      opened: ["partners → db: 22/tcp"],
      uncertain: [],
    });
    const owned = base + POLICY("{from: [partners], to: [db], ports: [22/tcp]}");
    expect(review(owned, owned.replace("owner: team", "owner: others"))).toMatchObject({ opened: [], uncertain: [] });
  });
});

// Bug: the one commit that begins enforcement reads "opens nothing, closes nothing. Touches none of 1 target", because targets in `mode: plan`
// count as applied on both sides.
describe("a change of a target's mode", () => {
  const as = (mode: string): string =>
    BASE().replace("mode: apply", `mode: ${mode}`) + POLICY("{from: [web], to: [db], ports: [5432/tcp]}");
  const reviewed = (before: string, after: string) => {
    const input = {
      common: file(before),
      base: file(before),
      head: file(after),
      before: written(before),
      allow: undefined,
      now: 0,
    };
    const answer = reviewCandidate({ ...input, operator: { floor: { from: [], ports: [] }, ownPaths: [] }, live: undefined });
    if (answer.kind !== "reviewed") throw new Error(JSON.stringify(answer));
    return { text: reviewMarkdown(answer), review: answer.review };
  };

  it("from plan to apply closes what the rules close, and leaves open what they allow", () => {
    const { text, review: told } = reviewed(as("plan"), as("apply"));
    const lines = (side: "opened" | "closed" | "stays") =>
      told.diff[side].map(({ from, to, ports }) => `${from} → ${to}: ${ports}`);
    expect(lines("opened")).toEqual([]);
    expect(lines("closed").join("\n")).toMatch(/→ db: any port/);
    expect(lines("stays")).toContain("web → db: 5432/tcp");
    expect(told.touched.targets).toEqual([{ id: "cluster/eu", mode: "apply", how: "begins" }]);
    expect(text).toContain("`cluster/eu` is written from now on");
  });

  it("from apply to plan opens nothing: what is there stays", () => {
    const { text, review: told } = reviewed(as("apply"), as("plan"));
    expect([told.diff.opened, told.diff.closed]).toEqual([[], []]);
    expect(told.touched.targets).toEqual([{ id: "cluster/eu", mode: "plan", how: "ends" }]);
    expect(text).toContain("`cluster/eu` is written no more: what is enforced there stays");
  });

  it("is no part of another change: a target that stays in plan counts as applied", () => {
    const { text, review: told } = reviewed(as("plan"), as("plan").replace("5432/tcp", "5433/tcp"));
    expect(told.diff.opened.map(({ ports }) => ports)).toEqual(["5433/tcp"]);
    expect(told.touched.targets).toEqual([{ id: "cluster/eu", mode: "plan", how: "changed" }]);
    expect(text).toContain("**Nothing is written to** `cluster/eu`: `mode: plan`");
  });
});
