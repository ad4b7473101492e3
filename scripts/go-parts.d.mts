/** Types of go-parts.mjs, which is plain JavaScript because the set-up runs before anything is installed. */

export function buildGoParts(
  names: readonly string[],
): Promise<{ readonly missing: readonly string[]; readonly without: readonly string[] }>;
