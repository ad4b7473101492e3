/** The checks see what they are for: each journal here holds one thing that must never be. */
import { describe, expect, it } from "vitest";
import type { StoredEntry } from "../../core/audit/entry.ts";
import { checkExits } from "./check-exits.ts";
import { checkAll } from "./checks.ts";
import { allows, FIRST_CHOICE, waysOf, type Way } from "./definitions.ts";
import type { Asked, Happened, Journal, Poll, Sample } from "./journal.ts";
import type { FaultEvent } from "./schedule.ts";

const ONE = "host/small/one";
const BETA_8003 = { from: "beta", to: "one", port: 8003 };
const ALPHA_8001 = { from: "alpha", to: "one", port: 8001 };

function way({ from, to, port }: Way): Way {
  return { from, to, port };
}

/** Samples each second for 20 s as the first commit says, but for the seconds given. */
function samples(of: Way, other: readonly number[] = []): [Way, readonly Sample[]] {
  const is = allows(FIRST_CHOICE, of, false);
  return [
    of,
    Array.from({ length: 20 }, (_, second) => ({ at: second * 1_000, tookMs: 1, isOpen: other.includes(second) ? !is : is })),
  ];
}

function happened(event: FaultEvent, at: number, over?: number): Happened {
  return { event, began: at, done: at + 10, logSize: 3, ...(over === undefined ? {} : { over }) };
}

/** As many fields as the checks read. The cast: entries of a real log have more. */
function entry(seq: number, fields: Record<string, unknown>): StoredEntry {
  return { seq, time: new Date(seq * 1_000 - 2_000).toISOString(), ...fields } as unknown as StoredEntry;
}

const FOUND = { fingerprint: "f", kind: "ruleset-changed" };
const QUIET: readonly StoredEntry[] = [
  entry(0, { type: "revision.accepted", commit: "first", revision: 1 }),
  entry(1, { type: "apply.intent", target: { id: ONE } }),
  entry(2, { type: "apply.outcome", target: { id: ONE }, outcome: "ok", revision: 1, causedBy: 1 }),
];
const TOLD: readonly StoredEntry[] = [
  entry(3, { type: "finding.opened", target: { id: ONE }, finding: FOUND }),
  entry(4, { type: "finding.resolved", target: { id: ONE }, finding: FOUND }),
];

function journal(changes: Partial<Journal> = {}, log: readonly StoredEntry[] = QUIET): Journal {
  return {
    schedule: { seed: 0, form: "embedded", hasCluster: false, events: [] },
    began: -10,
    ready: 0,
    lifted: 15_000,
    right: 18_000,
    wrong: [],
    happened: [],
    commits: [{ sha: "first", at: -10, choice: FIRST_CHOICE }],
    samples: new Map(waysOf(false).map((one) => samples(way(one)))),
    control: new Map(
      ["alpha", "beta"].map((from) => [
        from,
        Array.from({ length: 20 }, (_, second) => ({ at: second * 1_000, tookMs: 1, isOpen: true })),
      ]),
    ),
    polls: [],
    asked: [],
    entries: log.map((one) => ({ at: one.seq * 1_000 - 2_000, entry: one, isKept: true })),
    log,
    verdict: "verified",
    ended: [],
    exits: new Map([["up", "0"]]),
    outputs: new Map(),
    resources: [],
    left: [],
    ...changes,
  };
}

function rulesOf(given: Journal): readonly string[] {
  return [...new Set(checkAll(given).map(({ rule }) => rule))];
}

const INSERTED = happened({ kind: "tamper host", host: "one", how: "insert accept" }, 100);

