/** Types of left-out.mjs, which shares plain JavaScript with the set-up. */

/** One line for each reason to leave the tests on real parts out; empty when everything runs. */
export function leftOut(): readonly string[];
export default function sayWhatIsLeftOut(): (() => void) | undefined;
