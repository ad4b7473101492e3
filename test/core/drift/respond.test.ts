import { describe, expect, it } from "vitest";
import {
  decideResponse,
  FIGHT_HEALS,
  FIGHT_WINDOW_MS,
  isFight,
  outletsOf,
  responsesFor,
  type Outlets,
  type Response,
} from "../../../core/drift/respond.ts";
import type { Finding } from "../../../core/finding/finding.ts";
import type { Cluster, DriftResponse, Workspace } from "../../../core/model/kinds.ts";
import type { Target } from "../../../core/model/target.ts";
import { defaultWorkspace } from "../../../core/model/parse/normalise.ts";
import { cluster } from "../../support/definitions.ts";
import { incident } from "../../support/incidents.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");

function workspace(listed: readonly DriftResponse[], overrides: Workspace["drift"]["overrides"] = []): Workspace {
  return { ...defaultWorkspace(), drift: { default: listed, overrides } };
}

function target(over: Partial<Cluster> = {}): Target {
  const made = cluster("eu", over);
  return { kind: "cluster", id: "cluster/eu", labels: made.labels, mode: made.mode, cluster: made };
}

function hostTarget(): Target {
  const host = { name: "h", addresses: ["10.0.0.1"], labels: { env: "prod" }, at: { file: "a", line: 1, column: 1 } };
  // The cast: the fleet's other fields do not take part in the decision.
  return { kind: "host", id: "host/f/h", labels: host.labels, mode: "apply", fleet: { name: "f" }, host } as unknown as Target;
}

interface Case {
  readonly what: string;
  readonly finding?: Partial<Finding>;
  readonly listed?: readonly DriftResponse[];
  readonly target?: Target | undefined;
  readonly heals?: readonly number[];
  readonly want: Partial<Response>;
  readonly told?: Partial<Outlets>;
}

const ours = { healable: true, foreign: false };
const foreign = { healable: true, foreign: true };
/** Oldest first, the newest just now. */
const fiveHeals = [5, 4, 3, 2, 0].map((minute) => NOW - minute * 60_000);

