import { describe, expect, it } from "vitest";
import type { Definitions } from "../../../core/model/kinds.ts";
import type { Note } from "../../../core/model/note.ts";
import { judgeRevision, type Candidate, type RevisionProblem } from "../../../core/revision/judge.ts";

const definitions = { marker: "definitions" } as unknown as Definitions; // only handed through
const EMPTIES: RevisionProblem = { code: "REVISION_EMPTIES", message: "All segments are gone." };
const LIMIT: RevisionProblem = { code: "LIMIT_EXCEEDED", message: "3 workloads would be isolated no more." };
const COMMIT = "4f2a9c1e0d3b5a69784f2a9c1e0d3b5a69784f2a";

function note(severity: Note["severity"]): Note {
  return { severity, summary: "said" } as Note;
}

function candidate(over: Partial<Candidate>): Candidate {
  return { commit: COMMIT, definitions, notes: [], descends: true, problems: [], acceptedBy: undefined, ...over };
}

describe("a candidate", () => {
  it.each<readonly [string, Partial<Candidate>, readonly RevisionProblem["code"][]]>([
    ["with an error", { notes: [note("error")] }, ["REVISION_INVALID"]],
    ["with an error, accepted by a person", { notes: [note("error")], acceptedBy: "ann" }, ["REVISION_INVALID"]],
    ["without definitions and without notes", { definitions: undefined }, ["REVISION_INVALID"]],
    ["without definitions, accepted by a person", { definitions: undefined, acceptedBy: "ann" }, ["REVISION_INVALID"]],
    ["with an error that also empties", { notes: [note("error")], problems: [EMPTIES] }, ["REVISION_INVALID"]],
    ["on a rewritten branch", { descends: false }, ["GIT_BRANCH_REWRITTEN"]],
    ["that empties", { problems: [EMPTIES] }, ["REVISION_EMPTIES"]],
    [
      "with every problem",
      { descends: false, problems: [EMPTIES, LIMIT] },
      ["GIT_BRANCH_REWRITTEN", "REVISION_EMPTIES", "LIMIT_EXCEEDED"],
    ],
  ])("%s is refused", (_what, over, codes) => {
    const judgement = judgeRevision(candidate(over));
    expect(judgement.kind).toBe("refuse");
    if (judgement.kind === "refuse") expect(judgement.problems.map(({ code }) => code)).toEqual(codes);
  });

  it.each<readonly [string, Partial<Candidate>, number]>([
    ["that is clean", {}, 0],
    ["with warnings", { notes: [note("warning"), note("info")] }, 0],
    ["that is clean, accepted without need", { acceptedBy: "ann" }, 0],
    ["on a rewritten branch, accepted by a person", { descends: false, acceptedBy: "ann" }, 1],
    ["with every problem, accepted by a person", { descends: false, problems: [EMPTIES, LIMIT], acceptedBy: "ann" }, 3],
  ])("%s is accepted, and what was overridden is kept for the log", (_what, over, overridden) => {
    const judgement = judgeRevision(candidate(over));
    expect(judgement).toMatchObject({ kind: "accept", definitions });
    if (judgement.kind === "accept") expect(judgement.overridden.length).toBe(overridden);
  });

  it("is told what to do, with the whole commit to accept", () => {
    const judgement = judgeRevision(candidate({ descends: false }));
    if (judgement.kind === "refuse") expect(judgement.problems[0]?.message).toContain(`firebreak accept ${COMMIT}`);
    const invalid = judgeRevision(candidate({ notes: [note("error"), note("error"), note("warning")] }));
    if (invalid.kind === "refuse") expect(invalid.problems[0]?.message).toMatch(/^2 errors /);
    expect([judgement.kind, invalid.kind]).toEqual(["refuse", "refuse"]);
  });
});
