/** Types of system.mjs, which is plain JavaScript because the set-up runs before anything is installed. */

/** Where a program is; undefined when it is nowhere. See system.mjs for the folders. */
export function findProgram(name: string): string | undefined;
export function provideSystemParts(jobs: readonly string[]): {
  readonly missing: readonly string[];
  readonly without: readonly string[];
};
