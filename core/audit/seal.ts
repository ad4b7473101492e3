import { sha256 } from "./merkle.ts";

/** The salted digest that stands in the log for a text which may have to be redacted. */
export interface SealedText {
  readonly saltedSha256: string;
}

/** Seals a text: SHA-256(salt ‖ text), hex. The salt (at least 16 random bytes) and the text are kept beside the log, and can go. */
export function sealText(text: string, salt: Uint8Array): SealedText {
  if (salt.length < 16) throw new RangeError("a salt has at least 16 bytes");
  return { saltedSha256: Buffer.from(sha256(Buffer.concat([salt, Buffer.from(text)]))).toString("hex") };
}

/** True when this salt and text are what was sealed. */
export function isSealOf(sealed: SealedText, text: string, salt: Uint8Array): boolean {
  return sealText(text, salt).saltedSha256 === sealed.saltedSha256;
}
