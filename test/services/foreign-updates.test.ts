/** How the log grows by findings of policies that are not ours. */
import { expect, it } from "vitest";
import type { StoredFinding } from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import { findingEntries } from "../../services/findings.ts";
import { ForeignUpdates } from "../../services/foreign-updates.ts";

const MINUTE = 60_000;

/** The cast: what the store also keeps of a finding is not read. */
function finding(name: string, over: Partial<StoredFinding> = {}): StoredFinding {
  const effect = { verdict: "closes" as const, opened: [], closed: [] };
  const known = {
    fingerprint: name,
    kind: "foreign" as const,
    target: clusterTargetId("eu"),
    subject: name,
    summary: name,
    effect,
  };
  return { ...known, severity: "info", foreign: true, firstSeen: 1, lastSeen: 1, openedCount: 1, ...over } as StoredFinding;
}

/** What the log is told of these updates. The cast: entries of findings are made from typed input. */
function entries(updates: ForeignUpdates, updated: readonly StoredFinding[], at: number): readonly EntryInput[] {
  return findingEntries(at, updates)({ opened: [], updated, resolved: [] }).map(({ input }) => input as EntryInput);
}

const tenants = Array.from({ length: 300 }, (_, index) => finding(`networkpolicy t/p${index}`));

// Bug: a tenant with 300 policies adds one more again and again, and each time the log grows by 300 entries.
it("is bounded for each target and minute, whatever one tenant changes, and tells how many it left out", () => {
  const updates = new ForeignUpdates();
  const grown = Array.from({ length: 50 }, (_, index) => entries(updates, tenants, 1_000 + index)).flat();
  expect(grown).toHaveLength(5);
  const next = entries(updates, tenants, 1_000 + MINUTE);
  expect(next).toHaveLength(5);
  expect(next[0]?.detail).toMatchObject({ untold: 49 * 300 + 295 });
  expect(new Set([...grown, ...next].map(({ id }) => id)).size).toBe(10);
});

it("has the worst first, and every update of what is ours, at once", () => {
  const updates = new ForeignUpdates();
  entries(updates, tenants, 1_000);
  const ours = [finding("networkpolicy shop/fb-a", { foreign: false }), finding("networkpolicy shop/fb-b", { foreign: false })];
  expect(entries(updates, [...tenants, ...ours], 2_000).map(({ finding: told }) => told?.object)).toEqual([
    "networkpolicy shop/fb-a",
    "networkpolicy shop/fb-b",
  ]);
  const worst = finding("networkpolicy t/opens", { severity: "high" });
  expect(entries(updates, [...tenants, worst], 1_000 + 2 * MINUTE)[0]?.finding).toMatchObject({ object: "networkpolicy t/opens" });
});

it("is of one target; another one's tenants do not use it up", () => {
  const updates = new ForeignUpdates();
  entries(updates, tenants, 1_000);
  const other = finding("networkpolicy t/p", { target: clusterTargetId("us") });
  expect(entries(updates, [other], 1_001)).toHaveLength(1);
});
