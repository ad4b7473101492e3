import { FirebreakError } from "../ground/error.ts";
import type { Mark } from "./mark.ts";

const INSTANCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const DIGEST = /^[0-9a-f]{16}$/;
const COMMENT = /^firebreak ([A-Za-z0-9][A-Za-z0-9._-]{0,63}) ([0-9]{1,15}) ([0-9a-f]{16})$/;

/** The mark as a rule comment, at most 108 of the 128 characters that the kernel keeps. Throws PLAN_INVARIANT_BROKEN. */
export function formatMarkComment(mark: Mark): string {
  const isSound =
    INSTANCE.test(mark.instance) && DIGEST.test(mark.digest) && Number.isSafeInteger(mark.sequence) && mark.sequence >= 0;
  if (!isSound) throw new FirebreakError("PLAN_INVARIANT_BROKEN", `write the mark ${JSON.stringify(mark)} as a comment`);
  return `firebreak ${mark.instance} ${mark.sequence} ${mark.digest}`;
}

/** The mark in a comment, or undefined when it is none of ours. */
export function parseMarkComment(comment: string): Mark | undefined {
  const [, instance, sequence, digest] = COMMENT.exec(comment) ?? [];
  if (instance === undefined || sequence === undefined || digest === undefined) return undefined;
  return { instance, sequence: Number(sequence), digest };
}
