import { sql } from "kysely";
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import * as rows from "../../../adapters/store/index.ts";
import type { NewRevision, Store } from "../../../adapters/store/index.ts";
import { equals, fromAddressTexts } from "../../../core/address/index.ts";
import { NO_EFFECT } from "../../../core/finding/finding.ts";
import type { Finding } from "../../../core/finding/finding.ts";
import type { Membership } from "../../../core/membership/membership.ts";
import { until } from "../../support/until.ts";
import { noticeOf } from "../../../core/notify/notice.ts";
import { incident } from "../../support/incidents.ts";
import { onBothBackends } from "./backends.ts";

const signal = (): AbortSignal => AbortSignal.timeout(20_000);

function newRevision(commit: string): NewRevision {
  return {
    commit,
    tree: "t",
    parent: null,
    actor: "git",
    author: "Ann <a@x>",
    committer: "Ann <a@x>",
    subject: "one\0two",
    acceptedAt: 5,
  };
}

function finding(target: string, subject: string, more: Partial<Finding> = {}): Finding {
  return {
    fingerprint: `${target} ${subject}`,
    kind: "modified",
    target,
    subject,
    severity: "critical",
    summary: `${subject} was changed`,
    effect: { verdict: "opens", opened: ["any → shop"], closed: [] },
    who: "kubectl-edit",
    at: { file: "a.yaml", line: 1, column: 2 },
    healable: true,
    widens: true,
    foreign: false,
    ...more,
  };
}

function membership(target: string, texts: readonly string[], observedAt: number): Membership {
  const { set } = fromAddressTexts(texts);
  return {
    target,
    segments: new Map([
      ["web", set],
      ["empty", fromAddressTexts([]).set],
    ]),
    complete: true,
    observedAt,
    digest: `d${observedAt}`,
  };
}

