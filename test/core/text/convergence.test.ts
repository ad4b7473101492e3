import { expect, test } from "vitest";
import type { StatusAnswer, TargetStatus } from "../../../core/api/shapes.ts";
import { convergenceOf } from "../../../core/text/convergence.ts";

const COMMIT = "a".repeat(40);

function answer(...targets: readonly Partial<TargetStatus>[]): StatusAnswer {
  const target: TargetStatus = {
    target: "cluster/a",
    state: "in sync",
    mode: "apply",
    revision: 7,
    wanted: 7,
    segments: 1,
    rules: 1,
    lastReadAt: null,
    openFindings: 0,
    wouldDeny: null,
    error: null,
    nextAttemptAt: null,
  };
  return {
    instance: "i",
    revision: { sequence: 7, commit: COMMIT, subject: "", acceptedAt: "", actor: "git" },
    repository: { head: COMMIT, fetchedAt: null, error: null, refused: null },
    targets: targets.map((change) => ({ ...target, ...change })),
    troubles: [],
    gaps: [],
    channels: [],
  };
}

// Bug: a target that nothing is written to, or that is gone from Git, is waited for for ever; one that is not reached is not waited for.
test.each([
  ["no target", [], "done"],
  ["all applied", [{}, {}], "done"],
  ["applied, and has drifted since", [{ state: "drifted" }], "done"],
  ["plan only", [{ mode: "plan", state: "plan only", revision: null, lastReadAt: "2026-11-01T00:00:00Z" }], "done"],
  // Bug: a service that has just started, and has looked at nothing, says that all is done.
  ["plan only, and nobody has looked", [{ mode: "plan", state: "plan only", revision: null, lastReadAt: null }], "waiting"],
  [
    "plan only, and cannot be reached",
    [{ mode: "plan", state: "unreachable", lastReadAt: null, error: { code: "HOST_UNREACHABLE", message: "" } }],
    "done",
  ],
  ["orphaned", [{ state: "orphaned", revision: 3, wanted: 3 }], "done"],
  ["nothing applied yet", [{}, { state: "pending", revision: null }], "waiting"],
  ["the revision before", [{ state: "pending", revision: 6 }], "waiting"],
  ["unreachable since before", [{ state: "unreachable", revision: 6 }], "waiting"],
  // The row of a target may be older than the row of the revision.
  ["in sync with the revision before", [{ revision: 6, wanted: 6 }], "waiting"],
] as const)("%s", (_name, targets, kind) => {
  expect(convergenceOf(answer(...targets), COMMIT).kind).toBe(kind);
});

// Bug: a thousand names in one line of a log.
test("names a few of the targets that are behind", () => {
  const many = Array.from({ length: 9 }, (_, index) => ({ target: `host/f/${index}`, revision: 6, state: "pending" }) as const);
  const reached = convergenceOf(answer(...many), COMMIT);
  expect(reached).toMatchObject({ kind: "waiting", why: expect.stringMatching(/host\/f\/4 \(pending\) and 4 more$/) as string });
});

// Bug: an empty service counts as converged; a refusal of another commit ends the wait.
test("without a revision, and beside the refusal of another commit, it waits", () => {
  expect(convergenceOf({ ...answer(), revision: null }, COMMIT)).toEqual({
    kind: "waiting",
    why: "no revision is in force, aaaaaaaaaa is not",
  });
  const refused = { commit: "b".repeat(40), code: "REVISION_INVALID", message: "no", notes: [] };
  const beside = { ...answer(), repository: { head: null, fetchedAt: null, error: null, refused } };
  expect(convergenceOf(beside, COMMIT).kind).toBe("done");
  expect(convergenceOf(beside, refused.commit)).toEqual({ kind: "refused", code: "REVISION_INVALID", message: "no" });
});

// Bug: "revision 6 is in force, aaaa is not" for ten minutes, while what it waits for is known: the log takes no entries.
test("a commit that waits says what keeps the service from working", () => {
  const error = { code: "AUDIT_UNAVAILABLE", message: "no answer within 3000 ms" };
  const troubles = [{ service: "syncer", since: "", error }];
  expect(convergenceOf({ ...answer(), troubles }, "b".repeat(40))).toMatchObject({
    kind: "waiting",
    why: expect.stringMatching(/bbbbbbbbbb is not; syncer: AUDIT_UNAVAILABLE: no answer within 3000 ms$/) as string,
  });
});
