import type { ErrorCode } from "../ground/error.ts";
import type { Definitions } from "../model/kinds.ts";
import { hasErrors, type Note } from "../model/note.ts";

/** Why a candidate may not become the revision in force. */
export interface RevisionProblem {
  readonly code: Extract<
    ErrorCode,
    | "REVISION_INVALID"
    | "REVISION_EMPTIES"
    | "REVISION_UNAPPROVED"
    | "LIMIT_EXCEEDED"
    | "GUARDRAIL_UNDECIDED"
    | "GUARDRAIL_UNSEEN"
    | "GUARDRAIL_VIOLATED"
    | "GIT_BRANCH_REWRITTEN"
  >;
  /** What is wrong and what to do, one or two sentences. */
  readonly message: string;
}

export type Judgement =
  | {
      readonly kind: "accept";
      readonly definitions: Definitions;
      readonly notes: readonly Note[];
      readonly overridden: readonly RevisionProblem[];
    }
  /** Nothing is wrong that is known, and not everything is known: it is judged again when it is. */
  | { readonly kind: "wait"; readonly problems: readonly RevisionProblem[]; readonly notes: readonly Note[] }
  | { readonly kind: "refuse"; readonly problems: readonly RevisionProblem[]; readonly notes: readonly Note[] };

export interface Candidate {
  readonly commit: string;
  readonly definitions: Definitions | undefined;
  readonly notes: readonly Note[];
  /** False when the branch was rewritten: the revision in force is no ancestor. True for the first revision. */
  readonly descends: boolean;
  /** What the candidate would empty, un-isolate (`checkRevision`) or open against a guardrail (`guardrailProblems`), judged by the revision in force. */
  readonly problems: readonly RevisionProblem[];
  /** Who said `firebreak accept` for exactly this commit; undefined: nobody. */
  readonly acceptedBy: string | undefined;
}

/**
 * Decides whether a candidate becomes the revision in force.
 *
 * An invalid one never does. One that cannot be decided yet waits, unless it is refused for something else. One that empties, passes a limit, breaks a guardrail or rewrites history does only when a person accepted exactly this
 * commit (docs/design/contracts.md "Absence never opens").
 */
export function judgeRevision(candidate: Candidate): Judgement {
  const { definitions, notes } = candidate;
  if (definitions === undefined || hasErrors(notes)) {
    const count = notes.filter((note) => note.severity === "error").length;
    const message = `${count} error${count === 1 ? "" : "s"} in the definitions. Mend them in a new commit; the revision in force stays.`;
    return { kind: "refuse", problems: [{ code: "REVISION_INVALID", message }], notes };
  }
  const problems = [...(candidate.descends ? [] : [rewritten(candidate.commit)]), ...candidate.problems];
  if (problems.length > 0 && candidate.acceptedBy === undefined)
    return { kind: isOnlyUnseen(problems) ? "wait" : "refuse", problems, notes };
  return { kind: "accept", definitions, notes, overridden: problems };
}

/** True when nobody knows of anything wrong, but of something that cannot be decided yet. */
export function isOnlyUnseen(problems: readonly RevisionProblem[]): boolean {
  return problems.length > 0 && problems.every(({ code }) => code === "GUARDRAIL_UNSEEN");
}

function rewritten(commit: string): RevisionProblem {
  return {
    code: "GIT_BRANCH_REWRITTEN",
    message: `The branch was rewritten: the revision in force is no ancestor of ${commit}. Restore it, or run: firebreak accept ${commit}`,
  };
}
