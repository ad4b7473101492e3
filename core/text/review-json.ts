import { formatPosition, type Note } from "../model/note.ts";
import { verdictOf, type Reviewed } from "../review/reviewed.ts";
import { diffAnswer } from "./diff.ts";

/** A review as plain JSON: a stable contract. */
export function reviewAnswer(reviewed: Reviewed): unknown {
  const verdict = verdictOf(reviewed);
  switch (reviewed.kind) {
    case "reviewed": {
      const { visibility, diff, safeguards, enforceable, problems, notes, touched, expires } = reviewed.review;
      return {
        kind: reviewed.kind,
        verdict,
        visibility,
        diff: diffAnswer(diff),
        safeguards,
        enforceable: enforceable === undefined ? null : diffAnswer(enforceable),
        problems: problems.map(({ code, message }) => ({ code, message })),
        targets: touched.targets,
        expires: expires.map(({ policy, at, was }) => ({ policy, at: timeOf(at), was: timeOf(was) })),
        notes: notes.map(noteAnswer),
      };
    }
    case "invalid":
      return { kind: reviewed.kind, verdict, notes: reviewed.notes.map(noteAnswer) };
    case "conflict":
      return { kind: reviewed.kind, verdict, paths: reviewed.paths };
    case "unplannable":
      return { kind: reviewed.kind, verdict, why: reviewed.why };
    default:
      return reviewed satisfies never;
  }
}

/** ISO 8601; null: never. */
function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function noteAnswer({ severity, code, at, summary, detail }: Note): unknown {
  return { severity, code, at: at === undefined ? null : formatPosition(at), summary, detail: detail ?? null };
}
