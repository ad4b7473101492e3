import { describe, expect, it } from "vitest";
import { stepGroup } from "../../../core/notify/group.ts";
import type { Group, GroupMember, GroupStep } from "../../../core/notify/group.ts";
import { DEFAULT_TIMING } from "../../../core/notify/route.ts";

const MINUTE = 60_000;
const route: Parameters<typeof stepGroup>[1] = { ...DEFAULT_TIMING, quiet: [] };

function member(fingerprint: string, over: Partial<GroupMember> = {}): GroupMember {
  return { fingerprint, severity: "high", changedAt: 0, isResolved: false, digest: "d1", openedAt: [0], ...over };
}

/** Plays a history: at each time the members are set, and the group is stepped; gives what was told, with its time. */
function play(moments: readonly (readonly [number, readonly GroupMember[]])[], until: number, timing = route): readonly string[] {
  const told: string[] = [];
  const gone = new Set<string>();
  let group: Group | undefined;
  for (let now = 0; now <= until; now += 10_000) {
    const members = moments.filter(([at]) => at <= now).at(-1)?.[1] ?? [];
    if (group === undefined && members.length > 0) group = { since: now, members, told: undefined };
    if (group === undefined) continue;
    group = { ...group, members: members.filter(({ fingerprint, isResolved }) => !isResolved || !gone.has(fingerprint)) };
    const step: GroupStep = stepGroup(group, timing, now);
    if (step.kind === "wait") continue;
    told.push(`${now / 1000}s ${step.as} ${step.open.map(({ fingerprint }) => fingerprint).join("+")}`);
    group = { ...group, told: step.told };
    for (const { fingerprint } of step.ended) gone.add(fingerprint);
  }
  return told;
}

describe("when a group is told (Alertmanager: group_wait, group_interval, repeat_interval)", () => {
  it("waits for others of the same cause before the first message (the bug: one message per target)", () => {
    expect(
      play(
        [
          [0, [member("a")]],
          [20_000, [member("a"), member("b")]],
        ],
        2 * MINUTE,
      ),
    ).toEqual(["30s message a+b"]);
  });

  it("tells newcomers at the next interval, as a message", () => {
    expect(
      play(
        [
          [0, [member("a")]],
          [MINUTE, [member("a"), member("b")]],
        ],
        10 * MINUTE,
      ),
    ).toEqual(["30s message a", "330s message a+b"]);
  });

  it("edits when only the words change", () => {
    expect(
      play(
        [
          [0, [member("a")]],
          [MINUTE, [member("a", { digest: "d2" })]],
        ],
        10 * MINUTE,
      ),
    ).toEqual(["30s message a", "330s edit a"]);
  });

  it("tells a graver turn as a message (the bug: a hole hidden in an edit)", () => {
    expect(
      play(
        [
          [0, [member("a")]],
          [MINUTE, [member("a", { severity: "critical", digest: "d2" })]],
        ],
        10 * MINUTE,
      ),
    ).toEqual(["30s message a", "330s message a"]);
  });

  it("repeats what is still open after four hours, and not before", () => {
    expect(play([[0, [member("a")]]], 5 * 60 * MINUTE)).toEqual(["30s message a", "14430s message a"]);
  });

  it("tells the end once", () => {
    const over = member("a", { isResolved: true, changedAt: MINUTE });
    expect(
      play(
        [
          [0, [member("a")]],
          [MINUTE, [over]],
        ],
        20 * MINUTE,
      ),
    ).toEqual(["30s message a", "330s resolved "]);
  });

  it("tells what was over before anybody was told (the bug: a hole healed within seconds that nobody hears of)", () => {
    const over = member("a", { isResolved: true, changedAt: 20_000 });
    expect(
      play(
        [
          [0, [member("a")]],
          [20_000, [over]],
        ],
        20 * MINUTE,
      ),
    ).toEqual(["30s resolved "]);
  });

  it("a cause that comes back is told anew, but not before the interval", () => {
    const over = member("a", { isResolved: true, changedAt: 20_000 });
    expect(
      play(
        [
          [0, [over]],
          [MINUTE, []],
          [2 * MINUTE, [member("a")]],
        ],
        20 * MINUTE,
      ),
    ).toEqual(["30s resolved ", "330s message a"]);
  });

  it("holds the end of what flaps until it was calm (the bug: a message per minute all night)", () => {
    const flapping = { openedAt: [0, MINUTE, 2 * MINUTE, 3 * MINUTE] };
    const over = member("a", { ...flapping, isResolved: true, changedAt: 4 * MINUTE });
    expect(
      play(
        [
          [0, [member("a")]],
          [4 * MINUTE, [over]],
        ],
        30 * MINUTE,
      ),
    ).toEqual(["30s message a", "840s resolved "]);
  });

  it("keeps quiet hours, except for critical incidents", () => {
    const quiet = [{ from: 0, to: 60, zone: "UTC", days: [] }]; // the first hour of the epoch
    expect(play([[0, [member("a")]]], 70 * MINUTE, { ...route, quiet })).toEqual(["3600s message a"]);
    expect(play([[0, [member("a", { severity: "critical" })]]], 10 * MINUTE, { ...route, quiet })).toEqual(["30s message a"]);
  });

  it("gives every message and edit its own version (the bug: an edit dropped as a repeat)", () => {
    const first = stepGroup({ since: 0, members: [member("a")], told: undefined }, route, 30_000);
    if (first.kind !== "tell") throw new Error("not told");
    const second = stepGroup({ since: 0, members: [member("a", { digest: "d2" })], told: first.told }, route, 10 * MINUTE);
    expect([first.told.version, second.kind === "tell" && second.told.version]).toEqual([1, 2]);
  });

  it("says when to look again", () => {
    expect(stepGroup({ since: 0, members: [member("a")], told: undefined }, route, 0)).toEqual({ kind: "wait", until: 30_000 });
  });
});
