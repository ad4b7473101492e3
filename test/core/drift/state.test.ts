import { describe, expect, it } from "vitest";
import { targetState, type TargetFacts } from "../../../core/drift/state.ts";

const FINE: TargetFacts = {
  inGit: true,
  mode: "apply",
  isReplaced: false,
  isUnreachable: false,
  isForbidden: false,
  isNotUnderstood: false,
  isStale: false,
  hasDrifted: false,
  applied: 3,
  wanted: 3,
};

describe("the one state of a target", () => {
  it.each<[string, Partial<TargetFacts>, string]>([
    ["nothing is wrong", {}, "in sync"],
    ["a newer revision waits", { wanted: 4 }, "pending"],
    ["it was never applied", { applied: null }, "pending"],
    ["live differs, and a revision waits", { hasDrifted: true, wanted: 4 }, "drifted"],
    ["nobody looked for long, and it had drifted", { isStale: true, hasDrifted: true }, "stale"],
    ["it does not answer, and is stale", { isUnreachable: true, isStale: true }, "unreachable"],
    ["it does not let us look, and is stale", { isForbidden: true, isStale: true }, "forbidden"],
    ["it answers garbage, and is stale", { isNotUnderstood: true, isStale: true }, "not understood"],
    ["another cluster answers", { isReplaced: true, isUnreachable: true }, "replaced"],
    ["it is only planned, and away", { mode: "plan", isUnreachable: true }, "plan only"],
    ["Git forgot it, and it is only planned", { inGit: false, mode: "plan" }, "orphaned"],
  ])("when %s", (_when, facts, state) => {
    expect(targetState({ ...FINE, ...facts })).toBe(state);
  });
});
