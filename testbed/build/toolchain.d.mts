/** Types of toolchain.mjs. */

/** The oldest Go that builds every part. */
export const MINIMUM_GO: string;
/** True when dotted version `a` is the same as or newer than `b`. */
export function isAtLeast(a: string, b: string): boolean;
/** A Go that is there, or the official archive unpacked into the cache. */
export function findGo(options: {
  readonly cache: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}): Promise<
  { readonly go: string; readonly version: string; readonly env: Readonly<Record<string, string>> } | { readonly missing: string }
>;
