import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { checkPack, packIn } from "../../../adapters/git/pack.ts";

const LIMITS = { packBytes: 0, objectBytes: 1_000, totalBytes: 2_500 };
const BLOB = 3;
const REF_DELTA = 7;

/** One object of a pack that says this size of itself. */
function object(type: number, size: number, content: Uint8Array): Buffer {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  bytes.push((type << 4) | (size % 16) | (rest > 0 ? 128 : 0));
  while (rest > 0) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  }
  const base = type === REF_DELTA ? Buffer.alloc(20) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from(bytes), base, deflateSync(content)]);
}

const blob = (size: number): Buffer => object(BLOB, size, Buffer.alloc(size));

function pack(...objects: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  return Buffer.concat([header, ...objects, Buffer.alloc(20)]);
}

/** Sizes of the base and of the result, and no instructions. */
const delta = (result: number): Buffer => {
  const bytes = [0];
  for (let rest = result; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
};

test("a pack within the limits passes, whatever its objects are", () => {
  expect(() => checkPack(pack(blob(0), blob(15), blob(1_000), object(REF_DELTA, 3, delta(900))), LIMITS)).not.toThrow();
});

// Bug: half a megabyte of pack becomes gigabytes: each object, and all together, are inflated before anybody looks.
test.each([
  ["one object says that it is too large; it is not inflated", [object(BLOB, 30_000_000_000, Buffer.from("never read"))]],
  ["one delta makes something too large", [object(REF_DELTA, delta(5_000).length, delta(5_000))]],
  ["all objects together are too large", [blob(900), blob(900), blob(900)]],
  ["all that deltas make together is too large", [900, 900, 900].map((size) => object(REF_DELTA, delta(size).length, delta(size)))],
])("refused: %s", (_name, objects) => {
  expect(() => checkPack(pack(...objects), LIMITS)).toThrow(expect.objectContaining({ code: "LIMIT_EXCEEDED" }));
});

// Bug: an object that says that it is small is inflated for as long as it goes on.
test("an object that holds more than it says is refused, and no more than that is inflated", () => {
  expect(() => checkPack(pack(object(BLOB, 10, Buffer.alloc(50_000_000))), LIMITS)).toThrow(
    expect.objectContaining({ code: "GIT_UNREACHABLE" }),
  );
});

test("a pack that is cut off anywhere is refused or left to the reader, never looped over", () => {
  const whole = pack(blob(100), object(REF_DELTA, 3, delta(900)));
  for (let length = 0; length < whole.length; length += 1) {
    try {
      checkPack(whole.subarray(0, length), LIMITS);
    } catch (error) {
      expect(error).toMatchObject({ code: "GIT_UNREACHABLE" });
    }
  }
});

test("the pack is what band 1 of the answer holds", () => {
  const line = (content: string): string => (content.length + 4).toString(16).padStart(4, "0") + content;
  const answer = `${line("NAK\n")}${line("\u0001PA")}${line("\u0002counting")}${line("\u0001CK")}0000`;
  expect(packIn(Buffer.from(answer, "latin1")).toString()).toBe("PACK");
});
