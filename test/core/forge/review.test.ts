import { expect, it } from "vitest";
import type { Review } from "../../../core/forge/forge.ts";
import { approversOf } from "../../../core/forge/review.ts";

function review(author: string, state: Review["state"], commit = "head"): Review {
  return { author, state, commit, at: "2027-01-01T00:00:00Z" };
}

it.each<[string, readonly Review[], readonly string[]]>([
  ["none", [], []],
  ["an approval", [review("ann", "approved")], ["ann"]],
  ["two", [review("ann", "approved"), review("bob", "approved")], ["ann", "bob"]],
  ["a comment takes nothing back", [review("ann", "approved"), review("ann", "commented")], ["ann"]],
  ["a later refusal does", [review("ann", "approved"), review("ann", "changes-requested")], []],
  ["a dismissal does", [review("ann", "approved"), review("ann", "dismissed")], []],
  ["an approval after a refusal counts", [review("ann", "changes-requested"), review("ann", "approved")], ["ann"]],
  ["an approval of an earlier head does not", [review("ann", "approved", "before")], []],
  [
    "a refusal of an earlier head holds against an approval before it",
    [review("ann", "approved"), review("ann", "changes-requested", "before")],
    [],
  ],
])("%s", (_, reviews, approvers) => {
  expect(approversOf(reviews, "head")).toEqual(approvers);
});

// Would catch: a review of what was left over a branch that had the rest already, counted after the base was changed (M2).
it.each([
  ["after the review", "2027-01-01T00:00:05Z", []],
  ["in its second", "2027-01-01T00:00:00Z", []],
  ["in its second, told in another zone", "2027-01-01T01:00:00+01:00", []],
  ["before it", "2026-12-31T23:59:59Z", ["ann"]],
] as const)("a pull request that went to another base %s", (_, moved, approvers) => {
  expect(approversOf([review("ann", "approved")], "head", moved)).toEqual(approvers);
});
