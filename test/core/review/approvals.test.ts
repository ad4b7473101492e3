import { describe, expect, it } from "vitest";
import { judgeApprovals, type Approval } from "../../../core/review/approvals.ts";
import { pullCheck, pullComment, type PullView } from "../../../core/text/pull.ts";
import { MAX_BODY } from "../../../core/forge/comment.ts";
import { parseCommands } from "../../../core/forge/command.ts";
import { HOSTILE } from "../../support/incidents.ts";

const given = (...names: readonly string[]): readonly Approval[] =>
  names.map((name) => {
    const [who = "", via = "review"] = name.split("/");
    return { who, via: via as Approval["via"], at: "2027-01-01T00:00:00.000Z" };
  });

/** Title → required, distinct, approvals, who made it, how many count. */
const CASES: Readonly<Record<string, readonly [number, boolean, readonly Approval[], readonly string[], number]>> = {
  nobody: [1, true, [], ["ann"], 0],
  "another one": [1, true, given("bob"), ["ann"], 1],
  "the author": [1, true, given("ann"), ["ann"], 0],
  "the author, in other letters": [1, true, given("Ann"), ["aNN"], 0],
  "the author, where that is enough": [1, false, given("ann"), ["ann"], 1],
  "who made one of the commits": [1, true, given("cob"), ["ann", "cob"], 0],
  "one person twice, by review and by comment": [2, true, given("bob", "Bob/comment"), ["ann"], 1],
  "two people": [2, true, given("bob", "cyd/comment"), ["ann"], 2],
  "a person and a token of the same name": [2, true, given("bob", "bob/token"), ["ann"], 2],
  "a token twice": [2, true, given("bob/token", "bob/token"), ["ann"], 1],
  "a token under two names: there is one token": [2, true, given("bob/token", "cyd/token"), ["ann"], 1],
  "a token named as the author": [1, true, given("ann/token"), ["ann"], 0],
};

describe("approvals", () => {
  // Would catch: a change that its author lets in alone.
  it.each(Object.entries(CASES))("%s", (_title, [required, distinctFromAuthor, approvals, makers, expected]) => {
    const state = judgeApprovals({ required, distinctFromAuthor }, approvals, { accounts: makers, unknown: 0 });
    expect([state.counted.length, state.isEnough]).toEqual([expected, expected >= required]);
  });

  // Would catch: somebody pushes a commit under a made-up address to a bot's pull request, and lets it in alone.
  it.each([
    [1, true, given("bob"), 2, false],
    [1, true, given("bob", "cyd"), 2, true],
    [0, true, given(), 0, true],
    // Who may approve his own work may do so under any name.
    [1, false, given("bob"), 1, true],
  ])("of %s, distinct %s, with a commit of nobody known: %j", (required, distinctFromAuthor, approvals, needed, isEnough) => {
    const state = judgeApprovals({ required, distinctFromAuthor }, approvals, { accounts: ["bot"], unknown: 1 });
    expect([state.required, state.isEnough]).toEqual([needed, isEnough]);
    const said = pullComment({ ...VIEW, approvals: state });
    expect(said.includes("knows no account")).toBe(needed > required);
  });
});

const VIEW: PullView = {
  reviewed: { kind: "conflict", paths: ["a.yaml"] },
  plan: "0123456789ab",
  binding: { head: "1".repeat(40), base: "2".repeat(40), live: "3" },
  stale: undefined,
  held: undefined,
  approvals: { required: 0, unknown: 0, counted: [], ownWork: [], isEnough: true },
  answers: [],
};

describe("the comment of a pull request", () => {
  it.each(HOSTILE)("obeys nothing that a stranger wrote, and holds no command of its own: %j", (text) => {
    const approvals = judgeApprovals({ required: 2, distinctFromAuthor: true }, given(text), { accounts: [], unknown: 0 });
    const view = { ...VIEW, held: { by: text, reason: text }, approvals, answers: [{ to: text, text: "done." }] };
    const body = pullComment(view);
    expect(parseCommands(body)).toEqual([]);
    // What is left without code spans and our own markup is ours.
    const bare = body.replaceAll(/`[^`\n]*`/g, "").replaceAll(/<\/?(?:details|summary)>/g, "");
    expect(bare).not.toMatch(/[@#<[|]|https?:|www\.|:tada:/);
    expect(pullCheck(view, "policies").title).not.toMatch(/[@#<`\n]/);
  });

  it("keeps its end, with the plan's id, however long the rest is, and closes what it cut", () => {
    const paths = Array.from({ length: 900 }, (_, index) => `${index}-${"x".repeat(280)}`);
    const note = (file: string) => ({ severity: "error", code: "x", at: { file, line: 1, column: 1 }, summary: file }) as const;
    const long = pullComment({ ...VIEW, reviewed: { kind: "invalid", notes: paths.map(note) } });
    expect(long.length).toBeLessThan(MAX_BODY);
    expect(long).toContain("firebreak approve 0123456789ab");
    expect(long.match(/<details>/g)?.length).toBe(long.match(/<\/details>/g)?.length);
  });

  it("says what stands in the way in this order: a hold, approvals; and red goes before yellow", () => {
    const lacking = judgeApprovals({ required: 2, distinctFromAuthor: true }, given("bob", "ann"), {
      accounts: ["ann"],
      unknown: 0,
    });
    const held = { by: "cyd", reason: "not today" };
    expect(
      pullComment({ ...VIEW, held, approvals: lacking })
        .split("\n\n")
        .slice(1, 3),
    ).toEqual([
      "**On hold** by `cyd`: `not today`. A merge does not come into force until the hold is lifted by `/firebreak approve 0123456789ab`.",
      "Approvals of this head: 1 of 2 (`bob`); `ann` made the change and does not count. Without them a merge does not come into force.",
    ]);
    expect(pullCheck({ ...VIEW, held, approvals: lacking }, "").state).toBe("failure");
    expect(pullCheck({ ...VIEW, approvals: lacking }, "").state).toBe("failure"); // it cannot be planned
    expect(pullComment({ ...VIEW, stale: "the head has moved" })).toContain("**Stale:** the head has moved.");
  });
});
