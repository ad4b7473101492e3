import fc from "fast-check";
import { fromRanges } from "../../../core/address/index.ts";
import type { AddressRange, AddressSet } from "../../../core/address/index.ts";

/** Ranges near the interesting places: both ends of a family and a crowded middle, so that they touch and overlap. */
export function rangeArbitrary(): fc.Arbitrary<AddressRange> {
  const v4 = fc.constantFrom(0, 1, 2, 7, 8, 10, 15, 16, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1);
  const v6 = v4.map((value) => (value < 2 ** 31 ? BigInt(value) : (1n << 128n) - BigInt(2 ** 32 - value)));
  return fc.oneof(
    fc.tuple(v4, v4).map(([a, b]): AddressRange => ({ family: 4, first: Math.min(a, b), last: Math.max(a, b) })),
    fc.tuple(v6, v6).map(([a, b]): AddressRange => ({ family: 6, first: a < b ? a : b, last: a < b ? b : a })),
  );
}

/** Sets of a few ranges of both families. */
export function setArbitrary(): fc.Arbitrary<AddressSet> {
  return fc.array(rangeArbitrary(), { maxLength: 5 }).map((ranges) => fromRanges(ranges));
}
