import { describe, expect, it } from "vitest";
import { overlaps } from "../../testbed/link.ts";
import { within } from "../../testbed/nodes.ts";
import { addressPlan, routedRanges, WORLDS } from "../../testbed/plan.ts";

describe("the address plan", () => {
  it("gives no two worlds a range in common (the bug: packets of one test answered by another's pod)", () => {
    const ranges = Array.from({ length: WORLDS }, (_, index) => addressPlan(index)).flatMap((plan) =>
      [...routedRanges(plan), `${plan.rootAddress}/24`].map((range) => ({ index: plan.index, range })),
    );
    const clashes = ranges.flatMap((a, i) =>
      ranges
        .slice(i + 1)
        .filter((b) => overlaps(a.range, b.range))
        .map((b) => [a, b]),
    );
    expect(clashes).toEqual([]);
  });

  it("has the addresses of the example organisation at index 0", () => {
    const plan = addressPlan(0);
    expect([plan.hosts, plan.externals, plan.pods(0), plan.pods(1)]).toEqual([
      "10.20.0.0/24",
      "10.9.0.0/24",
      "10.244.0.0/16",
      "10.245.0.0/16",
    ]);
    expect([plan.host(0), plan.external(0), plan.rootAddress]).toEqual(["10.20.0.11", "10.9.0.11", "10.200.0.1"]);
  });

  it("refuses a world or cluster it has no range for", () => {
    expect(() => addressPlan(WORLDS)).toThrow(RangeError);
    expect(() => addressPlan(0).pods(4)).toThrow(RangeError);
  });

  it("carries over octets", () => {
    expect(within("10.244.0.0/16", 256 * 3 + 10)).toBe("10.244.3.10");
    expect(overlaps("10.244.0.0/16", "10.244.255.255")).toBe(true);
    expect(overlaps("10.244.0.0/16", "10.245.0.0/16")).toBe(false);
  });
});
