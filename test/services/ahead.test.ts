import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { EntryInput } from "../../core/audit/entry.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import type { ClusterObservation } from "../../core/observed/observation.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import { markAnnotations } from "../../core/render/networkpolicy-mark.ts";
import type { NetworkPolicy } from "../../core/render/networkpolicy-types.ts";
import { isAhead } from "../../services/live-mark.ts";
import type { LoggedApply } from "../../adapters/trail/file-trail.ts";
import { Gaps, refuseOlder } from "../../services/syncer/ahead.ts";
import type { TargetRow } from "../../adapters/store/index.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import type { ResolvedTarget } from "../../services/syncer/resolve.ts";
import { believedMarks, isWritten, sealStep, type SealParts } from "../../services/syncer/seals.ts";

const ID = clusterTargetId("prod");

const SEALS: SealParts = {
  instance: "us",
  sealKey: createSecretKey(new Uint8Array(32).fill(7)),
  isLogNew: false,
  facts: new LogFacts(),
};

/** A policy with a mark, as anybody may write one. */
function marked(sequence: number, name = `p${sequence}`, instance = "us"): NetworkPolicy {
  const annotations = markAnnotations({ instance, sequence, digest: "d" });
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "shop", annotations },
    spec: { podSelector: {} },
  };
}

/** The same as Firebreak writes it. */
function sealed(sequence: number, name?: string, parts = SEALS): NetworkPolicy {
  const step = sealStep(parts, { target: ID, sequence }, { kind: "create", why: "", object: marked(sequence, name) });
  if (step.kind === "delete") throw new Error("nothing is written");
  return step.object;
}

/** The cast: only policies are read. */
function seen(...objects: readonly NetworkPolicy[]): ClusterObservation {
  return { kind: "cluster", policies: objects.map((object) => ({ object })) } as unknown as ClusterObservation;
}

/** Objects that Firebreak wrote under these numbers, and another installation's. */
function observed(ours: readonly number[], theirs: readonly number[] = []): ClusterObservation {
  return seen(...ours.map((sequence) => sealed(sequence)), ...theirs.map((sequence) => marked(sequence, `t${sequence}`, "them")));
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
    ...SEALS,
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
  it("is known by marks that Firebreak made, whatever others carry", () => {
    const numbers = (of: ClusterObservation, parts = SEALS) => believedMarks(parts, ID, of, 3).map(({ sequence }) => sequence);
    expect(numbers(observed([3, 7, 5], [90]))).toEqual([7, 5]);
    expect(numbers(observed([], [90]))).toEqual([]);
    // Of a log that was lost with its key nothing is sealed: then what is live is all that is known.
    expect(numbers(seen(marked(7)), { ...SEALS, isLogNew: true })).toEqual([7]);
  });

  // Bug: a tenant puts our mark with a higher number on a policy of his, or raises one; while the newest commit is refused, his cluster is not
  // repaired any more.
  it.each([
    ["on an object of his own", marked(7)],
    [
      "on one of ours, whose number he raised",
      {
        ...sealed(3),
        metadata: { ...sealed(3).metadata, annotations: { ...sealed(3).metadata.annotations, "firebreak.dev/sequence": "7" } },
      },
    ],
    ["copied from another object of ours", { ...marked(7), metadata: { ...sealed(7).metadata, name: "his" } }],
    ["copied from another cluster of ours", { ...sealed(7), metadata: { ...sealed(7).metadata, namespace: "his" } }],
    ["sealed with another key", sealed(7, "p7", { ...SEALS, sealKey: createSecretKey(new Uint8Array(32)) })],
  ])("is none because of a mark that somebody made: %s", async (_, object) => {
    const { context, entries, rings } = contextOf();
    await refuseOlder(context, resolved(3), seen(sealed(3, "right"), object), undefined);
    expect([entries, context.ahead, rings(), context.gaps.explains(ID, 7)]).toEqual([[], 0, 0, false]);
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

describe("an object that carries our mark", () => {
  const facts = new LogFacts();
  const steps = (kind: string) => ({ detail: { steps: [{ kind, subject: "networkpolicy shop/old" }] }, target: { id: ID } });
  const parts = { ...SEALS, facts };

  // Bug: a tenant copies our mark, and his opening policy is kept because it isolates somebody, too.
  it("was written by Firebreak when it is sealed under its own name, else when the log says so", () => {
    expect(isWritten(parts, ID, sealed(3))).toBe(true);
    expect(isWritten(parts, ID, { ...sealed(3), metadata: { ...sealed(3).metadata, name: "his" } })).toBe(false);
    expect(isWritten(parts, ID, marked(3, "old"))).toBe(false);
    facts.add({ type: "plan.computed", time: "", fields: steps("create") });
    expect(isWritten(parts, ID, marked(3, "old"))).toBe(true);
    facts.add({ type: "plan.computed", time: "", fields: steps("delete") });
    expect(isWritten(parts, ID, marked(3, "old"))).toBe(false);
  });

  it("is not ours without the mark, sealed or not", () => {
    const { metadata } = sealed(3);
    const { "firebreak.dev/instance": _, ...annotations } = metadata.annotations ?? {};
    expect(isWritten(parts, ID, { ...sealed(3), metadata: { ...metadata, annotations } })).toBe(false);
  });
});
