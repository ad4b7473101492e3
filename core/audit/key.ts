/**
 * Keys of signed notes, in the encodings of Go's golang.org/x/mod/sumdb/note (Ed25519 only):
 *   verifier  NAME+HASH+base64(0x01 ‖ public key)
 *   signer    PRIVATE+KEY+NAME+HASH+base64(0x01 ‖ seed)
 * HASH is the first four bytes of SHA-256(NAME ‖ 0x0A ‖ 0x01 ‖ public key), as eight hexadecimal digits.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { FirebreakError } from "../ground/error.ts";
import { sha256 } from "./merkle.ts";

const ED25519 = 1;
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Checks signatures of one key. */
export interface NoteVerifier {
  readonly name: string;
  /** The key hash, eight hexadecimal digits. */
  readonly keyHash: string;
  /** The key in its text form, `NAME+HASH+base64`. */
  readonly text: string;
  readonly verify: (message: Uint8Array, signature: Uint8Array) => boolean;
}

/** Signs with one key. */
export interface NoteSigner {
  readonly verifier: NoteVerifier;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** True for a name a key may carry: not empty, no white space, no plus. */
export function isKeyName(name: string): boolean {
  return /^[^\s+]+$/u.test(name) && name.isWellFormed();
}

/** Reads a verifier key. White space around it is ignored. Throws CONFIG_INVALID for anything that is not exactly such a key. */
export function parseVerifierKey(text: string): NoteVerifier {
  const [name = "", hash = "", encoded = ""] = splitKey(text.trim(), 3);
  const key = decodeKey(encoded);
  if (!isKeyName(name) || key === undefined) throw malformed("verifier key");
  const verifier = makeVerifier(name, key);
  if (verifier.keyHash !== hash) throw malformed("verifier key (its hash is of another name or key)");
  return verifier;
}

/** Reads a signer key; the text is a secret and never appears in an error. Throws CONFIG_INVALID. */
export function parseSignerKey(text: string): NoteSigner {
  const [priv, word, name = "", hash = "", encoded = ""] = splitKey(text.trim(), 5);
  const seed = decodeKey(encoded);
  if (priv !== "PRIVATE" || word !== "KEY" || !isKeyName(name) || seed === undefined) throw malformed("signing key");
  const signer = makeSigner(name, seed);
  if (signer.verifier.keyHash !== hash) throw malformed("signing key (its hash is of another name or key)");
  return signer;
}

/** The text of a new signing key from 32 random bytes. Throws CONFIG_INVALID for a name no key may carry. */
export function formatSignerKey(name: string, seed: Uint8Array): string {
  if (!isKeyName(name) || seed.length !== 32) throw malformed(`signing key name ${JSON.stringify(name)}`);
  const { verifier } = makeSigner(name, seed);
  return `PRIVATE+KEY+${name}+${verifier.keyHash}+${encodeKey(seed)}`;
}

function makeSigner(name: string, seed: Uint8Array): NoteSigner {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI_PREFIX.length);
  return { verifier: makeVerifier(name, publicKey), sign: (message) => sign(null, message, key) };
}

function makeVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  const key: KeyObject = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
  const keyHash = Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey])))
    .subarray(0, 4)
    .toString("hex");
  return {
    name,
    keyHash,
    text: `${name}+${keyHash}+${encodeKey(publicKey)}`,
    verify: (message, signature) => signature.length === 64 && verify(null, message, key, signature),
  };
}

/** Splits at the first `parts - 1` pluses only: base64 may hold more of them. */
function splitKey(text: string, parts: number): readonly string[] {
  const pieces = text.split("+");
  return [...pieces.slice(0, parts - 1), pieces.slice(parts - 1).join("+")];
}

function encodeKey(key: Uint8Array): string {
  return Buffer.concat([Buffer.of(ED25519), key]).toString("base64");
}

function decodeKey(encoded: string): Uint8Array | undefined {
  const bytes = decodeBase64(encoded);
  return bytes?.length === 33 && bytes[0] === ED25519 ? bytes.subarray(1) : undefined;
}

/** Strict base64 with padding: undefined unless the text is the one encoding of its bytes. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

function malformed(what: string): FirebreakError {
  return new FirebreakError("CONFIG_INVALID", `read ${what}: not in the form of a signed-note Ed25519 key`);
}
