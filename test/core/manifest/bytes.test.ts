import { describe, expect, test } from "vitest";
import { readManifestFile } from "../../../core/manifest/document.ts";
import { readManifests } from "../../../core/manifest/read.ts";
import { files } from "./files.ts";

/** The values of a file, or the reasons why it is refused. */
function read(text: string, path = "a.yaml"): unknown {
  const { documents, notes } = readManifestFile({ path, bytes: new TextEncoder().encode(text) });
  return notes.length > 0 ? notes.map(({ summary }) => summary).join() : documents.map(({ value }) => value);
}

// What kubectl's own decoder (k8s.io/apimachinery v0.34.4) makes of each was seen before it was written down here.
describe("bytes mean what they mean to kubectl (bug: a number or a word of YAML 1.1 is another port or label to the cluster)", () => {
  test.each([
    ["0443", 291],
    ["0080", 80],
    ["080", 80],
    ["0o17", 15],
    ["0O17", 15],
    ["0x1F", 31],
    ["0X1F", 31],
    ["0x_1F", 31],
    ["0b110111011", 443],
    ["-0b11", -3],
    ["+0b11", 3],
    ["-0443", -291],
    ["0777", 511],
    ["8_443", 8443],
    ["1__0", 10],
    ["1_000.5", 1000.5],
    ["1e3", 1000],
    ["4.43e2", 443],
    ["443.0", 443],
    ["1.", 1],
    [".5", 0.5],
    [".5_0", 0.5],
    ["+.5", 0.5],
    ["72225e2", 7222500],
    ["1e400", "1e400"],
    ["190:20:30", "190:20:30"],
    ["2001-01-01", "2001-01-01"],
    ["0o8", "0o8"],
    ["0b", "0b"],
    ["_1", "_1"],
    ["0443abc", "0443abc"],
    ["--", "--"],
    ["y", true],
    ["N", false],
    ["On", true],
    ["off", false],
    ["tRUE", "tRUE"],
    ["~", null],
    ["Null", null],
    ["nULL", "nULL"],
    ["!!str 443", "443"],
    ["! 443", "443"],
    ["'0443'", "0443"],
  ])("%s is %j", (text, value) => {
    expect(read(`a: ${text}`)).toEqual([{ a: value }]);
    expect(read(`a: [ ${text} ]`)).toEqual([{ a: [value] }]);
  });

  test.each([
    ["keys are texts, by their values", "y: a\n0443: b\n1.5: c\n", [{ true: "a", 291: "b", "1.5": "c" }]],
    ["what is merged takes the place of keys before it", "x: {a: 2, <<: {a: 1}}\n", [{ x: { a: 1 } }]],
    ["and gives way to keys after it", "x: {<<: {a: 1}, a: 2}\n", [{ x: { a: 2 } }]],
    ["of several that are merged the first counts", "x: {<<: [{a: 1}, {a: 3, b: 4}]}\n", [{ x: { a: 1, b: 4 } }]],
    ["a merge key in quotes is a key", '"<<": {a: 1}\n', [{ "<<": { a: 1 } }]],
    ["marks at the beginning of documents", "\uFEFFa: 1\n---\n\uFEFFb: 1\n---\n\uFEFF---\nc: 1\n", [{ a: 1 }, { b: 1 }, { c: 1 }]],
    ["marks between lines that end as on Windows", "\uFEFFa: 1\r\n---\r\n\uFEFFb: 1\r\n", [{ a: 1 }, { b: 1 }]],
    ["a comment behind a separator", "--- # c\na: 1\n", [{ a: 1 }]],
    ["an end of a document before a separator", "a: 1\n... # end\n---\nb: 2\n", [{ a: 1 }, { b: 2 }]],
    [
      "objects of JSON one after another",
      '{"a":1}{"b":2}\n{"c":3}\n---\n{"d":4}\n---\ne: 5',
      [{ a: 1 }, { b: 2 }, { c: 3 }, { d: 4 }, { e: 5 }],
    ],
    ["flow collections of YAML, with one text twice", '{a: {b: "x", c: "x"}, "d": "x"}', [{ a: { b: "x", c: "x" }, d: "x" }]],
    ["a comma too many, which only YAML takes", '{"a": 1,}', [{ a: 1 }]],
    ["tabs between tokens and in quotes, and CRLF", 'a:\tb\r\nc: "x\ty"\t\r\n', [{ a: "b", c: "x\ty" }]],
    ["folded texts", "a: >\n  x\n  y\n\n  z\n", [{ a: "x y\nz\n" }]],
  ])("%s", (_, text, values) => {
    expect(read(text)).toEqual(values);
  });

  test.each([
    ["a directive", "%YAML 1.1\n---\na: 1\n", /a directive/],
    ["a newer directive", "%YAML 1.2\n---\na: 1\n", /a directive/],
    ["something behind a separator", "--- {a: 1}\n", /stands behind a separator/],
    ["four dashes", "----\na: 1\n", /stands behind a separator/],
    ["text that kubectl leaves out", "a: 1\n...\nb: 2\n", /text after the end of a document/],
    ["a key twice in YAML", "a: 1\na: 2", /the key "a" is there twice/],
    ["keys with one text", '1: a\n"1": b\n', /the key "1" is there twice/],
    ["a key twice in JSON", '{"a":{"x":1},"a":{"y":2}}', /the key "a" is there twice/],
    ["a key twice in JSON, written otherwise", '{"a":1,"\\u0061":2}', /the key "a" is there twice/],
    ["infinity", "a: .inf", /no number of JSON/],
    ["a key that is null", "~: a", /a key that is null/],
    ["a tag", "a: !foo 443", /the tag !foo/],
    ["a tag that changes a value", 'a: !!int "443"', /the tag/],
    ["a tab as indentation", "a:\n\tb: 1\n", /not YAML/],
    ["a lone carriage return", "a: 1\rb: 2\r", /a line end that only old YAML knows/],
    ["a line separator", "a: 1\u2028b: 2", /a line end that only old YAML knows/],
    ["a mark inside a document", "a: 1\n\uFEFFb: 2\n", /a byte order mark inside/],
    ["an escape of JSON in YAML", 'a: "\\/"\n', /an escape of JSON only/],
    ["half of a pair", 'a: "\\ud83d\\ude00"\n', /an escape of JSON only/],
    ["something behind JSON", '{"a":1} x', /not YAML/],
  ])("refused: %s", (_, text, reason) => {
    expect(read(text)).toMatch(reason);
  });

  test("a port with a zero before it is refused, with the number that it is to the cluster (bug: 443 is open to a reader, 291 in truth)", () => {
    const text =
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db}\nspec:\n  podSelector: {}\n  ingress:\n  - ports:\n    - port: 0443\n";
    const { manifests, notes } = readManifests(files({ "a.yaml": text }));
    expect(manifests).toBeUndefined();
    expect(notes.find(({ severity }) => severity === "error")).toMatchObject({
      at: { line: 8 },
      summary: expect.stringContaining("0443 is 291 to Kubernetes"),
    });
    expect(readManifests(files({ "a.yaml": text.replace("0443", "8_443") })).manifests).toBeDefined();
  });

  test("advice about a number quotes what its author wrote (bug: who follows it has a label that selects nothing)", () => {
    for (const [written, is] of [
      ["72225e2", "7222500"],
      ["0755", "493"],
      ["12345678901234567890", "12345678901234567000"],
    ]) {
      const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: ${written}}}\nspec: {containers: []}\n`;
      const [note] = readManifests(files({ "a.yaml": text })).notes.filter(({ severity }) => severity === "error");
      expect(note).toMatchObject({ summary: expect.stringContaining(is ?? ""), detail: `Put it in quotes: "${written}"` });
    }
  });
});
