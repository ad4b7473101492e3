import { describe, expect, it } from "vitest";
import { madeUpWorld } from "../../../core/guardrail/world.ts";
import { makeReport, type TestReport } from "../../../core/guardrail/report.ts";
import { overlapInventories } from "../../../core/guardrail/overlaps.ts";
import { symbolicInventories } from "../../../core/guardrail/symbolic.ts";
import { written } from "../../support/hand-source.ts";

const BASE = `
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.244.0.0/16]}
---
kind: External
metadata: {name: guest-wifi, labels: {zone: guest}}
spec: {addresses: [10.8.0.0/24]}
---
kind: Segment
metadata: {name: guests}
spec: {members: [{externals: {matchLabels: {zone: guest}}}]}
---
kind: Segment
metadata: {name: billing}
spec:
  members: [{pods: {matchLabels: {app: billing}}, namespaces: {matchLabels: {kubernetes.io/metadata.name: billing}}}]
  isolate: {ingress: enforce}
---
kind: Policy
metadata: {name: help}
spec:
  owner: team
  reason: guests look up appointments
  rules: [{from: [guests], to: [billing], ports: [8443/tcp]}]
---
kind: Guardrail
metadata: {name: g}
spec: {never: [{from: [guests], to: [broad], ports: [any]}]}
---
`;

function broad(members: string, more = ""): string {
  return `${BASE}kind: Segment\nmetadata: {name: broad}\nspec: {members: [${members}], isolate: {ingress: enforce}${more}}\n`;
}

function asked(text: string): TestReport {
  const { definitions, approved, basis, gaps, overlapping } = madeUpWorld(written(text), 0);
  return makeReport(definitions, [approved], basis, gaps, overlapping);
}

describe("a `never` over a broad segment, on made-up workloads", () => {
  // Bug: the check of a pull request says ok, and the inventory says FAILED: a namespace that one segment names has the label of the other.
  it.each([
    ["whoever has a team", "{namespaces: {matchExpressions: [{key: team, operator: Exists}]}}"],
    ["one team", "{namespaces: {matchLabels: {team: finance}}}"],
    ["pods of some label, in some namespaces", "{pods: {matchExpressions: [{key: tier, operator: Exists}]}, namespaces: {}}"],
    ["an app of one team", "{pods: {matchLabels: {app: billing}}, namespaces: {matchLabels: {team: finance}}}"],
  ])("is undecided where a workload may stand in both: %s", (_, members) => {
    const { guardrails } = asked(broad(members));
    expect(guardrails).toMatchObject([{ outcome: "uncertain", why: [expect.stringContaining("--inventory")] }]);
    expect(guardrails[0]?.violations[0]?.from).toBe("guest-wifi");
  });

  // Bug: every check of a valid repository is undecided, because pods are made up that cannot be.
  it.each([
    ["another namespace by name", "{pods: {}, namespaces: {matchLabels: {kubernetes.io/metadata.name: ehr}}}"],
    ["another app", "{pods: {matchLabels: {app: ehr}}, namespaces: {matchLabels: {team: finance}}}"],
    ["what asks that the label is not there", "{pods: {matchExpressions: [{key: app, operator: DoesNotExist}]}, namespaces: {}}"],
  ])("holds where none can: %s", (_, members) => {
    expect(asked(broad(members)).guardrails).toMatchObject([{ outcome: "passed" }]);
  });

  it("holds where the broad one leaves the other out", () => {
    const members = "{namespaces: {matchExpressions: [{key: team, operator: Exists}]}}";
    expect(asked(broad(members, "\n  not: [{segments: [billing]}]".replace("\n  ", ", "))).guardrails).toMatchObject([
      { outcome: "passed" },
    ]);
  });

  it("is broken, and not undecided, where a workload of one segment breaks it", () => {
    const members = "{pods: {matchLabels: {app: billing}}, namespaces: {matchLabels: {kubernetes.io/metadata.name: billing}}}";
    expect(asked(broad(members)).guardrails).toMatchObject([{ outcome: "violated" }]);
  });

  // Bug: a repository of many teams makes as many pods as it has pairs of segments.
  it("is bounded, and says so", () => {
    const many = Array.from(
      { length: 40 },
      (_, n) => `---\nkind: Segment\nmetadata: {name: t${n}}\nspec: {members: [{namespaces: {matchLabels: {l${n}: "1"}}}]}\n`,
    );
    const definitions = written(`${broad("{namespaces: {matchLabels: {team: ehr}}}")}${many.join("")}`);
    const made = symbolicInventories(definitions);
    const { inventories, gaps } = overlapInventories(definitions, made);
    const extra = (inventories.get("cluster/eu")?.pods.length ?? 0) - (made.inventories.get("cluster/eu")?.pods.length ?? 0);
    expect([extra, gaps.length]).toEqual([500, 1]);
  });
});
