import { describe, expect, it } from "vitest";
import { hasErrors } from "../../../core/model/note.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { formatNotes } from "../../../core/text/notes.ts";
import { expectGolden } from "../../support/golden.ts";
import { BAD_INPUTS } from "./bad-inputs.ts";

// Each catches: the problem is not seen, is told at the wrong place, or in words that do not help.
describe("bad inputs", { timeout: 60_000 }, () => {
  for (const { name, codes, files, allow } of BAD_INPUTS) {
    it(name, () => {
      const { definitions, notes } = parseDefinitions(files, { allow });
      expect([...new Set(notes.map(({ code }) => code))]).toEqual(expect.arrayContaining([...codes]));
      expect(definitions === undefined).toBe(hasErrors(notes));
      expectGolden(`model/${name}.txt`, formatNotes(notes));
    });
  }
});
