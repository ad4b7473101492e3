import { expect, test } from "vitest";
import { liveSource } from "../../../core/enforced/source.ts";
import type { LiveTarget } from "../../../core/enforced/target.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import type { TargetId } from "../../../core/model/kinds.ts";
import { sourceDiff } from "../../../core/reach/diff.ts";
import { estate, written } from "../../support/hand-source.ts";

const DEFINITIONS = written(`
kind: HostFleet
metadata: {name: metal}
spec:
  mode: apply
  transport: {ssh: {user: firebreak, port: 22}}
  lifeline: {from: [10.0.0.0/24], ports: [22/tcp]}
  hosts: [{name: backup-1, addresses: [10.20.0.11], labels: {role: backup}}, {name: pacs-1, addresses: [10.20.0.12], labels: {role: pacs}}]
---
kind: Segment
metadata: {name: backup}
spec: {members: [{hosts: {matchLabels: {role: backup}}}], isolate: {ingress: enforce}}
`);

// Bug: `opens any → backup` because its cable was pulled: nobody looked, and nothing was opened.
test("a host that was not read neither opens nor closes: it is uncertain", () => {
  const on = estate(DEFINITIONS);
  const complete = { kind: "host", completeness: "complete", addresses: ["10.20.0.12"], ruleset: [], legacyTables: [] } as const;
  const failed = { ...complete, completeness: "failed", addresses: [] } as const;
  const live = liveSource(
    on,
    new Map<TargetId, LiveTarget>([
      ["host/metal/pacs-1", complete],
      ["host/metal/backup-1", failed],
    ]),
  );
  const diff = sourceDiff(intentOf(DEFINITIONS, on, { as: "enforceable" }), live);
  expect([diff.kind, diff.opened, diff.closed]).toEqual(["equivalent", [], []]);
  expect(diff.uncertain.map(({ text }) => text)).toContain("host/metal/backup-1 was not read");
});
