/** How figures are computed and printed: one line each, what was measured on the left, the figure on the right. */

/** The p-th percentile (nearest rank) of some values; NaN for none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle of some values, the upper one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Milliseconds that the work took, and what it gave. */
export async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

/** The median time of a pure computation over `runs` runs, ms, and what the last one gave. */
export function medianTime<T>(runs: number, work: () => T): { readonly ms: number; readonly result: T } {
  const times: number[] = [];
  let result: T | undefined;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    result = work();
    times.push(performance.now() - start);
  }
  return { ms: median(times), result: result as T }; // the cast: runs is at least 1
}

/** 950 ms · 1.23 s · 12.3 s */
export function formatMs(ms: number): string {
  if (Number.isNaN(ms)) return "none";
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** 12.3 MB, of 10^6 bytes. */
export function formatBytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;
}

/** `median … · p99 … · n=…`, for times in ms. */
export function formatTimes(times: readonly number[]): string {
  return `median ${formatMs(median(times))} · p99 ${formatMs(percentile(times, 99))} · max ${formatMs(Math.max(...times))} · n=${times.length}`;
}

/** "31×": how many times longer the peer took. */
export function formatRatio(peer: number, ours: number): string {
  const ratio = peer / ours;
  return `${ratio.toFixed(ratio < 10 ? 1 : 0)}×`;
}

/** The title of a section, and how its figures were measured. */
export function printTitle(title: string, how: readonly string[] = []): void {
  console.log(`\n${title}`);
  for (const line of how) console.log(`  (${line})`);
}

/** One figure. */
export function printFigure(what: string, figure: string): void {
  console.log(`  ${what.padEnd(66)} ${figure}`);
}
