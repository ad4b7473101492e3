import { describe, expect, test } from "vitest";
import { openCheckpoint, parseCheckpoint, signCheckpoint } from "../../../core/audit/checkpoint.ts";
import { formatSignerKey, parseSignerKey, parseVerifierKey } from "../../../core/audit/key.ts";
import { sha256 } from "../../../core/audit/merkle.ts";
import { openNote, signNote } from "../../../core/audit/note.ts";

// The keys and the note in the documentation of golang.org/x/mod/sumdb/note: made by Go, not by us.
const GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE = `${GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const keyOf = (name: string, byte: number) => parseSignerKey(formatSignerKey(name, new Uint8Array(32).fill(byte)));

describe("keys", () => {
  test("Go's keys read, and derive from one another", () => {
    const signer = parseSignerKey(GO_SIGNER);
    expect(signer.verifier.text).toBe(GO_VERIFIER);
    expect(parseVerifierKey(`${GO_VERIFIER}\n`).text).toBe(GO_VERIFIER);
  });

  // Catches a key that is accepted under another name: whoever pins it would trust the wrong log.
  test.each([
    GO_VERIFIER.replace("PeterNeumann", "Peter"),
    GO_VERIFIER.replace("c74f20a3", "c74f20a4"),
    GO_VERIFIER.replace("ARpc", "AhpC"),
    `${GO_VERIFIER}A`,
    GO_SIGNER,
    "",
    "a+b",
  ])("%s is no verifier key", (text) => {
    expect(() => parseVerifierKey(text)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("a bad signing key is refused without its text in the error", () => {
    const bad = GO_SIGNER.replace("c74f20a3", "c74f20a4");
    try {
      parseSignerKey(bad);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toContain("AYEK");
    }
  });
});

describe("notes", () => {
  test("Go's note opens, and signing its text gives its bytes", () => {
    expect(openNote(Buffer.from(GO_NOTE), [parseVerifierKey(GO_VERIFIER)])).toMatchObject({ verdict: "verified", text: GO_TEXT });
    expect(signNote(GO_TEXT, [parseSignerKey(GO_SIGNER)])).toBe(GO_NOTE);
  });

  // Catches any byte that is not covered: in the text, the key hash, the signature, the layout.
  test("every changed byte rejects the note", () => {
    const bytes = Buffer.from(GO_NOTE);
    for (let index = 0; index < bytes.length; index++) {
      const tampered = Buffer.from(bytes);
      tampered[index] = (tampered[index] as number) ^ 0x01;
      expect(openNote(tampered, [parseVerifierKey(GO_VERIFIER)]).verdict, `byte ${index}`).toBe("rejected");
    }
  });

  test("signatures of unknown keys are ignored, a bad one of a known key is not", () => {
    const [ours, theirs] = [keyOf("ours", 1), keyOf("theirs", 2)];
    const note = signNote("text\n", [theirs, ours]);
    expect(openNote(Buffer.from(note), [ours.verifier])).toMatchObject({ verdict: "verified", signedBy: [ours.verifier.text] });
    expect(openNote(Buffer.from(note), [keyOf("third", 3).verifier])).toMatchObject({ reason: "key-unknown" });
    const other = note.replace("text", "test");
    expect(openNote(Buffer.from(other), [ours.verifier, theirs.verifier])).toMatchObject({ reason: "signature-invalid" });
  });

  test.each([
    "text",
    "text\n",
    "text\n\n",
    "text\n\nno signature\n",
    "te\u0007xt\n\n— a AAAAAAAAAA==\n",
    "text\n\n— a+b AAAAAAAAAA==\n",
  ])("%j is no note", (text) => {
    expect(openNote(Buffer.from(text), [])).toMatchObject({ reason: "note-malformed" });
  });

  test("bytes that are not UTF-8 are no note", () => {
    const bytes = Buffer.concat([Buffer.from([0xff]), Buffer.from(GO_NOTE)]);
    expect(openNote(bytes, [parseVerifierKey(GO_VERIFIER)])).toMatchObject({ reason: "note-malformed" });
  });

  test("a thousand signatures are refused before they are verified", () => {
    const line = "— a AAAAAAAAAA==\n";
    expect(openNote(Buffer.from(`text\n\n${line.repeat(1000)}`), [])).toMatchObject({ reason: "note-malformed" });
  });
});

describe("checkpoints", () => {
  const key = keyOf("firebreak.dev/test", 1);
  const root = sha256(Buffer.from("root"));

  test("what was signed is what opens", () => {
    const text = signCheckpoint({ origin: "firebreak.dev/test", size: 7, root }, key);
    const opened = openCheckpoint(Buffer.from(text), key.verifier);
    expect(opened).toMatchObject({ verdict: "verified", checkpoint: { origin: "firebreak.dev/test", size: 7 } });
  });

  // Catches a key that signs for two logs being used to pass one off as the other.
  test("a checkpoint of another log under the same key is refused", () => {
    const text = signCheckpoint({ origin: "firebreak.dev/other", size: 7, root }, key);
    expect(openCheckpoint(Buffer.from(text), key.verifier)).toMatchObject({ reason: "origin-mismatch" });
  });

  test("extension lines are allowed", () => {
    expect(parseCheckpoint(`o\n7\n${Buffer.from(root).toString("base64")}\nextension\n`)).toMatchObject({ size: 7 });
  });

  // Catches two spellings of one size, and sizes that numbers cannot hold.
  test.each(["07", "+7", "7 ", "-1", "", "1e3", "0x7", "9007199254740992", "99999999999999999999"])(
    "size %j is refused",
    (size) => {
      expect(parseCheckpoint(`o\n${size}\n${Buffer.from(root).toString("base64")}\n`)).toBeUndefined();
    },
  );

  test.each(["", "AAAA", `${Buffer.from(root).toString("base64").slice(0, -1)}`])("root %j is refused", (encoded) => {
    expect(parseCheckpoint(`o\n7\n${encoded}\n`)).toBeUndefined();
  });
});