const CASES: readonly Case[] = [
  // An object of ours that is wider is healed whatever is listed.
  {
    what: "wider, everything listed",
    finding: { ...ours, widens: true },
    listed: ["heal", "alert", "issue"],
    want: { heal: true },
    told: { alert: true, issue: true },
  },
  {
    what: "wider, nothing listed",
    finding: { ...ours, widens: true },
    listed: [],
    want: { heal: true },
    told: { alert: false, issue: false },
  },
  {
    what: "wider, only told",
    finding: { ...ours, widens: true },
    listed: ["issue"],
    want: { heal: true },
    told: { alert: false, issue: true },
  },
  // What only closes is healed when that is asked for.
  { what: "narrower, heal listed", finding: { ...ours, widens: false }, listed: ["heal"], want: { heal: true } },
  {
    what: "narrower, heal not listed",
    finding: { ...ours, widens: false },
    listed: ["alert"],
    want: { heal: false, notHealedBecause: "not asked for" },
    told: { alert: true },
  },
  // `propose` asks people and leaves nothing open by itself.
  {
    what: "wider, only proposed",
    finding: { ...ours, widens: true },
    listed: ["propose"],
    want: { heal: true, notHealedBecause: undefined },
    told: { propose: true },
  },
  {
    what: "narrower, only proposed, stays until somebody decides",
    finding: { ...ours, widens: false },
    listed: ["alert", "propose"],
    want: { heal: false, notHealedBecause: "not asked for" },
    told: { propose: true },
  },
  {
    what: "narrower, proposed and healed",
    finding: { ...ours, widens: false },
    listed: ["heal", "propose"],
    want: { heal: true },
    told: { propose: true },
  },
  { what: "not proposed", finding: { ...ours, widens: true }, listed: ["heal", "alert"], want: {}, told: { propose: false } },
  // `hold` is the one word that leaves open what somebody opened.
  {
    what: "wider, held",
    finding: { ...ours, widens: true },
    listed: ["alert", "hold"],
    want: { heal: false, notHealedBecause: "held" },
    told: { alert: true },
  },
  {
    what: "wider, held, although heal is listed",
    finding: { ...ours, widens: true },
    listed: ["heal", "propose", "hold"],
    want: { heal: false, notHealedBecause: "held" },
    told: { propose: true },
  },
  {
    what: "wider, held, many repairs behind it",
    finding: { ...ours, widens: true },
    listed: ["heal", "hold"],
    heals: fiveHeals,
    want: { heal: false, notHealedBecause: "held" },
  },
  {
    what: "narrower, held and healed: hold is about what opens",
    finding: { ...ours, widens: false },
    listed: ["heal", "hold"],
    want: { heal: true, notHealedBecause: undefined },
  },
  {
    what: "narrower, held alone",
    finding: { ...ours, widens: false },
    listed: ["alert", "hold"],
    want: { heal: false, notHealedBecause: "not asked for" },
  },
  {
    what: "foreign, removed elsewhere, held here",
    finding: { ...foreign, widens: true },
    listed: ["alert", "hold"],
    target: target({ foreign: "remove" }),
    want: { heal: false, notHealedBecause: "held" },
  },
  {
    what: "plan only, held",
    finding: { ...ours, widens: true },
    listed: ["hold"],
    target: target({ mode: "plan" }),
    want: { heal: false, notHealedBecause: "plan only" },
  },
  {
    what: "orphan, held",
    finding: { ...ours, widens: true },
    listed: ["alert", "hold"],
    target: undefined,
    want: { heal: false, notHealedBecause: "held" },
  },
  // What an apply cannot mend is told.
  {
    what: "not healable",
    finding: { healable: false, widens: true },
    listed: ["heal", "alert"],
    want: { heal: false, notHealedBecause: undefined },
    told: { alert: true },
  },
  {
    what: "not healable, many repairs behind it",
    finding: { healable: false, widens: true },
    listed: [],
    heals: fiveHeals,
    want: { heal: false, notHealedBecause: undefined },
    told: { alert: false },
  },
  // A target in mode plan is never written.
  {
    what: "plan only, wider",
    finding: { ...ours, widens: true },
    target: target({ mode: "plan" }),
    want: { heal: false, notHealedBecause: "plan only" },
  },
  {
    what: "plan only, foreign, remove",
    finding: { ...foreign, widens: true },
    target: target({ mode: "plan", foreign: "remove" }),
    want: { heal: false, notHealedBecause: "plan only" },
  },
  // Foreign objects are told, and removed only where that is said and they open something.
  {
    what: "foreign, reported",
    finding: { ...foreign, widens: true },
    want: { heal: false, notHealedBecause: "foreign" },
    told: { alert: true },
  },
  {
    what: "foreign, removed",
    finding: { ...foreign, widens: true },
    listed: [],
    target: target({ foreign: "remove" }),
    want: { heal: true, notHealedBecause: undefined },
  },
  {
    what: "foreign that only restricts",
    finding: { ...foreign, widens: false },
    target: target({ foreign: "remove" }),
    want: { heal: false, notHealedBecause: "foreign" },
  },
  {
    what: "foreign on a host",
    finding: { ...foreign, widens: true },
    target: hostTarget(),
    want: { heal: false, notHealedBecause: "foreign" },
  },
  // An orphan is healed by the defaults; foreign things there stay.
  { what: "orphan, wider", finding: { ...ours, widens: true }, listed: [], target: undefined, want: { heal: true } },
  {
    what: "orphan, narrower",
    finding: { ...ours, widens: false },
    listed: ["alert"],
    target: undefined,
    want: { heal: false, notHealedBecause: "not asked for" },
  },
  {
    what: "orphan, foreign",
    finding: { ...foreign, widens: true },
    target: undefined,
    want: { heal: false, notHealedBecause: "foreign" },
  },
  // More than five repairs in ten minutes are a fight, which is told whatever is listed.
  { what: "four repairs", finding: { ...ours, widens: true }, heals: fiveHeals.slice(1), want: { heal: true } },
  {
    what: "five repairs",
    finding: { ...ours, widens: true },
    listed: [],
    heals: fiveHeals,
    want: { heal: false, isFight: true, notHealedBecause: "pause" },
  },
  {
    what: "five repairs, the last a while ago: what widens is closed again",
    finding: { ...ours, widens: true },
    heals: fiveHeals.map((at) => at - 30_000),
    want: { heal: true, isFight: true },
  },
  {
    what: "five repairs of what only closes",
    finding: { ...ours, widens: false },
    heals: fiveHeals,
    want: { heal: false, isFight: true, notHealedBecause: "fight" },
  },
  {
    what: "five repairs, the oldest long ago",
    finding: { ...ours, widens: true },
    heals: [...fiveHeals.slice(1), NOW - FIGHT_WINDOW_MS],
    want: { heal: true },
  },
  {
    what: "a fight nobody asked us into",
    finding: { ...ours, widens: false },
    listed: ["alert"],
    heals: fiveHeals,
    want: { heal: false, notHealedBecause: "not asked for" },
  },
];

