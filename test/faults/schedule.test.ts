import { describe, expect, it } from "vitest";
import { planOf, sayEvent, scheduleOf, type FaultEvent, type Form } from "./schedule.ts";

const SEEDS = Array.from({ length: 400 }, (_, index) => index);

function kindsOf(form: Form, hasCluster: boolean): ReadonlySet<FaultEvent["kind"]> {
  return new Set(SEEDS.flatMap((seed) => scheduleOf(seed, { form, hasCluster }).events.map(({ event }) => event.kind)));
}

describe("schedules", () => {
  it("are the same for the same seed, and others for others (the bug: a failure that cannot be replayed)", () => {
    const once = SEEDS.map((seed) => JSON.stringify(scheduleOf(seed, planOf(seed))));
    expect(SEEDS.map((seed) => JSON.stringify(scheduleOf(seed, planOf(seed))))).toEqual(once);
    expect(new Set(once).size).toBe(SEEDS.length);
  });

  it("hold every kind of event somewhere, and nothing that a form or a world does not have", () => {
    const everywhere = new Set([...kindsOf("embedded", false), ...kindsOf("scale-out", true)]);
    const kinds: readonly FaultEvent["kind"][] = [
      "push",
      "push bad",
      "revert",
      "tamper host",
      "tamper cluster",
      "churn",
      "kill",
      "pause",
      "away",
      "cut",
      "flush redis",
      "reboot",
      "disk",
      "clock",
      "restore",
    ];
    expect([...everywhere].sort()).toEqual([...kinds].sort());
    const small = kindsOf("embedded", false);
    for (const kind of ["cut", "flush redis", "tamper cluster", "churn"] as const) expect(small.has(kind)).toBe(false);
  });

  it("are in order, and each moves something and breaks something", () => {
    for (const seed of SEEDS) {
      const { events } = scheduleOf(seed, planOf(seed));
      expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted((a, b) => a - b));
      expect(events.some(({ event }) => event.kind === "push")).toBe(true);
    }
  });

  it("try every form on every world", () => {
    const plans = new Set(SEEDS.slice(0, 8).map((seed) => JSON.stringify(planOf(seed))));
    expect(plans.size).toBe(4);
  });

  it("are said in words", () => {
    expect(sayEvent({ at: 1_200, event: { kind: "kill", part: "syncer", forMs: 500 } })).toBe("  1.2 s  kill syncer 500");
  });
});
