import { expect, test } from "vitest";
import { parseDurationMs } from "../../../core/ground/duration.ts";
import { noteExpiry } from "../../../core/model/check/expiry.ts";
import { unknownTarget } from "../../../core/model/unknown-name.ts";
import { definitions, policy } from "../../support/definitions.ts";

const DAY = 86_400_000;
const END = Date.UTC(2027, 5, 30);

// Bug: a policy that ended months ago is no word in `validate`, and one that ends on Friday closes connections unannounced.
test.each([
  [END - 15 * DAY, undefined],
  [END - 14 * DAY, "policy p ends on 2027-06-30, in 14 days: what only it allows is closed then"],
  [END - 1, "policy p ends on 2027-06-30, in 1 day: what only it allows is closed then"],
  [END, "policy p ended on 2027-06-30: its rules allow nothing any more"],
  [END + 300 * DAY, "policy p ended on 2027-06-30: its rules allow nothing any more"],
])("the end of a policy is told before, on and after the day (%s)", (now, expected) => {
  const ending = definitions({ policies: [{ ...policy("p"), expires: END }, policy("endless")] });
  expect(noteExpiry(ending, now).map(({ summary }) => summary)).toEqual(expected === undefined ? [] : [expected]);
});

// Bug: a typo of a target reads as "no findings" or sends people to search a list.
test.each([
  ["cluster/clincal", "there is no target cluster/clincal. Did you mean cluster/clinical?"],
  ["clinical", "there is no target clinical. Did you mean cluster/clinical?"],
  ["pacs-1", "there is no target pacs-1. Did you mean host/metal/pacs-1?"],
  ["nosuch", "there is no target nosuch. There are cluster/clinical, host/metal/pacs-1; firebreak status lists them"],
])("%s is no target", (asked, message) => {
  const error = unknownTarget(asked, ["cluster/clinical", "host/metal/pacs-1"]);
  expect([error.code, error.message]).toEqual(["NOT_FOUND", message]);
});

// Bug: "what changed this week" cannot be asked in weeks.
test("ages in days and weeks", () => {
  expect([parseDurationMs("7d"), parseDurationMs("2w"), parseDurationMs("1y")]).toEqual([7 * DAY, 14 * DAY, undefined]);
});
