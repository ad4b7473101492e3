import type { CheckAnnotation } from "../forge/forge.ts";
import { hasErrors, type Note } from "../model/note.ts";
import { isOnlyUnseen } from "../revision/judge.ts";
import { isUncertain, type Review } from "./review.ts";

/** What came of looking at a change. */
export type Reviewed =
  | { readonly kind: "reviewed"; readonly review: Review }
  /** The definitions hold errors. */
  | { readonly kind: "invalid"; readonly notes: readonly Note[] }
  /** Both sides changed these files; the author has to update the branch. */
  | { readonly kind: "conflict"; readonly paths: readonly string[] }
  /** It cannot be planned as it stands, and why. */
  | { readonly kind: "unplannable"; readonly why: string };

/** `blocked`: it would be refused. `rules`: it changes how changes are judged. `uncertain`: it may do other than it says. */
export type Verdict = "blocked" | "rules" | "uncertain" | "fine";

/** What a check says of it. */
export function verdictOf(reviewed: Reviewed): Verdict {
  if (reviewed.kind !== "reviewed") return "blocked";
  const { review } = reviewed;
  const isUnseen = isOnlyUnseen(review.problems);
  if ((review.problems.length > 0 && !isUnseen) || hasErrors(review.notes)) return "blocked";
  if (review.safeguards.length > 0) return "rules";
  return isUnseen || isUncertain(review) ? "uncertain" : "fine";
}

const LEVEL = { error: "failure", warning: "warning", info: "notice" } as const;

/** Notes on the lines they are about. @param folder of the definitions inside the repository, "" for all of it */
export function annotationsOf(reviewed: Reviewed, folder: string): readonly CheckAnnotation[] {
  const prefix = folder.split("/").filter((part) => part !== "" && part !== ".");
  return notesIn(reviewed).flatMap(({ severity, code, at, summary, detail }) => {
    if (at === undefined) return [];
    const message = detail === undefined ? summary : `${summary}. ${detail}`;
    return [{ path: [...prefix, at.file].join("/"), line: at.line, level: LEVEL[severity], title: code, message }];
  });
}

/** All notes of it. */
export function notesIn(reviewed: Reviewed): readonly Note[] {
  if (reviewed.kind === "invalid") return reviewed.notes;
  return reviewed.kind === "reviewed" ? reviewed.review.notes : [];
}
