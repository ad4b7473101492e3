import { describe, expect, it } from "vitest";
import { reviewCandidate } from "../../../core/review/candidate.ts";
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
