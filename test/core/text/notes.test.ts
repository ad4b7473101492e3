import { describe, expect, it } from "vitest";
import type { Note } from "../../../core/model/note.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { countNotes, formatNotes } from "../../../core/text/notes.ts";
import { workspaceSettings } from "../../../core/text/workspace.ts";
import { ORGANISATION, yamlFile } from "../model/organisation.ts";

const NOTES: readonly Note[] = [
  { severity: "info", code: "c", summary: "about the set" },
  { severity: "warning", code: "b", at: { file: "b.yaml", line: 2, column: 10 }, summary: "later" },
  { severity: "error", code: "a", at: { file: "b.yaml", line: 2, column: 9 }, summary: "earlier", detail: "Did you mean this?" },
  { severity: "error", code: "a", at: { file: "a.yaml", line: 10, column: 1 }, summary: "first file", detail: "Do that" },
];

describe("notes as text", () => {
  // Catches: notes in an order in which nobody can work through them.
  it("is one line a note, by file and place", () => {
    expect(formatNotes(NOTES)).toBe(
      [
        "a.yaml:10:1: error: first file. Do that.",
        "b.yaml:2:9: error: earlier. Did you mean this?",
        "b.yaml:2:10: warning: later",
        "info: about the set",
      ].join("\n"),
    );
    expect(formatNotes([])).toBe("");
  });

  // Catches: 28 lines of one hint, in which the one warning is not seen; errors that are only counted.
  it("says one of many hints of a kind, and counts the others", () => {
    const many = (severity: Note["severity"]): readonly Note[] =>
      Array.from({ length: 28 }, (_, line) => ({
        severity,
        code: "no-effect-yet",
        at: { file: `p${line % 2}.yaml`, line: line + 1, column: 1 },
        summary: `rule ${line}`,
      }));
    expect(
      formatNotes([...many("info"), ...NOTES], { isFolded: true })
        .split("\n")
        .slice(3),
    ).toEqual([
      "p0.yaml:1:1: info: rule 0",
      "  and 27 more like it: in p0.yaml, p1.yaml; -o json lists each",
      "info: about the set",
    ]);
    expect(formatNotes(many("info")).split("\n")).toHaveLength(28);
    expect(formatNotes(many("error"), { isFolded: true }).split("\n")).toHaveLength(28);
  });

  // Catches: colours in a file or a pull request comment, or none on a terminal.
  it("colours only when asked", () => {
    expect(formatNotes(NOTES)).not.toContain("\u001b");
    expect(formatNotes(NOTES, { color: true })).toContain("\u001b[1;31merror\u001b[0m");
  });

  // Catches: a definition that writes to the terminal of whoever validates it.
  it("shows control characters instead of sending them", () => {
    const hostile: Note = {
      severity: "error",
      code: "a",
      at: { file: "a\u001b[2J.yaml", line: 1, column: 1 },
      summary: "x\u0007\u202ey",
    };
    expect(formatNotes([hostile])).toBe("a\\u001b[2J.yaml:1:1: error: x\\u0007\\u202ey");
  });

  it("counts", () => {
    expect(countNotes(NOTES)).toBe("2 errors, 1 warning");
    expect(countNotes(NOTES.slice(0, 1))).toBe("no problems");
  });
});

describe("workspace settings", () => {
  // Catches: a default shown as chosen, or the other way round.
  it("tells what was said and what is the default", () => {
    const text =
      "apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {internal: [10.0.0.0/8], essentials: {ntp: false}, drift: {overrides: [{targets: {matchLabels: {env: dev}}, respond: [alert]}]}}\n";
    const { definitions } = parseDefinitions([...ORGANISATION, yamlFile("workspace.yaml", text)]);
    if (definitions === undefined) throw new Error("no definitions");
    expect(workspaceSettings(definitions.workspace)).toEqual([
      { field: "internal", value: "10.0.0.0/8", isDefault: false },
      { field: "essentials", value: "all but ntp", isDefault: false },
      { field: "limits.unisolate", value: "0", isDefault: true },
      { field: "require", value: "none", isDefault: true },
      { field: "approvals.required", value: "0", isDefault: true },
      { field: "approvals.distinctFromAuthor", value: "true", isDefault: true },
      { field: "approvals.forRules", value: "0", isDefault: true },
      { field: "drift.default", value: "alert, heal", isDefault: true },
      { field: "drift.overrides", value: "env=dev: alert", isDefault: false },
      { field: "routes", value: "every channel is told everything", isDefault: true },
    ]);
  });
});
