import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeEntry } from "../../../core/audit/encode.ts";
import { assertEntryInput, type Entry, type EntryOf, parseEntryInput, readEntry } from "../../../core/audit/entry.ts";
import { matchesFilter } from "../../../core/audit/filter.ts";
import { sha256 } from "../../../core/audit/merkle.ts";
import { isSameEvent } from "../../../core/audit/same.ts";
import { isSealOf, sealText } from "../../../core/audit/seal.ts";

const intent: EntryOf<"apply.intent"> = {
  v: 1,
  seq: 41,
  id: "apply/cluster/prod-eu/7",
  time: "2026-11-21T09:00:00.000Z",
  type: "apply.intent",
  origin: { service: "syncer", instance: "a" },
  target: { kind: "cluster", id: "cluster/prod-eu" },
  plan: "sha256:00",
  effect: { opened: [{ from: "order-input", to: "cust-record", ports: ["8443/tcp"] }], closed: [], openedCount: 1, closedCount: 0 },
};
const text = (entry: Entry): string => Buffer.from(encodeEntry(entry)).toString();
const stored = (json: string) => readEntry(Buffer.from(json));

describe("bytes of an entry", () => {
  test("v first, then canonical JSON", () => {
    expect(text(intent)).toBe(
      '{"v":1,"effect":{"closed":[],"closedCount":0,"opened":[{"from":"order-input","ports":["8443/tcp"],"to":"cust-record"}],"openedCount":1},' +
        '"id":"apply/cluster/prod-eu/7","origin":{"instance":"a","service":"syncer"},"plan":"sha256:00","seq":41,' +
        '"target":{"id":"cluster/prod-eu","kind":"cluster"},"time":"2026-11-21T09:00:00.000Z","type":"apply.intent"}',
    );
  });

  // Catches two spellings of one entry: the same content in another key order, or with fields that are undefined.
  test("one spelling per entry", () => {
    const { target, ...rest } = intent;
    expect(text({ target, ...rest, reason: undefined })).toBe(text(intent));
  });

  test("what was stored reads back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.jsonValue(), (reason, value) => {
        const entry: Entry = { ...intent, reason: reason.toWellFormed(), detail: { value: value as never } };
        const read = readEntry(encodeEntry(entry));
        // JSON has no -0: it is the one value that changes.
        expect(read).toEqual({ kind: "entry", entry: JSON.parse(JSON.stringify(entry)) });
      }),
    );
  });

  // Catches a hostile name (half a surrogate pair) that makes the encoder throw: the entry would be lost and the apply stuck.
  test("text that no JSON can carry is made to fit, not refused", () => {
    const read = readEntry(encodeEntry({ ...intent, ticket: "a\ud800b", detail: { "\udfff": ["\ud800"] } }));
    expect(read).toMatchObject({ kind: "entry", entry: { ticket: "a\ufffdb", detail: { "\ufffd": ["\ufffd"] } } });
  });
});

describe("an entry that is too long is cut, never dropped", () => {
  const connections = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ from: `segment-${index}`, to: "b", ports: ["1/tcp"] }));
  const cutOf = (entry: Entry) => {
    const bytes = encodeEntry(entry);
    expect(bytes.length).toBeLessThanOrEqual(65_535);
    const read = readEntry(bytes);
    if (read.kind !== "entry" || read.entry.type === "newer") return expect.unreachable();
    return read.entry;
  };

  test("a long list keeps its beginning, and says how much it had", () => {
    const opened = connections(5000);
    const cut = cutOf({ ...intent, effect: { opened, closed: [], openedCount: 5000, closedCount: 0 } });
    expect(cut.effect?.openedCount).toBe(5000);
    expect(cut.effect?.opened).toEqual(opened.slice(0, 1024));
    expect(cut.cut?.parts).toEqual([{ path: "effect.opened", kept: 1024, of: 5000 }]);
  });

  test("the digest is that of the whole entry", () => {
    const entry: Entry = {
      v: 1,
      seq: 0,
      id: "i",
      time: intent.time,
      type: "freeze.started",
      origin: { instance: "a", service: "s" },
      reason: "x".repeat(70_000),
    };
    const bytes = Buffer.from(
      `{"v":1,"id":"i","origin":{"instance":"a","service":"s"},"reason":"${"x".repeat(70_000)}","seq":0,"time":"${intent.time}","type":"freeze.started"}`,
    );
    expect(cutOf(entry).cut).toMatchObject({ bytes: bytes.length, sha256: Buffer.from(sha256(bytes)).toString("hex") });
  });

  test("cuts at all places of a list are counted together", () => {
    const sets = Array.from({ length: 40 }, () => "y".repeat(4000));
    const cut = cutOf({ ...intent, segments: sets });
    expect(cut.cut?.parts).toEqual([{ path: "segments.*", kept: 40 * 1024, of: 40 * 4000 }]);
  });

  // Catches an entry that no step can make fit: it must still say who, what, when and where.
  test("anything at all fits in the end", () => {
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, key) => [`k${key}`, "z".repeat(2000)]));
    const deep = Object.fromEntries(Array.from({ length: 100 }, (_, key) => [`k${key}`, { ...wide, more: wide }]));
    const cut = cutOf({ ...intent, detail: deep });
    expect(cut).toMatchObject({ id: intent.id, seq: 41, type: "apply.intent", effect: intent.effect, detail: {} });
    expect(cut.cut?.bytes).toBeGreaterThan(1_000_000);
  });

  test("whatever the content, it fits and keeps its id, number and type", () => {
    const value = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.string({ maxLength: 5000 }),
        fc.array(tie("tree"), { maxLength: 60 }),
        fc.dictionary(fc.string({ maxLength: 900 }), tie("tree"), { maxKeys: 60 }),
      ),
    })).tree;
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 300 }), (tree, times) => {
        const entry = cutOf({ ...intent, detail: { tree: Array.from({ length: times }, () => tree) as never } });
        expect(entry).toMatchObject({ id: intent.id, seq: 41, type: "apply.intent" });
      }),
      { numRuns: 60 },
    );
  });
});

