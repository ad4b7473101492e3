/**
 * Interval algebra on one number line, shared by addresses and ports.
 *
 * A set is the strictly increasing list of the points where membership flips: `[start, end, start, end, …]`, ends exclusive.
 *
 * ```
 *   flips  [2, 5, 9, 10]      0 1 2 3 4 5 6 7 8 9 10
 *                                 ■ ■ ■         ■
 * ```
 *
 * Ends being exclusive, no operation needs a successor, so one implementation serves `number` (IPv4, ports) and `bigint` (IPv6);
 * strictly increasing means disjoint, sorted and maximal, so equal sets have equal lists.
 */
export type Flips<V extends number | bigint> = readonly V[];

/** Half-open pairs in any order, overlapping or touching, as a canonical set. Pairs with `start >= end` are ignored. */
export function flipsFromPairs<V extends number | bigint>(pairs: readonly (readonly [V, V])[]): Flips<V> {
  const sorted = pairs.filter(([start, end]) => start < end).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const flips: V[] = [];
  for (const [start, end] of sorted) {
    const last = flips.length - 1;
    const reached = flips[last];
    if (reached === undefined || start > reached) flips.push(start, end);
    else if (end > reached) flips[last] = end;
  }
  return flips;
}

/**
 * The set of points for which `keep(in a, in b)` holds, in one linear merge.
 *
 * `keep(false, false)` must be false: what neither operand holds never enters the result.
 */
function combine<V extends number | bigint>(a: Flips<V>, b: Flips<V>, keep: (inA: boolean, inB: boolean) => boolean): Flips<V> {
  const flips: V[] = [];
  let i = 0;
  let j = 0;
  let inside = false;
  while (i < a.length || j < b.length) {
    const nextA = a[i];
    const nextB = b[j];
    const takeA = nextA !== undefined && (nextB === undefined || nextA <= nextB);
    const takeB = nextB !== undefined && (nextA === undefined || nextB <= nextA);
    const at = (takeA ? nextA : nextB) as V; // one of the two is taken, so it is defined
    if (takeA) i += 1;
    if (takeB) j += 1;
    const now = keep(i % 2 === 1, j % 2 === 1);
    if (now !== inside) flips.push(at);
    inside = now;
  }
  return flips;
}

/** Points in either. */
export function uniteFlips<V extends number | bigint>(a: Flips<V>, b: Flips<V>): Flips<V> {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return combine(a, b, (inA, inB) => inA || inB);
}

/** Points in both. */
export function intersectFlips<V extends number | bigint>(a: Flips<V>, b: Flips<V>): Flips<V> {
  if (a.length === 0 || b.length === 0) return [];
  return combine(a, b, (inA, inB) => inA && inB);
}

/** Points in the first and not in the second. */
export function subtractFlips<V extends number | bigint>(a: Flips<V>, b: Flips<V>): Flips<V> {
  if (a.length === 0 || b.length === 0) return a;
  return combine(a, b, (inA, inB) => inA && !inB);
}

/** Same points. */
export function equalFlips<V extends number | bigint>(a: Flips<V>, b: Flips<V>): boolean {
  return a === b || (a.length === b.length && a.every((point, index) => point === b[index]));
}

/** Index of the first flip greater than `point`; odd exactly when the point is inside. Binary search. */
export function flipsUpTo<V extends number | bigint>(flips: Flips<V>, point: V): number {
  let low = 0;
  let high = flips.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((flips[middle] as V) <= point) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** True when the point is inside. */
export function flipsContain<V extends number | bigint>(flips: Flips<V>, point: V): boolean {
  return flipsUpTo(flips, point) % 2 === 1;
}

/** The half-open pairs, ascending. */
export function pairsOf<V extends number | bigint>(flips: Flips<V>): readonly (readonly [V, V])[] {
  const pairs: (readonly [V, V])[] = [];
  for (let i = 0; i + 1 < flips.length; i += 2) pairs.push([flips[i] as V, flips[i + 1] as V]);
  return pairs;
}
