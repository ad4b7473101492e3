import { describe, expect, it } from "vitest";
import { tellAt } from "../../../core/notify/quiet.ts";
import type { QuietHours } from "../../../core/model/kinds.ts";

const night: QuietHours = { from: 22 * 60, to: 7 * 60, zone: "UTC", days: [] };
const at = (text: string) => Date.parse(text);

describe("quiet hours", () => {
  it.each<[string, QuietHours, string, string]>([
    ["before them", night, "2026-11-21T21:59:30Z", "2026-11-21T21:59:30Z"],
    ["at their beginning", night, "2026-11-21T22:00:00Z", "2026-11-22T07:00:00Z"],
    ["after midnight", night, "2026-11-22T06:59:59Z", "2026-11-22T07:00:00Z"],
    ["at their end", night, "2026-11-22T07:00:00Z", "2026-11-22T07:00:00Z"],
    ["in another zone", { ...night, zone: "Asia/Tokyo" }, "2026-11-21T13:30:00Z", "2026-11-21T22:00:00Z"],
    // Bug: Friday's night ends when Saturday begins.
    ["a night that began on a listed day", { ...night, days: [5] }, "2026-11-21T03:00:00Z", "2026-11-21T07:00:00Z"],
    ["a night that began on another day", { ...night, days: [6] }, "2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z"],
    ["a whole day", { from: 0, to: 0, zone: "UTC", days: [0] }, "2026-11-22T12:00:00Z", "2026-11-23T00:00:00Z"],
  ])("%s", (_name, hours, now, expected) => {
    expect(new Date(tellAt("high", [hours], at(now))).toISOString()).toBe(new Date(expected).toISOString());
  });

  it("never holds back what is critical", () => {
    expect(tellAt("critical", [night], at("2026-11-21T23:00:00Z"))).toBe(at("2026-11-21T23:00:00Z"));
  });

  it("goes through stretches that touch", () => {
    const weekend: QuietHours = { from: 7 * 60, to: 22 * 60, zone: "UTC", days: [0, 6] };
    expect(new Date(tellAt("high", [night, weekend], at("2026-11-21T03:00:00Z"))).toISOString()).toBe("2026-11-23T07:00:00.000Z");
  });
});
