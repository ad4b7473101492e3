import { describe, expect, it } from "vitest";
import { editDistance, suggest } from "../../../core/model/parse/suggest.ts";

describe("suggestions", () => {
  // Catches: a suggestion that has nothing to do with what was written, or none for a plain typo.
  it.each([
    ["podz", ["pods", "ports", "hosts"], "pods"],
    ["matchlabels", ["matchLabels", "matchExpressions"], "matchLabels"],
    ["order_input", ["order-input", "order-output"], "order-input"],
    ["isoalte", ["isolate", "members"], "isolate"],
    ["namespace", ["namespaces", "pods"], "namespaces"],
    ["comment", ["from", "to", "ports"], undefined],
    ["x", ["y"], "y"],
    ["", ["a-very-long-name"], undefined],
    ["anything", [], undefined],
  ])("%j among %j is %j", (word, known, expected) => {
    expect(suggest(word, known)).toBe(expected);
  });

  // Catches: an answer that depends on the order of the known words.
  it("prefers the first in the alphabet among equals", () => {
    expect(suggest("wob", ["web", "wab"])).toBe("wab");
    expect(suggest("wob", ["wab", "web"])).toBe("wab");
  });

  it.each([
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["kitten", "sitting", 3],
    ["", "abc", 3],
  ])("distance of %j and %j is %i", (a, b, expected) => {
    expect(editDistance(a, b)).toBe(expected);
  });
});
