import type { AddressSet } from "../address/index.ts";

/** A set in which each of these addresses, all distinct, is in exactly when it was not. */
export function toggleSingles(set: AddressSet, values: readonly (number | bigint)[]): AddressSet {
  const v4 = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  const v6 = values.filter((value) => typeof value === "bigint").sort((a, b) => (a < b ? -1 : 1));
  return {
    v4:
      v4.length === 0
        ? set.v4
        : toggle(
            set.v4,
            borders(v4, (value) => value + 1),
          ),
    v6:
      v6.length === 0
        ? set.v6
        : toggle(
            set.v6,
            borders(v6, (value) => value + 1n),
          ),
  };
}

/** Up to so many points it is cheaper to move the rest of a long list than to write it anew. */
const FEW = 8;

/**
 * Flip points are where membership changes (`core/address/intervals.ts`), so turning a range around is the symmetric difference with
 * its two ends, whatever stood there.
 */
function toggle<V extends number | bigint>(flips: readonly V[], points: readonly V[]): readonly V[] {
  return points.length <= FEW ? toggleFew(flips, points) : toggleMany(flips, points);
}

function toggleFew<V extends number | bigint>(flips: readonly V[], points: readonly V[]): readonly V[] {
  const result = flips.slice();
  for (const point of points) {
    const index = lowerBound(result, point);
    if (result[index] === point) result.splice(index, 1);
    else result.splice(index, 0, point);
  }
  return result;
}

function toggleMany<V extends number | bigint>(flips: readonly V[], points: readonly V[]): readonly V[] {
  const result: V[] = [];
  let next = 0;
  for (const point of points) {
    let flip = flips[next];
    while (flip !== undefined && flip < point) {
      result.push(flip);
      next += 1;
      flip = flips[next];
    }
    if (flip === point) next += 1;
    else result.push(point);
  }
  for (; next < flips.length; next += 1) result.push(flips[next] as V); // within bounds
  return result;
}

/** Both ends of each address; neighbours share a border, which then is none. */
function borders<V extends number | bigint>(sorted: readonly V[], after: (value: V) => V): readonly V[] {
  const points: V[] = [];
  for (const value of sorted) {
    if (points.at(-1) === value) points.pop();
    else points.push(value);
    points.push(after(value));
  }
  return points;
}

function lowerBound<V extends number | bigint>(sorted: readonly V[], point: V): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as V) < point) low = middle + 1;
    else high = middle;
  }
  return low;
}
