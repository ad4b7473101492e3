/**
 * Signed notes: C2SP signed-note (https://c2sp.org/signed-note).
 *
 * A note is UTF-8 text that ends in a newline, a blank line, and signature lines `— NAME base64(key hash ‖ signature)`. Signatures
 * of unknown keys are ignored, one bad signature of a known key rejects the note, and so does the absence of a known one.
 */
import type { NoteSigner, NoteVerifier } from "./key.ts";
import { decodeBase64, isKeyName } from "./key.ts";

const MAX_SIGNATURES = 100;
const SIGNATURE_PREFIX = "— ";

/** What opening a note gave; `why` is a sentence for people. */
export type OpenedNote =
  | { readonly verdict: "verified"; readonly text: string; readonly signedBy: readonly string[] }
  | { readonly verdict: "rejected"; readonly reason: "note-malformed" | "signature-invalid" | "key-unknown"; readonly why: string };

/** Signs a text, which ends in a newline. Throws RangeError for a text that is not one. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!isNoteText(text)) throw new RangeError("the text of a note ends in a newline and has no control characters");
  const message = Buffer.from(text);
  const lines = signers.map(({ verifier, sign }) => {
    const signature = Buffer.concat([Buffer.from(verifier.keyHash, "hex"), sign(message)]);
    return `${SIGNATURE_PREFIX}${verifier.name} ${signature.toString("base64")}\n`;
  });
  return `${text}\n${lines.join("")}`;
}

/** Opens a note against the keys that are trusted. */
export function openNote(bytes: Uint8Array, trusted: readonly NoteVerifier[]): OpenedNote {
  const note = decodeUtf8(bytes);
  const split = note?.lastIndexOf("\n\n") ?? -1;
  if (note === undefined || split < 0) return malformedNote("it has no signature block");
  const text = note.slice(0, split + 1);
  const block = note.slice(split + 2);
  if (!isNoteText(text) || !block.endsWith("\n")) return malformedNote("it is not text followed by signature lines");
  const lines = block.slice(0, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) return malformedNote(`it has more than ${MAX_SIGNATURES} signatures`);

  const signedBy = new Set<string>();
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return malformedNote("a signature line does not parse");
    const verifier = trusted.find(({ name, keyHash }) => name === signature.name && keyHash === signature.keyHash);
    if (verifier === undefined || signedBy.has(verifier.text)) continue;
    if (!verifier.verify(Buffer.from(text), signature.bytes)) {
      return {
        verdict: "rejected",
        reason: "signature-invalid",
        why: `the signature of ${verifier.name}+${verifier.keyHash} is wrong`,
      };
    }
    signedBy.add(verifier.text);
  }
  if (signedBy.size === 0) return { verdict: "rejected", reason: "key-unknown", why: "no trusted key has signed it" };
  return { verdict: "verified", text, signedBy: [...signedBy] };
}

function parseSignature(line: string): { readonly name: string; readonly keyHash: string; readonly bytes: Uint8Array } | undefined {
  if (!line.startsWith(SIGNATURE_PREFIX)) return undefined;
  const [name = "", encoded = "", ...rest] = line.slice(SIGNATURE_PREFIX.length).split(" ");
  const bytes = decodeBase64(encoded);
  if (rest.length > 0 || !isKeyName(name) || bytes === undefined || bytes.length < 5) return undefined;
  return { name, keyHash: Buffer.from(bytes.subarray(0, 4)).toString("hex"), bytes: bytes.subarray(4) };
}

/** Ends in a newline, well-formed, and no control character but newlines (signed-note, "Format"). */
function isNoteText(text: string): boolean {
  return text.endsWith("\n") && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

function malformedNote(why: string): OpenedNote {
  return { verdict: "rejected", reason: "note-malformed", why };
}
