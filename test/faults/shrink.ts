/** Finds the shortest part of a failing list that still fails (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input"). */

/**
 * Leaves out ever smaller pieces as long as what is left still fails, until no single one can be left out or `fails` was asked `most`
 * times.
 *
 * @param fails whether a part fails, as the whole list does
 */
export async function shrink<T>(
  whole: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
  most: number,
): Promise<readonly T[]> {
  let failing = whole;
  let pieces = 2;
  let asked = 0;
  while (failing.length > 1 && asked < most) {
    const size = Math.ceil(failing.length / pieces);
    let shorter: readonly T[] | undefined;
    for (let from = 0; from < failing.length && asked < most; from += size) {
      const rest = [...failing.slice(0, from), ...failing.slice(from + size)];
      asked += 1;
      if (!(await fails(rest))) continue;
      shorter = rest;
      break;
    }
    if (shorter !== undefined) {
      failing = shorter;
      pieces = Math.max(2, pieces - 1);
    } else if (size === 1) break;
    else pieces = Math.min(failing.length, pieces * 2);
  }
  return failing;
}