describe("the response to a finding", () => {
  it.each(CASES)("$what", ({ finding, listed = ["alert", "heal"], heals = [], want, told = {}, ...rest }) => {
    const where = "target" in rest ? rest.target : target();
    const { finding: base } = incident(finding);
    expect(decideResponse(base, workspace(listed), where, heals, NOW)).toMatchObject(want);
    expect(outletsOf(base.kind, workspace(listed), where)).toMatchObject(told);
  });

  const healsIn = (seconds: number, widens: boolean): readonly number[] => {
    const heals: number[] = [];
    for (let second = 0; second < seconds; second++) {
      const at = NOW + second * 1000;
      const { finding } = incident({ widens });
      if (decideResponse(finding, workspace(["heal"]), target(), heals, at).heal) heals.push(at);
    }
    return heals;
  };

  it("repairs what only closes at most five times, whoever is faster (the bug: five or six, by an off-by-one)", () => {
    const heals = healsIn(60, false);
    expect(heals.length).toBe(FIGHT_HEALS);
    expect(isFight(heals, NOW + 59_000)).toBe(true);
    expect(isFight(heals, NOW + FIGHT_WINDOW_MS)).toBe(false);
  });

  it("never stops repairing what widens, at a growing interval (the bug: six writes within ten minutes and a hole stays)", () => {
    const heals = healsIn(3_600, true);
    const pauses = heals.slice(1).map((at, index) => (at - (heals[index] ?? at)) / 1000);
    expect(pauses.slice(0, 9)).toEqual([1, 1, 1, 1, 15, 30, 60, 120, 240]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(240);
    expect(heals.length).toBeGreaterThan(20);
  });

  it("tells channels of a fight whatever is listed (the bug: two places decided, and with [heal] nobody heard)", () => {
    expect(outletsOf("heal-fight", workspace(["heal"]), target())).toEqual({ alert: true, issue: false, propose: false });
    expect(outletsOf("modified", workspace(["heal"]), target())).toEqual({ alert: false, issue: false, propose: false });
  });
});

describe("what a target lists", () => {
  const overrides: Workspace["drift"]["overrides"] = [
    { targets: { matchLabels: { env: "dev" } }, respond: ["alert"] },
    { targets: {}, respond: ["issue"] },
  ];

  it("is the first override that matches, else the default", () => {
    expect(responsesFor(workspace(["heal"], overrides), target({ labels: { env: "dev" } }))).toEqual(["alert"]);
    expect(responsesFor(workspace(["heal"], overrides), target({ labels: { env: "prod" } }))).toEqual(["issue"]);
    expect(responsesFor(workspace(["heal"], overrides.slice(0, 1)), target({ labels: { env: "prod" } }))).toEqual(["heal"]);
  });

  it("may be nothing: an empty override is not the default", () => {
    const silent = workspace(["heal", "alert"], [{ targets: {}, respond: [] }]);
    const narrower = incident({ widens: false }).finding;
    expect(decideResponse(narrower, silent, target(), [], NOW)).toEqual({
      heal: false,
      isFight: false,
      healAt: undefined,
      notHealedBecause: "not asked for",
    });
    expect(outletsOf("modified", silent, target())).toEqual({ alert: false, issue: false, propose: false });
  });
});

// Bug: the clock is set back by an hour, and the next repair of a fight waits until it is there again.
it("repairs that lie ahead of the clock are none", () => {
  const ahead = fiveHeals.map((at) => at + 3_600_000);
  expect(isFight(ahead, NOW)).toBe(false);
  const finding: Finding = { ...incident().finding, ...ours, widens: true };
  expect(decideResponse(finding, workspace([]), target(), ahead, NOW)).toMatchObject({ heal: true, isFight: false });
});
