import { constants, inflateSync, type ZlibOptions } from "node:zlib";
import { FirebreakError } from "../../core/ground/error.ts";

/** How much a fetch may bring: as it comes, and as it is once inflated. */
export interface FetchLimits {
  /** Of one answer of the server. */
  readonly packBytes: number;
  /** Of one object, inflated. */
  readonly objectBytes: number;
  /** Of all objects together, inflated. */
  readonly totalBytes: number;
}

const MIB = 1024 * 1024;

/** The branch is the organisation's own; it may hold more than definitions. */
export const BRANCH_LIMITS: FetchLimits = { packBytes: 256 * MIB, objectBytes: 64 * MIB, totalBytes: 2_048 * MIB };
/** A pull request, or a commit that a reader names, is a stranger's: what it brings beyond the branch is a few definitions. */
export const STRANGER_LIMITS: FetchLimits = { packBytes: 32 * MIB, objectBytes: 8 * MIB, totalBytes: 64 * MIB };

/**
 * The pack in an answer of `git-upload-pack`: lines with their length in front (gitprotocol-common(5)), of which those that begin with
 * byte 1 are pieces of the pack (side-band, gitprotocol-pack(5)).
 */
export function packIn(answer: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 4 <= answer.length;) {
    const length = Number.parseInt(answer.toString("latin1", at, at + 4), 16);
    if (Number.isNaN(length)) break; // not this protocol: whoever reads it says so
    if (length > 4 && answer[at + 4] === 1) pieces.push(answer.subarray(at + 5, at + length));
    at += Math.max(4, length);
  }
  return Buffer.concat(pieces);
}

/** gitformat-pack(5): signature, version, number of objects. */
const HEADER_BYTES = 12;
/** SHA-1 of all that comes before. */
const TRAILER_BYTES = 20;
const OFS_DELTA = 6;
const REF_DELTA = 7;

/**
 * Holds a pack against limits before anybody inflates it into memory: half a megabyte of it can be gigabytes.
 *
 * What an object says of its size is read first, and no more than that is inflated to find where the next one begins. A delta counts as
 * what it makes. The pack itself may be damaged in any way: then it is left to the reader, who refuses it.
 *
 * @throws FirebreakError LIMIT_EXCEEDED
 */
export function checkPack(pack: Buffer, { objectBytes, totalBytes }: FetchLimits): void {
  if (pack.length < HEADER_BYTES + TRAILER_BYTES || pack.toString("latin1", 0, 4) !== "PACK") return;
  const count = pack.readUInt32BE(8);
  const content = pack.subarray(0, pack.length - TRAILER_BYTES);
  let at = HEADER_BYTES;
  let total = 0;
  const add = (bytes: number): void => {
    if (bytes > objectBytes) throw tooMuch(`an object of ${bytes} bytes; the limit is ${objectBytes}`);
    total += bytes;
    if (total > totalBytes) throw tooMuch(`objects of more than ${totalBytes} bytes together`);
  };
  for (let index = 0; index < count; index += 1) {
    const header = headerAt(content, at);
    add(header.size);
    const { bytes, used } = inflate(content.subarray(header.end), header.size);
    if (header.isDelta) add(resultSize(bytes));
    at = header.end + used;
  }
}

function tooMuch(what: string): FirebreakError {
  return new FirebreakError("LIMIT_EXCEEDED", `the Git server sent ${what}: use a repository of its own for definitions`);
}

interface ObjectHeader {
  readonly isDelta: boolean;
  /** Inflated: of the object, or of the delta's instructions. */
  readonly size: number;
  /** Where the deflated bytes begin. */
  readonly end: number;
}

/** Type and size share the first byte: one bit "more", three of the type, four of the size; then seven bits a byte, lowest first. */
function headerAt(pack: Buffer, start: number): ObjectHeader {
  let at = start;
  let byte = byteAt(pack, at++);
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let factor = 16; byte >= 128; factor *= 128) {
    byte = byteAt(pack, at++);
    size += (byte & 127) * factor;
  }
  if (type === REF_DELTA) at += 20;
  if (type === OFS_DELTA) while (byteAt(pack, at++) >= 128);
  return { isDelta: type === OFS_DELTA || type === REF_DELTA, size, end: at };
}

/** A delta begins with the size of its base and of what it makes, seven bits a byte, lowest first. */
function resultSize(delta: Buffer): number {
  let at = 0;
  const next = (): number => {
    let size = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = byteAt(delta, at++);
      size += (byte & 127) * factor;
      if (byte < 128) return size;
    }
  };
  next();
  return next();
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new FirebreakError("GIT_UNREACHABLE", "the Git server sent a pack that is cut off");
  return byte;
}

/** With `info`, Node tells the engine, which knows how much it has read. */
const WITH_INFO = { info: true } as const satisfies ZlibOptions;

/** At most `size` bytes: a stream that holds more than its object said is refused. */
function inflate(bytes: Buffer, size: number): { readonly bytes: Buffer; readonly used: number } {
  try {
    const options = { ...WITH_INFO, maxOutputLength: size + 1, finishFlush: constants.Z_FINISH };
    // The cast: what `info` gives, which the types of Node do not tell.
    const { buffer, engine } = inflateSync(bytes, options) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    if (buffer.length !== size) throw new Error(`an object of ${size} bytes has ${buffer.length}`);
    return { bytes: buffer, used: engine.bytesWritten };
  } catch (cause) {
    throw new FirebreakError("GIT_UNREACHABLE", "the Git server sent a pack that does not read", { cause });
  }
}
