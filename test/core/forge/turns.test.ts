import { expect, test } from "vitest";
import { inTurns } from "../../../core/forge/turns.ts";

// Bug: a hundred pull requests of one stranger are all looked at before anybody else's.
test("one of each author after the other, and nobody from a fork before who may write", () => {
  const pulls = ["mallory 1", "mallory 2", "mallory 3", "ann 4", "wanda 5", "ann 6", "wanda 7"].map((text) => {
    const [author = "", number] = text.split(" ");
    return { author, number: Number(number), isFork: author !== "wanda" };
  });
  expect(inTurns(pulls).map(({ number }) => number)).toEqual([5, 7, 1, 4, 2, 6, 3]);
});