onBothBackends("store", (stores) => {
  describe("revisions", () => {
    test("a revision has the number that the log gave it; the same again changes nothing (would catch: a retry that is a second revision)", async () => {
      const { store, other } = stores();
      expect(await rows.revisionFloor(store)).toBe(0);
      await rows.recordRevision(store, 1, newRevision("c1"));
      await Promise.all([rows.recordRevision(store, 2, newRevision("same")), rows.recordRevision(other, 2, newRevision("same"))]);
      await rows.recordRevision(store, 1, newRevision("c1"));
      expect((await rows.currentRevision(store))?.sequence).toBe(2);
      expect((await rows.revision(store, 1))?.subject).toBe("one\u{fffd}two");
      expect(await rows.listRevisionCommits(other)).toEqual([
        { sequence: 1, commit: "c1" },
        { sequence: 2, commit: "same" },
      ]);
    });

    test("another commit under a number that is given is refused (would catch: history that changes)", async () => {
      const { store } = stores();
      await expect(rows.recordRevision(store, 2, newRevision("other"))).rejects.toMatchObject({ code: "CONFLICT" });
      expect((await rows.currentRevision(store))?.commit).toBe("same");
    });

    test("numbers go on above the highest that was given, and an old one that comes late lowers nothing (would catch: a number used twice)", async () => {
      const { store } = stores();
      await rows.recordRevision(store, 41, newRevision("next"));
      await rows.recordRevision(store, 40, newRevision("found"));
      expect(await rows.revisionFloor(store)).toBe(41);
      expect((await rows.listRevisions(store, 2)).map(({ sequence }) => sequence)).toEqual([41, 40]);
    });
  });

  test("the repository's state keeps what a failure does not touch (would catch: a failed fetch that forgets the candidate)", async () => {
    const { store, other } = stores();
    await rows.recordFetch(store, "h1", 10);
    await rows.recordCandidate(store, { commit: "h1", code: "REVISION_INVALID", message: "m", notes: [{ a: 1 }], at: 10 });
    await rows.recordFetchError(store, { code: "GIT_UNREACHABLE", message: "away" }, 20);
    expect(await rows.repositoryState(other)).toEqual({
      head: "h1",
      fetchedAt: 20,
      fetchOkAt: 10,
      error: { code: "GIT_UNREACHABLE", message: "away" },
      candidate: { commit: "h1", code: "REVISION_INVALID", message: "m", notes: [{ a: 1 }], at: 10 },
      held: null,
    });
    await rows.recordCandidate(store, null);
    await rows.recordFetch(store, "h2", 30);
    expect(await rows.repositoryState(other)).toMatchObject({ head: "h2", error: null, candidate: null });
  });

  describe("targets", () => {
    test("a target gone from Git is an orphan, frozen, and comes back (would catch: absence that deletes)", async () => {
      const { store } = stores();
      const a = { id: "cluster/a", mode: "apply", labels: { env: "dev" } } as const;
      const b = { id: "host/f/b", mode: "plan", labels: {} } as const;
      await rows.recordTargets(store, [a, b], 1, 100);
      await rows.recordTargets(store, [a], 2, 200);
      expect(await rows.targetRow(store, "host/f/b")).toMatchObject({
        inGit: false,
        orphanedAtSequence: 2,
        wantedSequence: 1,
        wantedAt: 100,
      });
      expect(await rows.targetRow(store, "cluster/a")).toMatchObject({
        inGit: true,
        wantedSequence: 2,
        wantedAt: 200,
        labels: { env: "dev" },
      });
      await rows.recordTargets(store, [a], 2, 300);
      expect((await rows.targetRow(store, "cluster/a"))?.wantedAt).toBe(200);
      await rows.recordTargets(store, [], 3, 400);
      expect((await rows.listTargetRows(store)).every(({ inGit }) => !inGit)).toBe(true);
      expect((await rows.targetRow(store, "host/f/b"))?.orphanedAtSequence).toBe(2);
      await rows.recordTargets(store, [a, b], 4, 500);
      expect(await rows.targetRow(store, "host/f/b")).toMatchObject({ inGit: true, orphanedAtSequence: null, wantedSequence: 4 });
    });

    test("one lease at a time, and an old run records nothing after a takeover (would catch: a lost update of a stalled job)", async () => {
      const { store, other } = stores();
      const taken = await Promise.all(
        ["x", "y", "z"].map((owner) => rows.acquireLease(owner === "y" ? other : store, "cluster/a", owner, 60)),
      );
      const first = taken.find((lease) => lease !== undefined);
      expect(taken.filter((lease) => lease !== undefined)).toHaveLength(1);
      if (first === undefined) return;
      expect(await rows.targetsInFlight(other)).toEqual(new Set(["cluster/a"]));
      let second: rows.Lease | undefined;
      await until(async () => (second = await rows.acquireLease(other, "cluster/a", "second", 60_000)) !== undefined);
      expect(second?.fencing).toBe(first.fencing + 1);
      const intent = { sequence: 4, plan: "p", generation: 1, membershipDigest: "m", inputs: { namespaces: [] }, at: 1 };
      await expect(rows.recordIntent(store, "cluster/a", first.fencing, intent)).rejects.toMatchObject({ code: "TARGET_LOCKED" });
      await expect(rows.recordFailure(store, "cluster/a", first.fencing, { code: "X", message: "" }, 1)).rejects.toMatchObject({
        code: "TARGET_LOCKED",
      });
      expect(await rows.renewLease(store, first, 1_000)).toBe(false);
      await rows.releaseLease(store, first);
      expect(await rows.renewLease(store, second as rows.Lease, 60_000)).toBe(true);
      await rows.recordIntent(store, "cluster/a", (second as rows.Lease).fencing, intent);
      expect((await rows.targetRow(store, "cluster/a"))?.intent).toEqual(intent);
      const applied = { ...intent, observationDigest: "o", segments: 2, rules: 7 };
      await rows.recordApplied(store, "cluster/a", (second as rows.Lease).fencing, applied, 77);
      expect(await rows.targetRow(other, "cluster/a")).toMatchObject({
        appliedSequence: 4,
        appliedPlan: "p",
        appliedAt: 77,
        generation: 1,
        appliedInputs: { namespaces: [] },
        membershipDigest: "m",
        intent: null,
        rules: 7,
        failures: 0,
      });
      await rows.releaseLease(store, second as rows.Lease);
      expect(await rows.targetsInFlight(store)).toEqual(new Set());
    });

    test("an intent needs a live lease (would catch: sending after the lease ran out)", async () => {
      const { store } = stores();
      const lease = await rows.acquireLease(store, "cluster/a", "short", 1);
      await until(async () => !(await rows.targetsInFlight(store)).has("cluster/a"));
      const intent = { sequence: 4, plan: "p", generation: 2, membershipDigest: "m", inputs: null, at: 1 };
      await expect(rows.recordIntent(store, "cluster/a", lease?.fencing ?? 0, intent)).rejects.toMatchObject({
        code: "TARGET_LOCKED",
      });
    });

    test("a failed read leaves what was known (would catch: unreachable read as changed)", async () => {
      const { store } = stores();
      // Bug: a host that lost its table has nothing to tell of it, its look could not be recorded, and it was neither told nor healed.
      const denials = { directions: [], total: 1, full: [], connections: [] };
      await rows.recordRead(store, "cluster/a", { at: 88, ok: true, observationDigest: "o1", denials });
      expect(await rows.targetRow(store, "cluster/a")).toMatchObject({ denials });
      await rows.recordRead(store, "cluster/a", { at: 89, ok: true, observationDigest: "o1", denials: null });
      expect(await rows.targetRow(store, "cluster/a")).toMatchObject({ denials: null });
      await rows.recordRead(store, "cluster/a", { at: 90, ok: true, observationDigest: "o2" });
      await rows.recordRead(store, "cluster/a", { at: 95, ok: false, error: { code: "CLUSTER_UNREACHABLE", message: "away" } });
      expect(await rows.targetRow(store, "cluster/a")).toMatchObject({
        observationDigest: "o2",
        lastReadAt: 95,
        lastReadOkAt: 90,
        readError: { code: "CLUSTER_UNREACHABLE" },
      });
      await rows.recordIdentity(store, "cluster/a", { identity: "uid-1" });
      await rows.recordIdentity(store, "cluster/a", { enforcer: "calico", notes: ["n"] });
      expect(await rows.targetRow(store, "cluster/a")).toMatchObject({ identity: "uid-1", enforcer: "calico", notes: ["n"] });
    });
  });

  describe("work", () => {
    test("a cause that comes while a job runs is not closed by it (would catch: a lost revision)", async () => {
      const { store, other } = stores();
      await rows.addWork(store, [{ target: "cluster/a", kind: "membership", detail: { version: 1 } }], 10);
      const read = await rows.openWork(store, "cluster/a", 20);
      await rows.addWork(other, [{ target: "cluster/a", kind: "membership", detail: { version: 2 } }], 15);
      expect(await rows.closeWork(store, read, "done", 30)).toBe(0);
      const again = await rows.openWork(store, "cluster/a", 20);
      expect(again).toMatchObject([{ detail: { version: 2 }, createdAt: 10, touched: 1 }]);
      expect(await rows.closeWork(store, again, "done", 40)).toBe(1);
      expect(await rows.openWork(store, "cluster/a", 50)).toEqual([]);
    });

    test("rows do not pile up while a target is away, and keys keep causes apart (would catch: a row per second)", async () => {
      const { store } = stores();
      for (let at = 0; at < 20; at += 1) await rows.addWork(store, [{ target: "host/f/b", kind: "membership", detail: at }], at);
      await rows.addWork(
        store,
        [
          { target: "host/f/b", kind: "finding", key: "f1", detail: 1 },
          { target: "host/f/b", kind: "finding", key: "f2", detail: 2 },
        ],
        30,
      );
      const open = await rows.openWork(store, "host/f/b", 30);
      expect(open.map(({ kind, detail }) => [kind, detail])).toEqual([
        ["membership", 19],
        ["finding", 1],
        ["finding", 2],
      ]);
      expect(await rows.closeWork(store, open, "done", 31)).toBe(3);
    });

    test("a back-off holds other causes; a revision or a person ends it (would catch: a new revision dropped)", async () => {
      const { store } = stores();
      const lease = await rows.acquireLease(store, "host/f/b", "w", 10_000);
      await rows.recordFailure(store, "host/f/b", lease?.fencing ?? 0, { code: "HOST_UNREACHABLE", message: "m" }, 1_000);
      await rows.addWork(store, [{ target: "host/f/b", kind: "membership", detail: null }], 100);
      expect(await rows.targetsWithOpenWork(store, 100)).toEqual([]);
      expect(await rows.targetsWithOpenWork(store, 1_000)).toEqual(["host/f/b"]);
      await rows.addWork(store, [{ target: "host/f/b", kind: "revision", detail: { sequence: 5 } }], 200);
      expect(await rows.targetsWithOpenWork(store, 200)).toEqual(["host/f/b"]);
      expect(await rows.targetRow(store, "host/f/b")).toMatchObject({
        failures: 1,
        lastError: { code: "HOST_UNREACHABLE" },
        nextAttemptAt: null,
      });
      await rows.recordSettled(store, "host/f/b", lease?.fencing ?? 0);
      expect(await rows.targetRow(store, "host/f/b")).toMatchObject({ failures: 0, lastError: null });
      await rows.closeWork(store, await rows.openWork(store, "host/f/b", 300), "ok", 300);
      if (lease) await rows.releaseLease(store, lease);
    });

    test("work for later is not open before its time, nor lost for a target that is not known yet", async () => {
      const { store } = stores();
      await rows.addWork(store, [{ target: "cluster/new", kind: "time", detail: null, notBefore: 500 }], 100);
      expect(await rows.openWork(store, "cluster/new", 499)).toEqual([]);
      expect(await rows.targetsWithOpenWork(store, 500)).toContain("cluster/new");
      expect(await rows.listOpenWork(store)).toHaveLength(1);
      await rows.closeWork(store, await rows.openWork(store, "cluster/new", 500), "ok", 500);
    });
  });

  describe("findings", () => {
    const target = "cluster/f";
    const update = (findings: readonly Finding[], now: number, kinds: rows.FindingsUpdate["kinds"] = ["modified"]) =>
      rows.upsertFindings(stores().store, { target, kinds, findings, channels: ["hook"], now, entriesOf: () => [] });

    test("opened, unchanged, updated, resolved, opened again (would catch: a message per comparison, or none)", async () => {
      const { store } = stores();
      expect((await update([finding(target, "np a")], 1)).opened).toHaveLength(1);
      expect(await update([finding(target, "np a")], 2)).toEqual({ opened: [], updated: [], resolved: [] });
      expect((await update([finding(target, "np a", { summary: "worse" })], 3)).updated).toMatchObject([
        { summary: "worse", firstSeen: 1, lastSeen: 3 },
      ]);
      expect((await update([], 4)).resolved).toMatchObject([{ resolvedAt: 4 }]);
      expect(await update([], 5)).toEqual({ opened: [], updated: [], resolved: [] });
      expect((await update([finding(target, "np a")], 6)).opened).toMatchObject([
        { firstSeen: 6, openedCount: 2, resolvedAt: undefined, at: { line: 1 } },
      ]);
      expect(await rows.listFindings(store, { open: true, target })).toHaveLength(1);
    });

    test("a finding and what the log is told of it are one write (would catch: a finding that the log never heard of, or the reverse)", async () => {
      const { store } = stores();
      const told = "cluster/told";
      const entriesOf: rows.EntriesOf = ({ opened, resolved }) =>
        [...opened, ...resolved].map(({ subject, resolvedAt }) => ({ id: `${subject} ${resolvedAt ?? "open"}`, input: {} }));
      const look = { target: told, kinds: ["modified"] as const, channels: [], now: 8, entriesOf };
      await rows.upsertFindings(store, { ...look, findings: [finding(told, "np one")] });
      await rows.upsertFindings(store, { ...look, findings: [], now: 9 });
      const broken = (): never => {
        throw new Error("no entry");
      };
      await expect(
        rows.upsertFindings(store, { ...look, findings: [finding(told, "np two")], entriesOf: broken }),
      ).rejects.toThrow();
      expect(await rows.listFindings(store, { open: true, target: told })).toEqual([]);
      await rows.upsertFindings(store, { ...look, findings: [finding(told, "np three")] });
      await rows.forgetTarget(store, told, 10, entriesOf);
      const pending = await rows.takePending(store, 100);
      expect(pending.map(({ id }) => id)).toEqual(["np one open", "np one 9", "np three open", "np three 10"]);
      await rows.markIntegrated(
        store,
        pending.map(({ id }, seq) => ({ id, seq })),
        10,
      );
    });

    test("a comparison resolves only kinds it could have found (would catch: a policy read that closes `unreachable`)", async () => {
      await update([finding(target, "away", { kind: "unreachable", who: undefined, at: undefined, effect: NO_EFFECT })], 10, [
        "unreachable",
      ]);
      expect((await update([], 11)).resolved.map(({ subject }) => subject)).toEqual(["np a"]);
      expect((await rows.listFindings(stores().store, { open: true, target })).map(({ kind }) => kind)).toEqual(["unreachable"]);
      await update([], 12, ["unreachable"]);
    });

    test("heals are counted over resolutions, and a stopped fight stays stopped (would catch: a fight that never ends)", async () => {
      const { store } = stores();
      const { fingerprint } = finding(target, "fight");
      for (const now of [100, 200, 300]) {
        await update([finding(target, "fight")], now);
        await rows.recordHeal(store, fingerprint, now, 150);
        await update([], now + 1);
      }
      expect(await rows.findingByFingerprint(store, fingerprint)).toMatchObject({ healTimes: [200, 300], openedCount: 3 });
      await rows.stopHealing(store, fingerprint);
      await update([finding(target, "fight")], 400);
      expect((await rows.findingByFingerprint(store, fingerprint))?.stopped).toBe(true);
      await rows.resumeHealing(store, target);
      expect(await rows.findingByFingerprint(store, fingerprint)).toMatchObject({ stopped: false, healTimes: [] });
    });

    test("a channel hears of one finding in order, each thing once (would catch: `resolved` before `opened`)", async () => {
      const { store, other } = stores();
      const heard: string[] = [];
      for (;;) {
        const [one, two] = await Promise.all([
          rows.takeDeliveries(store, "hook", 1_000, 60_000),
          rows.takeDeliveries(other, "hook", 1_000, 60_000),
        ]);
        const taken = [...one, ...two];
        if (taken.length === 0) break;
        expect(new Set(taken.map(({ fingerprint }) => fingerprint)).size).toBe(taken.length);
        for (const delivery of taken) {
          if (delivery.fingerprint.endsWith("np a")) heard.push(delivery.event);
          await rows.recordDelivered(store, delivery.id, 1_001);
        }
      }
      expect(heard).toEqual(["opened", "updated", "resolved", "opened", "resolved"]);
    });

    test("a failed delivery comes back at its time, and holds the next of the same finding back", async () => {
      const { store } = stores();
      await update([finding(target, "late")], 2_000);
      await update([], 2_001);
      const [first] = await rows.takeDeliveries(store, "hook", 2_002, 1);
      await rows.recordDeliveryFailure(store, first?.id ?? 0, { code: "CHANNEL_FAILED", message: "500" }, 5_000);
      const before = await rows.takeDeliveries(store, "hook", 4_999, 60_000);
      expect(before.filter(({ fingerprint }) => fingerprint.endsWith("late"))).toEqual([]);
      const after = await rows.takeDeliveries(store, "hook", 5_000, 60_000);
      expect(after).toMatchObject([
        { event: "opened", attempts: 2, lastError: { code: "CHANNEL_FAILED" }, payload: { subject: "late" } },
      ]);
    });
  });

  describe("groups of notices", () => {
    const timing = { groupWaitMs: 30_000, groupIntervalMs: 300_000.5, repeatIntervalMs: 14_400_000, quiet: [] };
    const join = (fingerprint: string, now: number, event: "opened" | "resolved" = "opened", channel = "chat") =>
      rows.joinNotice(stores().store, {
        channel,
        group: { id: `g-${channel}`, key: "cause", timing },
        incident: incident({ fingerprint }, { event }),
        digest: `${fingerprint} ${event}`,
        now,
      });
    const take = (store: Store, now: number, channel = "chat") => rows.takeNotices(store, { channel }, now, 1_000, 10);
    const told = (version: number) => ({ at: version, version, severity: "high" as const, open: {}, messageAt: version });
    const sendingOf = (version: number, ended: readonly string[] = []): rows.Sending => {
      const head = { group: "g", version, as: "message", why: "first", at: version, validUntil: 0 } as const;
      return { notice: noticeOf(head, [incident()], []), told: told(version), ended, isAnew: false };
    };

    test("is taken by one, told once, and looked at again when a member came meanwhile (would catch: two senders, a lost member)", async () => {
      const { store, other } = stores();
      await join("a", 100);
      const [one, two] = await Promise.all([take(store, 100), take(other, 100)]);
      const [group] = [...one, ...two];
      expect([...one, ...two]).toHaveLength(1);
      expect(group?.members.map(({ fingerprint }) => fingerprint)).toEqual(["a"]);
      await join("b", 150);
      await rows.recordWait(store, "g-chat", 1_100, undefined); // too late: a member came
      expect(await rows.recordSending(store, "g-chat", 1_100, sendingOf(1))).toBe(false);
      const [again] = await take(other, 200);
      expect(again?.members.map(({ fingerprint }) => fingerprint)).toEqual(["a", "b"]);
      expect(await rows.recordSending(store, "g-chat", 1_200, sendingOf(1))).toBe(true);
      expect(await rows.recordSending(other, "g-chat", 1_200, sendingOf(1))).toBe(false);
      expect(await rows.countAttempt(store, "g-chat")).toBe(1);
      await join("c", 210);
      expect(await take(other, 1_199)).toEqual([]); // whoever sends it keeps it
      await rows.recordTold(store, "g-chat", sendingOf(1), "ref-1", 220);
      expect(await take(store, 220)).toMatchObject([{ ref: "ref-1", told: { version: 1 }, sending: undefined }]);
    });

    test("a failure waits, a dead one is seen, revived, and waits its interval for a change", async () => {
      const { store } = stores();
      const error = { code: "AUTH_DENIED", message: "no" };
      await rows.recordNoticeFailure(store, "g-chat", { error, dueAt: 9_000_000, deadAt: 300, isDropped: true });
      expect(await rows.noticeTroubles(store)).toEqual([{ channel: "chat", dead: 1, failing: 0, deadSince: 300, error }]);
      await join("d", 400);
      expect(await take(store, 300_399)).toEqual([]);
      expect(await take(store, 300_401)).toHaveLength(1);
      await rows.recordNoticeFailure(store, "g-chat", { error, dueAt: 9_000_000, deadAt: 300, isDropped: true });
      expect(await rows.reviveNotices(store, 500, "mail")).toBe(0);
      expect(await rows.reviveNotices(store, 500)).toBe(1);
      expect(await take(store, 500)).toHaveLength(1);
      await rows.recordWait(store, "g-chat", 1_500, undefined);
      expect(await rows.noticeTroubles(store)).toEqual([]);
    });

    test("an end that was told is told once; a channel that is gone has a lane; what is over is removed in time", async () => {
      const { store } = stores();
      for (const fingerprint of ["a", "b", "c", "d"]) await join(fingerprint, 600, "resolved");
      await take(store, 600);
      await rows.recordTold(store, "g-chat", sendingOf(2, ["a", "b", "c", "d"]), "ref-1", 610);
      await join("a", 620, "resolved");
      expect(await rows.activeChannels(store, "a")).toEqual([]);
      await join("a", 630, "opened", "gone");
      expect(await rows.activeChannels(store, "a")).toEqual(["gone"]);
      expect(await rows.takeNotices(store, { except: ["chat", "mail"] }, 640, 1_000, 10)).toMatchObject([{ channel: "gone" }]);
      await rows.forgetNotice(store, "g-gone");
      await take(store, 640);
      await rows.recordWait(store, "g-chat", 1_640, undefined);
      await rows.pruneStore(store, 10_000);
      await join("e", 700);
      expect(await take(store, 700)).toMatchObject([{ since: 700, told: undefined, ref: undefined }]);
    });
  });

  test("memberships arrive as sets, older ones never win, and the version tells (would catch: a set shrunk by a slow replica)", async () => {
    const { store, other } = stores();
    const before = await rows.membershipsVersion(store);
    expect(await rows.publishMembership(store, membership("cluster/a", ["10.0.0.1", "10.1.0.0/16", "fd00::/8"], 10))).toBe(true);
    expect(await rows.publishMembership(other, membership("cluster/a", ["10.0.0.9"], 5))).toBe(false);
    const { version, memberships } = await rows.readMemberships(other);
    expect(version).toBeGreaterThan(before);
    const read = memberships.get("cluster/a");
    expect(read).toMatchObject({ complete: true, observedAt: 10, digest: "d10" });
    expect(
      equals(read?.segments.get("web") ?? fromAddressTexts([]).set, fromAddressTexts(["10.0.0.1", "10.1.0.0/16", "fd00::/8"]).set),
    ).toBe(true);
    expect(read?.segments.has("empty")).toBe(true);
  });

  test("forgetting a target removes its work, findings and membership, and nobody else's", async () => {
    const { store } = stores();
    await rows.addWork(store, [{ target: "cluster/a", kind: "person", detail: null }], 1);
    await rows.forgetTarget(store, "cluster/a", 1, () => []);
    expect(await rows.targetRow(store, "cluster/a")).toBeUndefined();
    expect((await rows.readMemberships(store)).memberships.has("cluster/a")).toBe(false);
    expect(await rows.listOpenWork(store)).toEqual([]);
    expect(await rows.targetRow(store, "host/f/b")).toBeDefined();
  });

  describe("requests", () => {
    test("one taker each, the answer reaches the asker in another process (would catch: a request answered twice)", async () => {
      const { store, other } = stores();
      await rows.submitRequest(other, { id: "r1", kind: "accept", args: { commit: "c" }, actor: "token", createdAt: 1, mac: null });
      const waiting = rows.waitForRequest(other, "r1", signal());
      const taken = await Promise.all([
        rows.takeRequest(store, ["accept", "plan"], 60_000, 2),
        rows.takeRequest(other, ["accept"], 60_000, 2),
      ]);
      expect(taken.filter((row) => row !== undefined)).toMatchObject([{ id: "r1", args: { commit: "c" }, actor: "token" }]);
      await rows.finishRequest(store, "r1", { result: { sequence: 5 } }, 3);
      await rows.finishRequest(store, "r1", { error: { code: "CONFLICT", message: "late" } }, 4);
      expect(await waiting).toMatchObject({ result: { sequence: 5 }, error: null, doneAt: 3 });
      expect(await rows.takeRequest(store, ["accept"], 60_000, 5)).toBeUndefined();
    });

    test("a taker that died loses it (would catch: an `accept` that waits for ever)", async () => {
      const { store } = stores();
      await rows.submitRequest(store, { id: "r2", kind: "plan", args: null, actor: "a", createdAt: 1, mac: null });
      expect(await rows.takeRequest(store, ["release"], 1, 2)).toBeUndefined();
      expect((await rows.takeRequest(store, ["plan"], 1, 2))?.id).toBe("r2");
      await until(async () => (await rows.takeRequest(store, ["plan"], 60_000, 3)) !== undefined);
    });

    test("waiting ends with its signal, and an unknown request is said to be unknown", async () => {
      const { store } = stores();
      await expect(rows.waitForRequest(store, "r2", AbortSignal.timeout(30))).rejects.toThrow(/timeout/i);
      await expect(rows.waitForRequest(store, "never", signal())).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });

  test("entries reach the sequencer in order, once, and their producer learns the numbers (would catch: a duplicate after a retry)", async () => {
    const { store, other } = stores();
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    await rows.insertPending(
      other,
      ids.map((id, n) => ({ id, input: { n, list: [1, "a"] } })),
      1,
    );
    await rows.insertPending(other, [{ id: ids[0] ?? "", input: { n: 0, list: [] } }], 2);
    const waiting = rows.waitIntegrated(other, ids, signal());
    const pending = await rows.takePending(store, 10);
    expect(pending.map(({ id }) => id)).toEqual(ids);
    expect(pending[0]?.input).toEqual({ n: 0, list: [1, "a"] });
    await rows.markIntegrated(
      store,
      pending.map(({ id }, index) => ({ id, seq: 100 + index })),
      3,
    );
    expect(await waiting).toEqual(new Map(ids.map((id, index) => [id, 100 + index])));
    expect(await rows.takePending(store, 10)).toEqual([]);
    await expect(rows.waitIntegrated(store, ["nobody"], AbortSignal.timeout(30))).rejects.toThrow(/timeout/i);
  });

  test("the first claim of the installation's id stands", async () => {
    const { store, other } = stores();
    expect(await rows.instanceId(store)).toBeUndefined();
    const claims = await Promise.all([rows.claimInstance(store, "one"), rows.claimInstance(other, "two")]);
    expect(claims[0]).toBe(claims[1]);
    expect(await rows.instanceId(other)).toBe(claims[0]);
  });

  test("a named lock has one holder, and comes back when it is given back (would catch: two sequencers)", async () => {
    const { store, other } = stores();
    const held = await rows.tryExclusive(store, "sequencer");
    expect(held).toBeDefined();
    expect(await rows.tryExclusive(other, "sequencer")).toBeUndefined();
    const another = await rows.tryExclusive(other, "poller");
    expect(another).toBeDefined();
    await held?.[Symbol.asyncDispose]();
    await another?.[Symbol.asyncDispose]();
    expect(held?.lost.aborted).toBe(false);
    const again = await rows.tryExclusive(other, "sequencer");
    expect(again).toBeDefined();
    await again?.[Symbol.asyncDispose]();
  });

  test("notifications reach subscribers of the topic in every process, and stop when told", async () => {
    const { store, other } = stores();
    const heard: (string | undefined)[] = [];
    const stop = rows.subscribe(other, "findings", (payload) => heard.push(payload));
    await rows.notify(store, "work", "not mine");
    await rows.notify(store, "findings", "cluster/a b");
    await until(() => heard.length > 0);
    expect(heard).toEqual(["cluster/a b"]);
    stop();
    await rows.notify(store, "findings", "again");
    const flag = { seen: false };
    const stopWork = rows.subscribe(other, "work", () => (flag.seen = true));
    await rows.notify(store, "work");
    await until(() => flag.seen);
    stopWork();
    expect(heard).toHaveLength(1);
  });

  test("concurrent transactions do not mix (would catch: two runs sharing one embedded session's transaction)", async () => {
    const { store } = stores();
    const before = await rows.membershipsVersion(store);
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        index % 3 === 0
          ? rows.recordRevision(store, 1, newRevision("nobody"))
          : rows.publishMembership(store, membership(`cluster/c${index}`, ["10.0.0.1"], 1)),
      ),
    );
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(10);
    expect((await rows.membershipsVersion(store)) - before).toBe(20);
  });

  test("pruning removes what is done and old, nothing open", async () => {
    const { store } = stores();
    await rows.addWork(store, [{ target: "cluster/z", kind: "start", detail: null }], 1);
    await rows.pruneStore(store, Number.MAX_SAFE_INTEGER);
    expect(await rows.listOpenWork(store)).toHaveLength(1);
    expect(await rows.requestRow(store, "r1")).toBeUndefined();
    expect(await rows.requestRow(store, "r2")).toBeDefined();
    expect(await rows.currentRevision(store)).toBeDefined();
  });

  test("what others wrote is stored, whatever it holds (would catch: a comparison that half a character stops)", async () => {
    const { store, other } = stores();
    const wild = `a\0b \ud800 \u{1f600} ${"\\"}u0000 "`;
    const tame = `a\ufffdb \ufffd \u{1f600} ${"\\"}u0000 "`;
    const seen = finding("cluster/wild", "wild", {
      subject: wild,
      summary: `${"x".repeat(3_999)}\u{1f600}`,
      effect: { verdict: "opens", opened: [wild], closed: [] },
      who: wild,
    });
    const update = { target: "cluster/wild", kinds: [], findings: [seen], channels: ["log"], now: 1, entriesOf: () => [] };
    expect((await rows.upsertFindings(store, update)).opened).toMatchObject([
      { subject: tame, who: tame, effect: { opened: [tame] }, summary: `${"x".repeat(3_999)}\ufffd` },
    ]);
    expect((await rows.upsertFindings(other, { ...update, now: 2 })).updated).toEqual([]);
    const args = { [wild]: [{ [wild]: wild }] };
    await rows.submitRequest(store, { id: "wild", kind: "plan", args, actor: wild, createdAt: 1, mac: null });
    expect(await rows.requestRow(other, "wild")).toMatchObject({ args: { [tame]: [{ [tame]: tame }] }, actor: tame });
  });

  describe("when the clock goes back", () => {
    const future = Date.now() + 86_400_000;

    test("a membership of tomorrow does not keep out today's (would catch: sets that no longer change until tomorrow)", async () => {
      const { store, other } = stores();
      expect(await rows.publishMembership(store, membership("cluster/clock", ["10.0.0.1"], future))).toBe(true);
      expect(await rows.publishMembership(other, membership("cluster/clock", ["10.0.0.2"], Date.now()))).toBe(true);
      expect(await rows.publishMembership(other, membership("cluster/clock", ["10.0.0.3"], Date.now() - 60_000))).toBe(false);
    });

    test("a dead process's lease ends, and does not hide drift (would catch: a target locked for the length of the jump)", async () => {
      const { store, other } = stores();
      await rows.recordTargets(store, [{ id: "cluster/clock", mode: "apply", labels: {} }], 1_000, 1);
      const dead = await rows.acquireLease(store, "cluster/clock", "dead", 30_000);
      expect(await rows.acquireLease(other, "cluster/clock", "next", 30_000)).toBeUndefined();
      await sql`UPDATE firebreak.targets SET lease_until = clock_timestamp() + interval '1 day' WHERE id = 'cluster/clock'`.execute(
        store.db,
      );
      expect(await rows.targetsInFlight(other)).toEqual(new Set());
      const next = await rows.acquireLease(other, "cluster/clock", "next", 30_000);
      expect(next?.fencing).toBe((dead?.fencing ?? 0) + 1);
      expect(await rows.renewLease(store, dead as rows.Lease, 30_000)).toBe(false);
    });

    test("work that was due stays due, and no back-off lasts a day (would catch: repairs that wait for the clock)", async () => {
      const { store } = stores();
      await rows.addWork(store, [{ target: "cluster/clock", kind: "finding", detail: {} }], future);
      await rows.addWork(store, [{ target: "cluster/clock", kind: "time", detail: {}, notBefore: future + 1 }], future);
      const now = Date.now();
      expect((await rows.openWork(store, "cluster/clock", now)).map(({ kind }) => kind)).toEqual(["finding"]);
      const lease = await rows.acquireLease(store, "cluster/clock", "failing", 30_000);
      const fencing = lease?.fencing ?? (await rows.targetRow(store, "cluster/clock"))?.fencing ?? 0;
      const away = { code: "TARGET_UNREACHABLE", message: "" };
      await rows.recordFailure(store, "cluster/clock", fencing, away, now + 60_000);
      expect(await rows.targetsWithOpenWork(store, now)).not.toContain("cluster/clock");
      await rows.recordFailure(store, "cluster/clock", fencing, away, future);
      expect(await rows.targetsWithOpenWork(store, now)).toContain("cluster/clock");
    });
  });

  test("a slow process does not take targets back (would catch: revision 5 recorded after revision 6)", async () => {
    const { store, other } = stores();
    const target = { id: "cluster/slow", mode: "apply", labels: {} } as const;
    await rows.recordTargets(store, [target], 2_001, 1);
    await rows.recordTargets(other, [], 2_000, 2);
    await rows.recordTargets(other, [{ ...target, mode: "plan" }], 2_000, 2);
    expect(await rows.targetRow(store, target.id)).toMatchObject({
      inGit: true,
      mode: "apply",
      wantedSequence: 2_001,
      wantedAt: 1,
    });
  });
});
