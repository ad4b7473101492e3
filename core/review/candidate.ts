import type { Definitions } from "../model/kinds.ts";
import { parseDefinitions, type Allow } from "../model/parse.ts";
import type { SourceFile } from "../model/source.ts";
import { mergeFiles } from "./merge.ts";
import type { Reviewed } from "./reviewed.ts";
import { reviewOf, type ReviewInput } from "./review.ts";

/** A change as Git has it: files of the definitions folder, and what they are compared with. */
export interface Candidate extends Omit<ReviewInput, "after" | "notes" | "before"> {
  /** At the commit that the change parted from the branch at, at the branch's head, and at the change's. */
  readonly common: readonly SourceFile[];
  readonly base: readonly SourceFile[];
  readonly head: readonly SourceFile[];
  /** What definitions may name; undefined: anything. */
  readonly allow: Allow | undefined;
  /** What it is compared with: the definitions in force; undefined before the first revision. */
  readonly before: Definitions | undefined;
}

/** Merges a change in thought, parses what comes out, and reviews it. Nothing of it is run. */
export function reviewCandidate(candidate: Candidate): Reviewed {
  const { common, base, head, allow, ...rest } = candidate;
  const merged = mergeFiles(common, base, head);
  if (merged.kind === "conflict") return merged;
  const { definitions, notes } = parseDefinitions(merged.files, { allow });
  if (definitions === undefined) return { kind: "invalid", notes };
  return { kind: "reviewed", review: reviewOf({ ...rest, after: definitions, notes }) };
}
