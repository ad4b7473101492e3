import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editYaml } from "../../../core/edit/edit.ts";
import type { YamlEdit } from "../../../core/edit/edit.ts";
import { removeDocument } from "../../../core/edit/document.ts";
import { readValues } from "../../../core/edit/values.ts";
import { lineDiff } from "../../support/line-diff.ts";

function edited(text: string, edit: YamlEdit, document = 0): string {
  const result = editYaml(text, document, edit);
  if ("refused" in result) throw new Error(result.refused);
  return result.ok;
}

const append = (path: (string | number)[], text: string, value: unknown): YamlEdit => ({ kind: "append", path, text, value });
const RULE = "{from: [x], to: [y], ports: [1/tcp]}";
const RULE_VALUE = { from: ["x"], to: ["y"], ports: ["1/tcp"] };

describe("one edit is one line", () => {
  it.each<[string, string, YamlEdit, readonly string[], readonly string[]]>([
    ["a block list, its comment kept", "r:\n  - a # first\n  # tail\nz: 1\n", append(["r"], "b", "b"), [], ["  - b"]],
    ["odd indentation and gaps", "r:\n-   {from: [a]}\nz: 1\n", append(["r"], RULE, RULE_VALUE), [], [`-   ${RULE}`]],
    ["a last item of many lines", "r:\n  - from: [a]\n    to:\n      - b\nz: 1\n", append(["r"], "c", "c"), [], ["  - c"]],
    ["a last item that ends in a block of text", "r:\n  - |\n    a\n    b\nz: 1\n", append(["r"], "c", "c"), [], ["  - c"]],
    ["a flow list", "r: [a, b] # why\n", append(["r"], "c", "c"), ["r: [a, b] # why"], ["r: [a, b, c] # why"]],
    ["an empty list", "r: []\n", append(["r"], "c", "c"), ["r: []"], ["r: [c]"]],
    ["a trailing comma on lines of their own", "r: [\n  a,\n  b, # bee\n]\n", append(["r"], "c", "c"), [], ["  c,"]],
    ["no line break at the end", "r:\n  - a", append(["r"], "c", "c"), [], ["  - c"]],
    ["CRLF", "r:\r\n  - a\r\nz: 1\r\n", append(["r"], "c", "c"), [], ["  - c\r"]],
    ["a list at the key's own column", "spec:\n  r:\n  - a\n  z: 1\n", append(["spec", "r"], "c", "c"), [], ["  - c"]],
    ["a key", "spec:\n  a: 1 # one\n\n# end\n", { kind: "set", path: ["spec"], key: "b", text: "2", value: 2 }, [], ["  b: 2"]],
    [
      "a value",
      "r: [1/tcp, 2/tcp]\n",
      { kind: "replace", path: ["r", 1], text: "2-3/tcp", value: "2-3/tcp" },
      ["r: [1/tcp, 2/tcp]"],
      ["r: [1/tcp, 2-3/tcp]"],
    ],
    ["an item of a flow list away", "r: [a, b, c]\n", { kind: "remove", path: ["r", 1] }, ["r: [a, b, c]"], ["r: [a, c]"]],
    ["the last item of a flow list away", "r: [a, b]\n", { kind: "remove", path: ["r", 1] }, ["r: [a, b]"], ["r: [a]"]],
    ["an item of a block list away", "r:\n  # one\n  - a # x\n  - b\n", { kind: "remove", path: ["r", 0] }, ["  - a # x"], []],
  ])("%s", (_name, text, edit, gone, fresh) => {
    expect(lineDiff(text, edited(text, edit))).toEqual({ gone, fresh });
  });

  it("edits the document that was meant, not its neighbour", () => {
    const text = "r: [a]\n---\nr: [a]\n";
    expect(edited(text, append(["r"], "b", "b"), 1)).toBe("r: [a]\n---\nr: [a, b]\n");
  });
});

describe("what could change something else is refused", () => {
  it.each<[string, string, YamlEdit]>([
    ["a list behind an alias", "a: &l [x]\nb: *l\n", append(["b"], "y", "y")],
    ["a list that an alias shares", "a: &l [x]\nb: *l\n", append(["a"], "y", "y")],
    ["a path that is not there", "a: [x]\n", append(["b"], "y", "y")],
    ["a key that is there already", "a: {b: 1}\n", { kind: "set", path: ["a"], key: "b", text: "2", value: 2 }],
    ["text that says something else", "a: [x]\n", append(["a"], "y, z", "y")],
    ["text that breaks the file", "a: [x]\n", append(["a"], "{y", "y")],
    ["the only item of a block list", "a:\n  - x\n", { kind: "remove", path: ["a", 0] }],
    ["a file that is broken", "a: [x\n", append(["a"], "y", "y")],
    ["a block of text", "a:\n  - |\n    x\n", { kind: "replace", path: ["a", 0], text: "y", value: "y" }],
  ])("%s", (_name, text, edit) => {
    expect(editYaml(text, 0, edit)).toHaveProperty("refused");
  });
});

