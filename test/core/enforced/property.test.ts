import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differencesOf } from "../../support/compile-organisation.ts";
import { organisations } from "../../support/organisations.ts";

describe("for any definitions", () => {
  // Bug: two readings of a rule that nobody had thought of together.
  test("what is rendered for every target, read back, is what the definitions mean", () => {
    fc.assert(
      fc.property(organisations, (organisation) => {
        expect(differencesOf(organisation)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
