import { expect, test } from "vitest";
import { markToKeep } from "../../../core/render/mark.ts";

const WANTED = { instance: "fb", sequence: 8, digest: "0123456789abcdef" };

// Bug: a commit that changes a README rewrites the ruleset of every host, with a dead man's timer and a line in the log each.
test.each([
  ["an earlier revision that wanted the same", { ...WANTED, sequence: 3 }, 3],
  ["the same revision", WANTED, 8],
  ["other rules", { ...WANTED, sequence: 3, digest: "fedcba9876543210" }, 8],
  ["another installation", { ...WANTED, sequence: 3, instance: "other" }, 8],
  ["a later revision, which nobody knows", { ...WANTED, sequence: 9 }, 8],
  ["no table", undefined, 8],
])("the mark of a host stays where nothing else is wanted: %s", (_, live, sequence) => {
  expect(markToKeep(WANTED, live)).toEqual({ ...WANTED, sequence });
});