/** Rules written in many layouts, with comments wherever YAML allows one. */
const layout = fc.record({
  indent: fc.constantFrom(0, 1, 2, 3, 4, 7),
  gap: fc.constantFrom(" ", "  ", "   "),
  comments: fc.boolean(),
  newline: fc.constantFrom("\n", "\r\n"),
  ends: fc.boolean(),
  blank: fc.boolean(),
});
const style = fc.constantFrom("flow", "block", "mixed", "anchored");

function writeFile(
  rules: readonly (readonly [string, string])[],
  how: { indent: number; gap: string; comments: boolean; newline: string; ends: boolean; blank: boolean },
  styles: readonly string[],
): string {
  const pad = " ".repeat(how.indent + 2);
  const note = (text: string) => (how.comments ? ` # ${text}` : "");
  const lines = ["# the file", "kind: Policy", "metadata: {name: p} # name", "spec:", "  owner: o", "  rules:"];
  for (const [index, [from, to]] of rules.entries()) {
    const inner = `${pad} ${how.gap}`;
    if (how.comments) lines.push(`${pad}# rule ${index}`);
    switch (styles[index % styles.length]) {
      case "flow":
        lines.push(`${pad}-${how.gap}{from: [${from}], to: [${to}], ports: [1/tcp]}${note("flow")}`);
        break;
      case "block":
        lines.push(
          `${pad}-${how.gap}from:${note("f")}`,
          `${inner}  - ${from}`,
          `${inner}to: [${to}]`,
          `${inner}ports:`,
          `${inner}- 1/tcp${note("p")}`,
        );
        break;
      case "anchored":
        lines.push(
          `${pad}-${how.gap}from: &f${index} [${from}]`,
          `${inner}to: [${to}]`,
          `${inner}ports: [1/tcp]`,
          `${inner}same: *f${index}`,
        );
        break;
      default:
        lines.push(
          `${pad}-${how.gap}from: [`,
          `${inner}    ${from},${note("x")}`,
          `${inner}  ]`,
          `${inner}to: [${to}]`,
          `${inner}ports: [1/tcp]`,
        );
    }
    if (how.blank) lines.push("");
  }
  lines.push("  ticket: T-1", "# the end");
  return lines.join(how.newline) + (how.ends ? how.newline : "");
}

describe("over many layouts", () => {
  const name = fc.constantFrom("a", "b-c", "web", "x1");
  it("an appended rule is one new line, and everything else keeps its bytes (the bug: a file reformatted by its serializer)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name), { minLength: 1, maxLength: 4 }),
        layout,
        fc.array(style, { minLength: 1, maxLength: 3 }),
        (rules, how, styles) => {
          const text = writeFile(rules, how, styles);
          const after = edited(text, append(["spec", "rules"], RULE, RULE_VALUE));
          const { gone, fresh } = lineDiff(text, after);
          expect(gone).toEqual([]);
          expect(fresh).toHaveLength(1);
          expect(readValues(after)).not.toHaveProperty("refused");
        },
      ),
      { numRuns: 300 },
    );
  });

  it("an appended port touches the line it must, and no other", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name), { minLength: 1, maxLength: 4 }),
        layout,
        fc.array(style, { minLength: 1, maxLength: 3 }),
        fc.nat(3),
        (rules, how, styles, at) => {
          const text = writeFile(rules, how, styles);
          const after = edited(text, append(["spec", "rules", at % rules.length, "ports"], "2/udp", "2/udp"));
          const { gone, fresh } = lineDiff(text, after);
          expect(gone.length).toBeLessThanOrEqual(1);
          expect(fresh).toHaveLength(1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("a rule that goes takes its own lines and no comment that stands alone", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name), { minLength: 2, maxLength: 4 }),
        layout,
        fc.array(style, { minLength: 1, maxLength: 3 }),
        fc.nat(3),
        (rules, how, styles, at) => {
          const text = writeFile(rules, how, styles);
          const after = edited(text, { kind: "remove", path: ["spec", "rules", at % rules.length] });
          const { gone, fresh } = lineDiff(text, after);
          expect(fresh).toEqual([]);
          expect(gone.length).toBeLessThanOrEqual(7);
          expect(after.match(/^ *# rule/gm)).toEqual(text.match(/^ *# rule/gm));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("a document that goes leaves its neighbours their bytes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(layout, fc.array(style, { minLength: 1, maxLength: 2 })), { minLength: 2, maxLength: 4 }),
        fc.nat(3),
        fc.boolean(),
        fc.constantFrom("\n", "\r\n"),
        (documents, at, opens, newline) => {
          const texts = documents.map(([how, styles]) => writeFile([["a", "b"]], { ...how, newline, ends: true }, styles));
          const index = at % texts.length;
          const text = (opens ? `---${newline}` : "") + texts.join(`---${newline}`);
          const result = removeDocument(text, index);
          const left = texts.filter((_, number) => number !== index);
          if ("refused" in result) throw new Error(result.refused);
          for (const neighbour of left) expect(result.ok).toContain(neighbour);
          expect(readValues(result.ok)).toMatchObject({ ok: { length: left.length } });
        },
      ),
      { numRuns: 200 },
    );
  });
});
