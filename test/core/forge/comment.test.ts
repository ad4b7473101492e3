import fc from "fast-check";
import { expect, it } from "vitest";
import { commentMarker, hasMarker, markedBody, MAX_BODY } from "../../../core/forge/comment.ts";

const MARKER = commentMarker("plan", "main");

it("a short text is whole, behind its marker", () => {
  expect(markedBody(MARKER, "plan")).toBe(`${MARKER}\nplan`);
  expect(hasMarker(markedBody(MARKER, "plan"), MARKER)).toBe(true);
  expect(hasMarker(`> ${MARKER}\nquoted`, MARKER)).toBe(false);
});

it("no id ends the hidden line (the bug: a branch named so writes into the comment)", () => {
  for (const id of ["a --> <b>", "x--y", "--->", "a\nb", "…"])
    expect(commentMarker("plan", id)).toMatch(/^<!-- firebreak plan (?:(?!--)[\w./-])+ -->$/);
});

it("a long text is cut at a line, with what it left open closed", () => {
  const body = `<details><summary>all</summary>\n\n\`\`\`\`text\n${"one line of the plan\n".repeat(9_000)}`;
  const text = markedBody(MARKER, body);
  expect(text.length).toBeLessThanOrEqual(MAX_BODY);
  expect(text.startsWith(MARKER)).toBe(true);
  expect(text).toMatch(/one line of the plan\n````\n\n<\/details>\n\n… the rest was cut/);
});

it("whatever the text, it fits, starts with its marker, and no character is cut in half", () => {
  const part = fc.constantFrom("```\n", "~~~~\n", "<details>", "</details>\n", "\u{1f512}", "x", "\n", "`".repeat(300));
  const body = fc
    .tuple(fc.array(part, { maxLength: 40 }), fc.integer({ min: 1, max: 300 }))
    .map(([parts, times]) => parts.join("").repeat(times));
  fc.assert(
    fc.property(body, (text) => {
      const cut = markedBody(MARKER, text, 2_000);
      expect(cut.length).toBeLessThanOrEqual(2_000);
      expect(cut.startsWith(MARKER)).toBe(true);
      expect(cut.isWellFormed()).toBe(true);
    }),
    { numRuns: 200 },
  );
});
