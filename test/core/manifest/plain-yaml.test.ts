import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { ToStringOptions } from "yaml";
import { readManifestFile } from "../../../core/manifest/document.ts";
import { UNUSUAL } from "../../../core/manifest/plain-scalar.ts";
import { readPlainYaml } from "../../../core/manifest/plain-yaml.ts";
import { readYamlSlowly } from "../../../core/manifest/yaml.ts";

/** Throws unless the fast reader leaves a text to the library, or reads what the library reads. */
function check(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === UNUSUAL) return false;
  const { documents, notes } = readYamlSlowly("a.yaml", text);
  const [document, ...more] = documents;
  const where = JSON.stringify(text);
  expect(notes, where).toEqual([]);
  expect(more, where).toEqual([]);
  expect(plain.value, where).toEqual(document?.value ?? null);
  if (document !== undefined) expect(plain.line + 1, where).toBe(document.at([]).line);
  return true;
}

const key = fc.constantFrom("a", "b", "app", "app.kubernetes.io/name", "80", "null", "yes", "x y", "é", "#", "-", "k:", "<<");
const text = fc.oneof(
  fc.constantFrom(
    "",
    "web",
    "10.0.0.0/8",
    "1.5",
    "0x1f",
    "1e3",
    "010",
    "yes",
    "No",
    "~",
    "null",
    "a: b",
    "a #b",
    "- x",
    "*",
    "&a",
    "|",
    "80",
  ),
  fc.constantFrom(
    "a b  c",
    "http://x:80/y?z=1&w",
    "a,b",
    "[a]",
    "{a}",
    "it's",
    'say "x"',
    "two\nlines",
    "end\n",
    "\n",
    " lead",
    "tail ",
    "tab\tx",
  ),
  fc.string({ maxLength: 12 }),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, tie("leaf"), tie("map"), tie("list")),
  leaf: fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.double()),
  map: fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
  list: fc.array(tie("tree"), { maxLength: 3 }),
}));
const objects = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4 });
const styles: fc.Arbitrary<ToStringOptions> = fc.record({
  indent: fc.constantFrom(2, 4),
  indentSeq: fc.boolean(),
  collectionStyle: fc.constantFrom("any", "block", "flow"),
  lineWidth: fc.constantFrom(0, 80),
});

const PIECES = [
  ..."ab: -#|>&*!?%{}[],'\"\\~=.0159xyon\n\n  ",
  "\n  ",
  "\n- ",
  ": ",
  "- ",
  " #",
  "a: b\n",
  "a:\n",
  "  b: c\n",
  "- d\n",
  "|\n",
  "&x ",
  "*x",
  "\r\n",
  "\t",
  "---\n",
  "yes",
  "null",
  "<<: ",
  "é",
];

/** As somebody writes it, with everything that the fast reader knows. */
const WRITTEN = `# comment
apiVersion: v1
items:
- kind: Pod # comment
  metadata:
    name: x
    labels: &l {a: b, c: "d"}
    annotations:
      note: |
        {"a": 1}
          more

        # no comment
      other: 'it is'
  spec:
    ports: []
    containers:
    -   name: main
        args: ["-c", x, 5]
    - - a
      - b
  status:
    podIP: 10.0.0.1
    labels: *l
    q: "esc \\n \\u00e9 \\""
    empty:
    cidr: ::/0
`;
const written = fc.oneof(
  fc.constant(WRITTEN),
  fc.tuple(objects, styles).map(([object, options]) => stringify(object, options)),
);
const edits = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...PIECES)), { minLength: 1, maxLength: 3 });

function edit(original: string, changes: readonly (readonly [number, number, string])[]): string {
  let edited = original;
  for (const [at, dropped, piece] of changes) {
    const start = at % (edited.length + 1);
    edited = edited.slice(0, start) + piece + edited.slice(start + dropped);
  }
  return edited;
}

describe("the fast reader of YAML", () => {
  test("reads what tools write, as the library does (bug: a value that differs opens or closes another connection)", () => {
    fc.assert(
      fc.property(objects, styles, (object, options) => {
        check(stringify(object, options));
      }),
      { numRuns: 500 },
    );
  });

  test("leaves what it does not know to the library, wherever somebody edited (bug: a mistake that the library refuses is read)", () => {
    fc.assert(
      fc.property(written, edits, (original, changes) => {
        const edited = edit(original, changes);
        if (!/^(?:---|\.\.\.|%)/m.test(edited)) check(edited); // separators are taken away before
      }),
      { numRuns: 1_000 },
    );
  });

  test("file by file too, whatever stands at a separator (bug: a document is cut where none ends)", () => {
    const separators = fc.constantFrom("---\n", "--- \n", "--- # x\n", "---\n---\n", "# x\n---\r\n", "---");
    const file = fc.array(fc.oneof(written, separators), { maxLength: 6 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(file, edits, (original, changes) => {
        const edited = edit(original, changes);
        // kubectl takes no directives, and nothing behind an end or a separator: the table in bytes.test.ts
        if (/^(?:%|\.\.\.|---(?:[^\S\n]+[^#\s]|\S))|\r(?!\n)/m.test(edited)) return;
        const fast = readManifestFile({ path: "a.yaml", bytes: new TextEncoder().encode(edited) });
        const slow = readYamlSlowly("a.yaml", edited.toWellFormed());
        const where = JSON.stringify(edited);
        expect(fast.notes.length > 0, where).toBe(slow.notes.length > 0);
        if (slow.notes.length > 0 || /^\s*[{[]/.test(edited)) return;
        expect(
          fast.documents.map(({ value }) => value),
          where,
        ).toEqual(slow.documents.map(({ value }) => value));
        expect(
          fast.documents.map(({ at }) => at([])),
          where,
        ).toEqual(slow.documents.map(({ at }) => at([])));
      }),
      { numRuns: 500 },
    );
  });

  test("and in texts that nobody would write", () => {
    const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(texts, (given) => {
        if (!/^(?:---|\.\.\.|%)/m.test(given)) check(given);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    [
      "a policy as kubectl prints it",
      "apiVersion: v1\nitems:\n- kind: Pod\n  metadata:\n    name: x\n    labels: {}\n  spec:\n    ports: []\n",
    ],
    ["flow collections", "a: {b: c, d: [1, e]}\nf: [ ]\n"],
    ["comments", "# one\na: b # two\n\n  # three\nc:\n  # four\n  d: 'e' # five\n"],
    ["literal texts", "a: |\n  one\n   two\n\n  three\nb:\n- |-\n  x: y\n  # z\n\nc: d\n"],
    ["anchors", "a: &x\n  b: c\nd: *x\ne:\n- &y\n  f: g\n- *y\n- &z 5\n"],
    ["sequences in sequences", "a:\n- - b\n  - c\n-   d: e\n    f: g\n"],
    ["windows' line ends", "a: b\r\nc: |\r\n  d\r\n  e\r\n"],
    ["addresses, ranges and words with colons", "a: 10.0.0.1\nb: 10.0.0.0/8\nc: example/main:1\nd: 2024-01-01\ne: 12:30\n"],
  ])("is not idle: %s", (_, given) => {
    expect(check(given)).toBe(true);
  });
});
