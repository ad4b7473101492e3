import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalSelector,
  conjunction,
  formatSelector,
  isUnsatisfiable,
  matches,
  selectorKey,
} from "../../../core/selector/index.ts";
import type { LabelSelector, Labels, SelectorRequirement } from "../../../core/selector/index.ts";

const keys = fc.constantFrom("app", "tier");
const values = fc.constantFrom("a", "b", "c");
const requirement: fc.Arbitrary<SelectorRequirement> = fc.oneof(
  fc.record({
    key: keys,
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.array(values, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ key: keys, operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const) }),
);
const selectors: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.dictionary(keys, values, { maxKeys: 2 }),
  matchExpressions: fc.array(requirement, { maxLength: 3 }),
});

/** Every object there can be, as far as these selectors can tell: each key missing, or with one of four values. */
const objects: readonly Labels[] = [undefined, "a", "b", "c", "d"].flatMap((app) =>
  [undefined, "a", "b", "c", "d"].map((tier) => ({
    ...(app === undefined ? {} : { app }),
    ...(tier === undefined ? {} : { tier }),
  })),
);

describe("matches", () => {
  test.each([
    [{}, {}, true],
    [{ matchLabels: { app: "web" } }, { app: "web", x: "y" }, true],
    [{ matchLabels: { app: "web" } }, {}, false],
    // point 4: NotIn and DoesNotExist match objects without the key
    [{ matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, {}, true],
    [{ matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, {}, true],
    [{ matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, { app: "web" }, false],
    [{ matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }] }, { app: "b" }, true],
    [{ matchExpressions: [{ key: "app", operator: "In", values: [] }] }, { app: "b" }, false],
    [{ matchExpressions: [{ key: "app", operator: "Exists" }] }, { app: "" }, true],
    [{ matchExpressions: [{ key: "constructor", operator: "Exists" }] }, {}, false],
    [{ matchExpressions: null, matchLabels: null }, {}, true],
  ] as unknown as readonly (readonly [LabelSelector, Labels, boolean])[])("%j on %j is %s", (selector, labels, expected) => {
    expect(matches(selector, labels)).toBe(expected);
  });

  test("an operator that Kubernetes does not have is an error, not a verdict", () => {
    const selector = { matchExpressions: [{ key: "app", operator: "Like" }] } as unknown as LabelSelector;
    expect(() => matches(selector, {})).toThrow(/operator Like/);
  });
});

describe("conjunction", () => {
  test("matches what both match, and is none only when nothing can match both (bug: a rule dropped that had members)", () => {
    fc.assert(
      fc.property(selectors, selectors, (a, b) => {
        const both = conjunction(a, b);
        const expected = objects.filter((labels) => matches(a, labels) && matches(b, labels));
        if (both === "none") expect(expected).toEqual([]);
        else {
          expect(objects.filter((labels) => matches(both, labels))).toEqual(expected);
          expect(expected.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("canonicalSelector", () => {
  test("keeps the meaning, and equal meaning is equal text (bug: drift reported for two spellings)", () => {
    fc.assert(
      fc.property(selectors, selectors, (a, b) => {
        const canonical = canonicalSelector(a);
        expect(objects.map((labels) => matches(canonical, labels))).toEqual(objects.map((labels) => matches(a, labels)));
        const isSame = objects.every((labels) => matches(a, labels) === matches(b, labels));
        expect(selectorKey(a) === selectorKey(b)).toBe(isSame);
        expect(canonicalSelector(canonical)).toEqual(canonical);
        expect(isUnsatisfiable(a)).toBe(!objects.some((labels) => matches(a, labels)));
      }),
      { numRuns: 1000 },
    );
  });
});

test("selectors are written as kubectl does", () => {
  expect(formatSelector({})).toBe("all");
  expect(
    formatSelector({
      matchLabels: { app: "web" },
      matchExpressions: [
        { key: "tier", operator: "In", values: ["a", "b"] },
        { key: "x", operator: "NotIn", values: ["y"] },
        { key: "legacy", operator: "DoesNotExist" },
        { key: "blue", operator: "Exists" },
      ],
    }),
  ).toBe("app=web, tier in (a, b), x not in (y), !legacy, blue");
});
