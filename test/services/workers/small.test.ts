import { describe, expect, test } from "vitest";
import { isSmall } from "../../../services/workers/small.ts";

describe("what is small enough for this process", () => {
  test("a handful of pods and a plain ruleset", () => {
    const pods = Array.from({ length: 200 }, (_, index) => ({ name: `p${index}`, labels: { app: "x" } }));
    const ruleset = [{ rule: { expr: [{ jump: { target: "a" } }] } }];
    expect(isSmall({ inventories: new Map([["cluster/eu", { pods }]]), ruleset })).toBe(true);
  });

  // Bug: what a tenant or the root of a host makes large is worked out in the service's own process.
  test.each([
    ["many pods in a Map", new Map([["a", { pods: Array.from({ length: 10_000 }, () => ({})) }]])],
    [
      "a policy of 4,000 rules",
      { spec: { ingress: Array.from({ length: 4_000 }, (_, at) => ({ from: [{ at }], ports: [{ port: at }] })) } },
    ],
    ["one long text", { text: "[".repeat(16 * 1024 * 1024) }],
    ["few rules that jump much", Array.from({ length: 13 }, (_, at) => [1, 2, 3].map(() => ({ jump: { target: `c${at + 1}` } })))],
    ["members of a set", new Set(Array.from({ length: 20_000 }, (_, at) => at))],
    ["keys", Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, at]))],
  ])("not %s", (_, value) => {
    expect(isSmall(value)).toBe(false);
  });
});
