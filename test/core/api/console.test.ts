import { describe, expect, it } from "vitest";
import { causesOf } from "../../../core/api/causes.ts";
import { overviewOf } from "../../../core/api/overview.ts";
import type { FindingAnswer, StatusAnswer, TargetStatus } from "../../../core/api/shapes.ts";

const target = (name: string, more: Partial<TargetStatus> = {}): TargetStatus => ({
  target: `cluster/${name}`,
  state: "in sync",
  mode: "apply",
  revision: 3,
  wanted: 3,
  segments: 1,
  rules: 1,
  lastReadAt: "2026-01-01T00:00:00.000Z",
  openFindings: 0,
  wouldDeny: null,
  error: null,
  nextAttemptAt: null,
  ...more,
});

const status = (targets: readonly TargetStatus[]): StatusAnswer => ({
  instance: "i",
  revision: null,
  repository: { head: null, fetchedAt: null, error: null, refused: null },
  targets,
  troubles: [],
  gaps: [],
  channels: [],
});

const finding = (name: string, more: Partial<FindingAnswer> = {}): FindingAnswer => ({
  fingerprint: name.padEnd(16, "0"),
  kind: "modified",
  severity: "high",
  target: `cluster/${name}`,
  subject: "networkpolicy shop/web",
  summary: "somebody edited it",
  effect: { verdict: "opens", opened: ["any → web: any port (3 workloads)"], closed: [] },
  who: "kubectl",
  at: null,
  firstSeen: "2026-01-01T00:00:00.000Z",
  lastSeen: "2026-01-01T00:00:00.000Z",
  resolvedAt: null,
  heals: 0,
  stopped: false,
  ...more,
});

describe("the overview", () => {
  // Bug: the target that nobody has looked at for an hour is hidden behind one that was read a second ago.
  it("says which look is the oldest, and how many targets never had one", () => {
    const later = "2026-01-02T00:00:00.000Z";
    const { looked } = overviewOf(status([target("a"), target("b", { lastReadAt: later }), target("c", { lastReadAt: null })]), []);
    expect(looked).toEqual({ oldest: "2026-01-01T00:00:00.000Z", newest: later, never: 1 });
  });

  // Bug: two thousand targets that are away make an answer of megabytes; or the bound drops the gravest without a word.
  it("lists those that need somebody up to a bound, the worst first, and counts the others", () => {
    const many = Array.from({ length: 70 }, (_, index) => target(`t${index}`, { state: "pending" }));
    const { attention, moreAttention, states, targets } = overviewOf(
      status([...many, target("fine"), target("away", { state: "unreachable" }), target("found", { openFindings: 1 })]),
      [],
    );
    expect([attention.length, moreAttention, targets]).toEqual([50, 22, 73]);
    expect(attention[0]?.target).toBe("cluster/away");
    expect(states).toEqual([
      { state: "unreachable", count: 1 },
      { state: "pending", count: 70 },
      { state: "in sync", count: 2 },
    ]);
  });

  it("counts findings by severity, the gravest first", () => {
    expect(overviewOf(status([]), ["low", "critical", "low"]).findings).toEqual([
      { severity: "critical", count: 1 },
      { severity: "low", count: 2 },
    ]);
  });
});

describe("the inbox", () => {
  // Bug: one act on forty clusters is forty rows; or what two people did is one row.
  it("has a row for each cause, however many workloads it meets on each target", () => {
    const other = { verdict: "opens", opened: ["any → web: any port (5 workloads)"], closed: [] } as const;
    const { causes } = causesOf([finding("a"), finding("b", { effect: other, heals: 2 }), finding("c", { who: "helm" })], true);
    expect(causes.map(({ who, targets, count, heals }) => [who, targets, count, heals])).toEqual(
      expect.arrayContaining([
        ["kubectl", ["cluster/a", "cluster/b"], 2, 2],
        ["helm", ["cluster/c"], 1, 0],
      ]),
    );
    expect(causes.length).toBe(2);
  });

  // Bug: a row shows the mildest of its findings, or what is over is still shown as open.
  it("tells the gravest of a cause, since the oldest, and nothing that is over", () => {
    const old = "2025-12-31T00:00:00.000Z";
    const over = finding("d", { resolvedAt: "2026-01-01T00:00:00.000Z", who: "gone" });
    const { causes } = causesOf(
      [finding("a", { severity: "low", firstSeen: old }), finding("b", { severity: "critical" }), over],
      true,
    );
    expect(causes.map(({ severity, firstSeen, fingerprint }) => [severity, firstSeen, fingerprint])).toEqual([
      ["critical", old, "b".padEnd(16, "0")],
    ]);
  });

  // Bug: somebody who makes ten thousand objects drowns the inbox, or its bound drops rows without a word.
  it("is bounded in rows and in targets of a row, and says how many are beyond", () => {
    const wide = Array.from({ length: 30 }, (_, index) => finding(`w${index}`, { severity: "critical" }));
    const many = Array.from({ length: 300 }, (_, index) => finding("m", { subject: `networkpolicy shop/p${index}` }));
    const answer = causesOf([...many, ...wide], false);
    expect([answer.causes.length, answer.more, answer.isWhole]).toEqual([200, 101, false]);
    expect([answer.causes[0]?.targets.length, answer.causes[0]?.count]).toEqual([20, 30]);
  });
});
