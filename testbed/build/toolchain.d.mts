/** Types of toolchain.mjs. */

/** The oldest Go that builds every part. */
export const MINIMUM_GO: string;
/** True when dotted version `a` is the same as or newer than `b`. */
export function isAtLeast(a: string, b: string): boolean;
