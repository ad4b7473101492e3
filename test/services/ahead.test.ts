import { describe, expect, it } from "vitest";
import type { EntryInput } from "../../core/audit/entry.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import type { ClusterObservation } from "../../core/observed/observation.ts";
import { markAnnotations } from "../../core/render/networkpolicy-mark.ts";
import { isAhead, liveSequence } from "../../services/live-mark.ts";
import type { LoggedApply } from "../../adapters/trail/file-trail.ts";
import { Gaps, refuseOlder } from "../../services/syncer/ahead.ts";
import type { TargetRow } from "../../adapters/store/index.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import type { ResolvedTarget } from "../../services/syncer/resolve.ts";

const ID = clusterTargetId("prod");

/** Objects with these numbers, of this installation and of another. The cast: only marks are read. */
function observed(ours: readonly number[], theirs: readonly number[] = []): ClusterObservation {
  const object = (instance: string) => (sequence: number) => ({
    object: { metadata: { annotations: markAnnotations({ instance, sequence, digest: "d" }) } },
  });
  return { kind: "cluster", policies: [...ours.map(object("us")), ...theirs.map(object("them"))] } as unknown as ClusterObservation;
}

/** What the log knows to have been written to the target. The cast: only the numbers are read. */
function written(applied: number | undefined, begun?: number): LoggedApply {
  const entry = (revision: number | undefined) => (revision === undefined ? undefined : { revision });
  return { applied: entry(applied), begun: entry(begun) } as unknown as LoggedApply;
}

/** What `refuseOlder` reads of a context, where the log knows of this. The cast: a whole one is a running syncer. */
function contextOf(logged: LoggedApply = written(3)) {
  const entries: EntryInput[] = [];
  let rings = 0;
  const context = {
    instance: "us",
    ahead: 0,
    gaps: new Gaps(),
    trail: { append: async (more: readonly EntryInput[]) => void entries.push(...more) },
    branchBell: { ring: () => (rings += 1) },
    log: { error: () => undefined },
    lastApply: async () => logged,
  };
  return { context: context as unknown as SyncerContext, entries, rings: () => rings };
}

/** The cast: only id and number are read. */
function resolved(sequence: number): ResolvedTarget {
  return { target: { id: ID, kind: "cluster" }, sequence } as unknown as ResolvedTarget;
}

describe("a target that carries a newer revision than is to be planned", () => {
  it("is known by the highest mark of ours, whatever others carry", () => {
    expect(liveSequence(observed([3, 7, 5], [90]), "us")).toBe(7);
    expect(liveSequence(observed([], [90]), "us")).toBe(0);
  });

  // Bug: while the syncer writes the revision that brings it forward, what lost revisions left is told as somebody's tampering.
  it("is ahead also while the intent that brings it forward is open, and not because that intent is half done", () => {
    const intent = { sequence: 5 } as never; // the rest of an intent does not matter
    expect(isAhead([4], { appliedSequence: 1, intent: null })).toBe(true);
    expect(isAhead([4, 5], { appliedSequence: 1, intent })).toBe(true);
    expect(isAhead([1, 5], { appliedSequence: 1, intent })).toBe(false);
    expect(isAhead([], { appliedSequence: null, intent: null })).toBe(false);
  });

  // Bug: a backup is restored, and the revision it holds is applied over a newer one.
  it("is refused; the gap is logged once, and the branch is read again", async () => {
    const { context, entries, rings } = contextOf();
    for (let time = 0; time < 2; time++)
      await expect(refuseOlder(context, resolved(3), observed([3, 7]), undefined)).rejects.toMatchObject({ code: "TARGET_AHEAD" });
    expect(entries).toEqual([
      expect.objectContaining({
        type: "log.gap",
        revision: 7,
        target: { kind: "cluster", id: ID },
        detail: expect.objectContaining({ known: 3, live: 7 }) as unknown,
      }),
    ]);
    expect([context.ahead, rings()]).toEqual([7, 1]);
  });

  it.each([
    ["the log says so", written(7), undefined],
    ["the log has the begin of it", written(3, 7), undefined],
    ["the store says so", written(undefined), { appliedSequence: 7, intent: null }],
    ["the store has the begin of it", written(3), { appliedSequence: 3, intent: { sequence: 7 } }],
  ])("is no such target when that is what was written there: %s", async (_, logged, row) => {
    const { context, entries } = contextOf(logged);
    await refuseOlder(context, resolved(7), observed([3, 7]), row as unknown as TargetRow | undefined); // no other field is read
    await refuseOlder(context, resolved(8), observed([3, 7]), row as unknown as TargetRow | undefined);
    expect(entries).toEqual([]);
  });

  // Bug: after a restore the head is accepted anew, as 7 like the revision that was lost; the target counts as level, then as tampered with.
  it("is refused also when a revision of that number was accepted since: it may be another one", async () => {
    const { context, entries, rings } = contextOf();
    await expect(refuseOlder(context, resolved(7), observed([7]), undefined)).rejects.toMatchObject({ code: "TARGET_AHEAD" });
    expect([entries.length, context.ahead, rings(), context.gaps.explains(ID, 7)]).toEqual([1, 7, 1, true]);
  });

  it("is planned, and explained, when what is in force is newer already", async () => {
    const { context, entries, rings } = contextOf();
    await refuseOlder(context, resolved(8), observed([7]), undefined);
    expect([entries.length, context.ahead, rings(), context.gaps.explains(ID, 7)]).toEqual([1, 0, 0, true]);
  });

  // Bug: who can write our objects raises the number in their mark, and what he changed is healed without a finding.
  it("had its mark raised when this process saw it at a revision of the log before: nothing is refused, nothing explains it", async () => {
    const { context, entries, rings } = contextOf();
    await refuseOlder(context, resolved(3), observed([3]), undefined);
    await refuseOlder(context, resolved(3), observed([3, 7]), undefined);
    expect([entries, context.ahead, rings(), context.gaps.explains(ID, 7)]).toEqual([[], 0, 0, false]);
  });

  it("is explained until it was brought forward, no number above the one that was found, and never again", async () => {
    const { context } = contextOf();
    await expect(refuseOlder(context, resolved(3), observed([7]), undefined)).rejects.toMatchObject({ code: "TARGET_AHEAD" });
    await refuseOlder(context, resolved(8), observed([7]), undefined);
    expect([context.gaps.explains(ID, 7), context.gaps.explains(ID, 8)]).toEqual([true, false]);
    context.gaps.closed(ID);
    await refuseOlder(context, resolved(8), observed([12]), undefined);
    expect([context.gaps.explains(ID, 12), context.ahead]).toEqual([false, 7]);
  });

  // Bug: whoever may write an annotation chooses our numbers, or keeps us from repairing.
  it("is not believed about a number that we never reached", async () => {
    const { context, entries } = contextOf();
    await refuseOlder(context, resolved(3), observed([999_999_999]), undefined);
    expect([context.ahead, entries]).toEqual([0, []]);
  });
});