describe("reading", () => {
  // Catches a reader that loses a newer version's log, or hides the fields it does not know.
  test("unknown fields are kept", () => {
    const json = text(intent).replace('{"v":1,', '{"v":1,"zone":"eu",');
    expect(stored(json)).toMatchObject({ kind: "entry", entry: { type: "apply.intent", zone: "eu" } });
  });

  test.each([
    ["another version", '{"v":2,"id":"a","seq":3,"time":"t","type":"apply.intent"}', "apply.intent"],
    ["an unknown type", '{"v":1,"id":"a","seq":3,"time":"t","type":"teleport.started"}', "teleport.started"],
    ["a field of another shape", text(intent).replace('"plan":"sha256:00"', '"plan":["sha256:00"]'), "apply.intent"],
  ])("%s gives its envelope and its fields", (_, json, storedType) => {
    const read = stored(json);
    expect(read).toMatchObject({ kind: "entry", entry: { type: "newer", storedType, fields: JSON.parse(json) } });
    if (read.kind === "entry") expect(matchesFilter(read.entry, { types: [storedType] })).toBe(true);
    if (read.kind === "entry") expect(matchesFilter(read.entry, { target: "cluster/prod-eu" })).toBe(false);
  });

  test.each([
    "",
    "{}",
    "[]",
    '{"id":"a","v":1}',
    '{"v":1,"seq":',
    '{"v":1,"seq":-1,"id":"a","time":"t","type":"x"}',
    '{"v":0,"seq":1}',
  ])("%j never was an entry", (json) => {
    expect(stored(json).kind).toBe("malformed");
  });
});

describe("what producers give", () => {
  test("a type's fields are required", () => {
    expect(parseEntryInput({ type: "apply.intent", id: "a" })).toMatchObject({
      kind: "malformed",
      why: expect.stringMatching(/target.*plan/s),
    });
    expect(parseEntryInput({ type: "no.such", id: "a" })).toMatchObject({
      kind: "malformed",
      why: expect.stringContaining("type"),
    });
    expect(parseEntryInput({ type: "freeze.started", id: "" }).kind).toBe("malformed");
    expect(parseEntryInput({ type: "freeze.started", id: "x".repeat(501) }).kind).toBe("malformed");
    expect(parseEntryInput({ type: "freeze.started", id: "a", time: "2026-11-21T10:00:00+01:00" }).kind).toBe("malformed");
    expect(parseEntryInput({ type: "freeze.started", id: "a" }).kind).toBe("input");
    expect(parseEntryInput(null).kind).toBe("malformed");
  });

  test("a caller that is past the type checker is told that it is a bug", () => {
    expect(() => assertEntryInput({ type: "apply.intent", id: "a" } as never)).toThrow(
      expect.objectContaining({ code: "PLAN_INVARIANT_BROKEN" }),
    );
  });
});

test("filters", () => {
  expect(matchesFilter(intent, { types: ["apply.intent"], target: "cluster/prod-eu", plan: "sha256:00", since: intent.time })).toBe(
    true,
  );
  expect(matchesFilter(intent, { until: intent.time })).toBe(false);
  expect(matchesFilter(intent, { target: "cluster/prod" })).toBe(false);
  expect(matchesFilter(intent, { finding: "f" })).toBe(false);
  expect(matchesFilter(intent, { causedBy: 0 })).toBe(false);
});

// Catches a record that is dropped because its producer used an id twice, and a retry that is logged twice.
describe("the same event", () => {
  const again = { ...intent, seq: 99, time: "2026-11-22T00:00:00Z", origin: { service: "syncer", instance: "b" } };
  const storedIntent = (entry: Entry) => {
    const read = readEntry(encodeEntry(entry));
    return read.kind === "entry" ? read.entry : expect.unreachable();
  };
  const long: Entry = { ...intent, reason: "x".repeat(70_000) };

  test.each<readonly [string, Entry, Entry, boolean]>([
    ["brought later by another process", intent, again, true],
    ["with a field that is undefined", intent, { ...again, reason: undefined }, true],
    ["with other content", intent, { ...again, plan: "sha256:01" }, false],
    ["that was cut", long, { ...again, reason: "x".repeat(70_000) }, true],
    ["that was cut, with other content", long, { ...again, reason: `${"x".repeat(69_999)}y` }, false],
  ])("%s", (_, first, second, isSame) => {
    expect(isSameEvent(storedIntent(first), second)).toBe(isSame);
  });
});

test("a sealed text opens with its salt only", () => {
  const salt = new Uint8Array(16).fill(1);
  const sealed = sealText("because", salt);
  expect(isSealOf(sealed, "because", salt)).toBe(true);
  expect(isSealOf(sealed, "because", new Uint8Array(16))).toBe(false);
  expect(isSealOf(sealed, "Because", salt)).toBe(false);
  expect(() => sealText("because", new Uint8Array(8))).toThrow(RangeError);
});
