/** The heap in use after a collection. */

/** Bytes; needs `--expose-gc`, without it what has not been collected yet counts too. */
export function heapInUse(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
