import { formatRange, fromPrefixes, fromRanges, parseAddress, parsePrefix, toRanges, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { FirebreakError } from "../ground/error.ts";
import { membershipDigest } from "./digest.ts";
import type { Membership } from "./membership.ts";
import { compareText } from "./order.ts";

/** A membership as JSON: ranges as texts (`10.0.0.1`, `10.0.0.0/24`, `10.0.0.1-10.0.0.9`), segments sorted by name. */
export interface EncodedMembership {
  readonly target: string;
  readonly complete: boolean;
  readonly observedAt: number;
  readonly digest: string;
  readonly segments: Readonly<Record<string, readonly string[]>>;
}

/** A membership as plain JSON, for the store and for files. */
export function encodeMembership(membership: Membership): EncodedMembership {
  const names = [...membership.segments].sort(([a], [b]) => compareText(a, b));
  return {
    target: membership.target,
    complete: membership.complete,
    observedAt: membership.observedAt,
    digest: membership.digest,
    segments: Object.fromEntries(names.map(([name, set]) => [name, toRanges(set).map(formatRange)])),
  };
}

/**
 * The membership in a parsed JSON value. Throws ADDRESS_INVALID when the shape, an address or the digest is not as written by
 * `encodeMembership`: a damaged one is no membership, and never an empty one.
 */
export function decodeMembership(json: unknown): Membership {
  if (!isRecord(json) || !isRecord(json["segments"])) throw damaged("its shape");
  const { target, complete, observedAt, digest } = json;
  if (typeof target !== "string" || typeof complete !== "boolean") throw damaged("its shape");
  if (typeof observedAt !== "number" || typeof digest !== "string") throw damaged(`the shape of ${target}`);
  const segments = new Map<string, AddressSet>();
  for (const [name, ranges] of Object.entries(json["segments"])) segments.set(name, decodeSet(ranges, `${target} ${name}`));
  if (membershipDigest(segments) !== digest) throw damaged(`the digest of ${target}`);
  return { target, segments, complete, observedAt, digest };
}

function decodeSet(json: unknown, where: string): AddressSet {
  if (!Array.isArray(json)) throw damaged(`the ranges of ${where}`);
  return unionAll(json.map((range: unknown) => decodeRange(range, where)));
}

function decodeRange(json: unknown, where: string): AddressSet {
  if (typeof json !== "string") throw damaged(`a range of ${where}`);
  const [firstText = "", lastText] = json.split("-");
  if (lastText === undefined) {
    const prefix = parsePrefix(json);
    if ("ok" in prefix) return fromPrefixes([prefix.ok]);
    throw damaged(`the range ${json} of ${where}`);
  }
  const [first, last] = [parseAddress(firstText), parseAddress(lastText)];
  if (!("ok" in first) || !("ok" in last)) throw damaged(`the range ${json} of ${where}`);
  if (first.ok.family === 4 && last.ok.family === 4) return fromRanges([{ family: 4, first: first.ok.value, last: last.ok.value }]);
  if (first.ok.family === 6 && last.ok.family === 6) return fromRanges([{ family: 6, first: first.ok.value, last: last.ok.value }]);
  throw damaged(`the range ${json} of ${where}`);
}

function damaged(what: string): FirebreakError {
  return new FirebreakError("ADDRESS_INVALID", `read a stored membership: ${what} is damaged`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
