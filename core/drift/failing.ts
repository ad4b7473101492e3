import { isForbidden, isNotUnderstood } from "./state.ts";

/** How a look failed, as people are told it. */
export type FailedAs = "unreachable" | "forbidden" | "not-understood";

/** Looks at one target that failed one after another. */
export interface Failing {
  readonly looks: number;
  /** How the last ones failed, and how many of them in the same way. */
  readonly as: FailedAs;
  readonly alike: number;
  /** What people are told; undefined: nothing yet. */
  readonly told: FailedAs | undefined;
}

/** Looks that must fail alike before people are told: a moment is nobody's alarm. */
const ALIKE = 2;
/** Looks that fail in ever other ways are told all the same. */
const ANYHOW = 4;

/**
 * One more look that failed. What is told changes when the new way lasts: an API server that has just started refuses everybody until it
 * has read its roles, and that is no lack of rights.
 */
export function failedAgain(before: Failing | undefined, error: { readonly code: string }): Failing {
  const as = isForbidden(error) ? "forbidden" : isNotUnderstood(error) ? "not-understood" : "unreachable";
  const looks = (before?.looks ?? 0) + 1;
  const alike = before?.as === as ? before.alike + 1 : 1;
  const told = alike >= ALIKE ? as : (before?.told ?? (looks >= ANYHOW ? as : undefined));
  return { looks, as, alike, told };
}