describe("checks", () => {
  it("find nothing where all is well", () => {
    expect(checkAll(journal())).toEqual([]);
    const samplesOpened = new Map([samples(BETA_8003, [1, 2, 3])]);
    expect(checkAll(journal({ happened: [INSERTED], samples: samplesOpened }, [...QUIET, ...TOLD]))).toEqual([]);
  });

  it("see a way that is open although no definition allows it", () => {
    expect(rulesOf(journal({ samples: new Map([samples(BETA_8003, [7])]) }))).toEqual(["open without a reason"]);
  });

  it("see it open again after it was healed: a tampering explains one opening, not two", () => {
    const reopened = journal({ happened: [INSERTED], samples: new Map([samples(BETA_8003, [1, 2, 9])]) }, [...QUIET, ...TOLD]);
    expect(rulesOf(reopened)).toEqual(["open without a reason"]);
  });

  it("know what one tampering opens only because of another", () => {
    const policy = happened({ kind: "tamper host", host: "one", how: "policy accept" }, 700);
    const flushed = happened({ kind: "tamper host", host: "one", how: "flush rules" }, 500);
    const opened = { samples: new Map([samples(BETA_8003, [1])]) };
    const log = [...QUIET, ...TOLD];
    expect(rulesOf(journal({ ...opened, happened: [policy] }, log))).toEqual(["open without a reason"]);
    expect(rulesOf(journal({ ...opened, happened: [flushed, policy] }, log))).toEqual([]);
  });

  it("take a cable that is out for what it is: what was opened before and is open after it is one opening", () => {
    const opened = { samples: new Map([samples(BETA_8003, [1, 2, 6, 7])]) };
    const log = [...QUIET, ...TOLD];
    expect(rulesOf(journal({ ...opened, happened: [INSERTED] }, log))).toEqual(["open without a reason"]);
    const out = happened({ kind: "away", what: "cable one", forMs: 2_500 }, 2_500, 5_000);
    expect(rulesOf(journal({ ...opened, happened: [INSERTED, out] }, log))).toEqual([]);
  });

  it("see a way cut that old and new definitions allow, unless the machine was busy", () => {
    const cut = { samples: new Map([samples(ALPHA_8001, [7])]) };
    expect(rulesOf(journal(cut))).toEqual(["cut without a reason"]);
    const busy = new Map([["alpha", [{ at: 7_000, tookMs: 900, isOpen: true }]]]);
    expect(rulesOf(journal({ ...cut, control: busy }))).toEqual([]);
  });

  it("see a tampering that no finding tells of, one that is never resolved, and a finding that nobody caused", () => {
    expect(rulesOf(journal({ happened: [INSERTED] }))).toEqual(["tampering not told"]);
    expect(rulesOf(journal({ happened: [INSERTED] }, [...QUIET, ...TOLD.slice(0, 1)]))).toEqual(["finding never resolved"]);
    expect(rulesOf(journal({}, [...QUIET, ...TOLD]))).toEqual(["finding that nobody caused"]);
  });

  it("see a finding opened twice", () => {
    const again = entry(4, { type: "finding.opened", target: { id: ONE }, finding: FOUND });
    const resolved = entry(5, { type: "finding.resolved", target: { id: ONE }, finding: FOUND });
    expect(rulesOf(journal({ happened: [INSERTED] }, [...QUIET, TOLD[0]!, again, resolved]))).toEqual(["finding opened twice"]);
  });

  it("see an intent without an outcome, and an older revision after a newer one", () => {
    const alone = entry(3, { type: "apply.intent", target: { id: ONE } });
    expect(rulesOf(journal({}, [...QUIET, alone]))).toEqual(["intent without its outcome"]);
    const older = [
      entry(3, { type: "apply.intent", target: { id: ONE } }),
      entry(4, { type: "apply.outcome", target: { id: ONE }, outcome: "ok", revision: 0, causedBy: 3 }),
    ];
    expect(rulesOf(journal({}, [...QUIET, ...older]))).toEqual(["older after newer"]);
  });

  it("see a log that is not what it was", () => {
    const changed = QUIET.map((one) =>
      one.seq === 1 ? entry(1, { type: "apply.intent", target: { id: "host/small/two" } }) : one,
    );
    expect(rulesOf(journal({ log: changed }))).toEqual(["log was rewritten"]);
    expect(rulesOf(journal({ verdict: "rejected" }))).toEqual(["log not verified"]);
  });

  it("see a process that calls itself ready while the disk of its log is full", () => {
    const full = happened({ kind: "disk", how: "full", forMs: 9_000 }, 1_000, 10_000);
    const poll: Poll = { part: "up", at: 8_000, tookMs: 5, ready: { code: 200, text: "ok" }, status: undefined };
    const away: Poll = { ...poll, ready: { code: 503, text: "the log is away" } };
    expect(rulesOf(journal({ happened: [full], polls: [poll] }))).toEqual(["ready without what it needs"]);
    // The shorter of two faults that overlap gives back what both took away.
    const shorter = happened({ kind: "disk", how: "full", forMs: 2_000 }, 4_000, 6_000);
    expect(rulesOf(journal({ happened: [full, shorter], polls: [poll] }))).toEqual([]);
    expect(rulesOf(journal({ happened: [full], polls: [away] }))).toEqual([]);
    const beingFreed = { ...full, lifting: 7_000 }; // whoever frees it is not done yet
    expect(rulesOf(journal({ happened: [beingFreed], polls: [poll] }))).toEqual([]);
  });

  it("see a process that ended, a mistake that nobody handled, what grows and what is left", () => {
    const resources = [
      {
        part: "up" as const,
        before: { rssMb: 100, descriptors: 40, children: 1 },
        after: { rssMb: 100, descriptors: 400, children: 1 },
      },
    ];
    const given = journal({
      ended: [{ at: 5_000, part: "up", how: "1", afterMs: 60_000 }],
      exits: new Map([["up", "SIGKILL"]]),
      outputs: new Map([["up", "{}\nnode: Uncaught Error: no\n"]]),
      resources,
      left: ["one: sleep 20"],
    });
    expect(rulesOf(given)).toEqual([
      "a process ended by itself",
      "not stopped cleanly",
      "an unhandled mistake",
      "grows",
      "left behind",
    ]);
  });

  it("see an exit code that is no truth", () => {
    const calm = { repository: { refused: null }, targets: [{ state: "in sync", openFindings: 0 }], troubles: [] };
    // The cast: as many fields as the check reads.
    const asked = (at: number, code: number | null, answer: unknown): Asked =>
      ({ at, tookMs: 500, code, answer, words: "" }) as unknown as Asked;
    const rules = (one: Asked, more: Partial<Journal> = {}, log = QUIET): readonly string[] =>
      checkExits(journal({ asked: [one], ...more }, log)).map(({ rule }) => rule);
    expect(rules(asked(9_000, 0, calm))).toEqual([]);
    expect(rules(asked(9_000, 2, calm))).toEqual(["exit code"]);
    expect(rules(asked(9_000, 0, { ...calm, troubles: [{}] }))).toEqual(["exit code"]);
    expect(rules(asked(9_000, 0, calm), {}, [...QUIET, ...TOLD.slice(0, 1)])).toEqual(["exit code"]);
    // Over before it was asked, which the log was told only later.
    const late = [TOLD[0]!, { ...TOLD[1]!, time: new Date(9_200).toISOString() }];
    expect(rules(asked(9_000, 0, calm), {}, [...QUIET, ...late])).toEqual([]);
    expect(rules(asked(9_000, 1, undefined))).toEqual([]);
    const answered = [{ part: "up", at: 9_100, tookMs: 10, ready: { code: 200, text: "" }, status: calm }] as unknown as Poll[];
    expect(rules(asked(9_000, 1, undefined), { polls: answered })).toEqual(["exit code"]);
    expect(rules(asked(9_000, null, undefined))).toEqual(["exit code"]);
    const killed = happened({ kind: "kill", part: "up", forMs: 5_000 }, 8_000, 13_000);
    expect(rules(asked(9_000, 0, calm), { happened: [killed] })).toEqual(["exit code"]);
    // Killed while it was paused, and started anew: it runs before the pause would have been over.
    const paused = happened({ kind: "pause", part: "up", forMs: 9_000 }, 6_000, 15_000);
    const again = happened({ kind: "kill", part: "up", forMs: 500 }, 7_000, 7_500);
    expect(rules(asked(9_000, 0, calm), { happened: [paused] })).toEqual(["exit code"]);
    expect(rules(asked(9_000, 0, calm), { happened: [paused, again] })).toEqual([]);
  });
});
