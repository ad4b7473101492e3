import type { AddressSet } from "../address/index.ts";
import type { Memberships } from "./membership.ts";
import { sha256Hex } from "./hash.ts";
import { compareText } from "./order.ts";

/** Digest over the sets of one membership, 64 hex characters. It hashes the flip points, which are canonical and cheap to write. */
export function membershipDigest(segments: ReadonlyMap<string, AddressSet>): string {
  const lines = [...segments].sort(([a], [b]) => compareText(a, b)).map(([name, set]) => `${name}\n${textOf(set)}\n`);
  return sha256Hex(lines.join(""));
}

/** Sets are never changed once made, and from one membership to the next most stay: what they say is written once. */
const texts = new WeakMap<AddressSet, string>();

function textOf(set: AddressSet): string {
  const known = texts.get(set);
  if (known !== undefined) return known;
  const text = `${set.v4.join()}\n${set.v6.join()}`;
  texts.set(set, text);
  return text;
}

/** One digest over the memberships of all feeding targets, 64 hex characters. */
export function membershipsDigest(memberships: Memberships): string {
  const lines = [...memberships.values()].map((membership) => `${membership.target} ${membership.digest}\n`).sort(compareText);
  return sha256Hex(lines.join(""));
}
