/** Whatever root of a host answers, the thread of the service has its turn: reading and comparing are a worker's. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostObservation } from "../../../core/observed/observation.ts";
import { hostObservationDigest } from "../../../core/plan/host.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import type { Look } from "../../../services/compare.ts";
import { liveMarks } from "../../../services/live-mark.ts";
import { findIn } from "../../../services/looks.ts";
import { answerReader } from "../../../services/workers/readback.ts";
import { openWorkers, type Workers } from "../../../services/workers/open.ts";
import { hostWant } from "../../support/host-wants.ts";
import { longestBlock, MOST_MS } from "../../support/longest-block.ts";

const MIB = 1024 * 1024;
const OURS = "firebreak";

function list<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

function section(name: string, body: string): string {
  return `@${name}\n ${body}\n =0\n`;
}

function answer({ ruleset = "[]", legacy = "" }: { readonly ruleset?: string; readonly legacy?: string }): string {
  const listing = `{"nftables":[{"metainfo":{}},${ruleset.slice(1)}}`;
  const parts = [section("ruleset", listing), section("flags", ""), section("legacy", legacy), section("addresses", "")];
  return `@firebreak-readback 1\n${parts.join("")}${section("resolvers", "")}${section("timeservers", "")}${section("machine", "0")}@end\n`;
}

function rulesetOf(objects: readonly unknown[]): string {
  return answer({ ruleset: JSON.stringify(objects) });
}

const chain = (table: string, name: string, base: object = {}): unknown => ({ chain: { family: "inet", table, name, ...base } });
const BASE = { type: "filter", hook: "input", prio: 10, policy: "drop" };
const ports = (first: number, last: number): unknown => ({
  match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: { range: [first, last] } },
});

/** Chains that each jump 50 times to the next, each time with other ports, 16 deep. */
function chains(table: string): readonly unknown[] {
  const jumps = list(16, (level) =>
    list(50, (turn) => ({
      rule: {
        family: "inet",
        table,
        chain: `c${level}`,
        expr: [ports(turn * 20 + level, 60_000 - turn * 50 - level), { jump: { target: `c${level + 1}` } }],
      },
    })),
  );
  return [
    { table: { family: "inet", name: table } },
    ...list(17, (at) => chain(table, `c${at}`, at === 0 ? BASE : {})),
    ...jumps.flat(),
  ];
}

const rule = (table: string, port: number): unknown => ({
  rule: { family: "inet", table, chain: "i", expr: [ports(port, port), { accept: null }] },
});

/** What root of a host can answer, each made anew: they are large. */
const ANSWERS: Readonly<Record<string, () => string>> = {
  "chains that jump 50 times, 16 deep": () => rulesetOf(chains("x")),
  "the same in our table": () => rulesetOf(chains(OURS)),
  "16 MiB of line ends": () => answer({ legacy: "\n".repeat(16 * MIB) }),
  "16 MiB of empty objects": () => answer({ ruleset: `[{}${",{}".repeat(5 * MIB)}]` }),
  "16 MiB of brackets": () => answer({ ruleset: "[".repeat(16 * MIB) }),
  "one object of 300,000 keys": () => rulesetOf([{ x: Object.fromEntries(list(300_000, (at) => [`k${at}`, at])) }]),
  "one text of 15 MiB": () => rulesetOf([{ comment: "x".repeat(15 * MIB) }]),
  "20,000 rules": () =>
    rulesetOf([{ table: { family: "inet", name: "x" } }, chain("x", "i", BASE), ...list(20_000, (at) => rule("x", at))]),
  "20,000 rules in our table": () =>
    rulesetOf([{ table: { family: "inet", name: OURS } }, chain(OURS, "i", BASE), ...list(20_000, (at) => rule(OURS, at))]),
  "1,000 base chains": () =>
    rulesetOf([
      { table: { family: "inet", name: "x" } },
      ...list(1_000, (at) => chain("x", `b${at}`, BASE)),
      ...list(1_000, (at) => rule("x", at)),
    ]),
  "200,000 addresses in a set of ours": () =>
    rulesetOf([
      { table: { family: "inet", name: OURS } },
      {
        set: {
          family: "inet",
          table: OURS,
          name: "a",
          type: "ipv4_addr",
          elem: list(200_000, (at) => `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`),
        },
      },
    ]),
};

const { signal } = new AbortController();
const log = { error: () => undefined } as never; // the only word of it that a look says
let workers: Workers;

beforeAll(async () => {
  workers = openWorkers();
  await lookAt(rulesetOf(chains("warm"))); // the process starts, and code is loaded: that is not what is measured
});

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
});

/** As the drift detector does it; kinds of findings, or the code of what it says instead. */
async function lookAt(text: string): Promise<readonly string[]> {
  try {
    const { outcome, isComplete, ...read } = await answerReader(workers)(text, signal);
    if (outcome !== "listed" || !isComplete) return [outcome];
    // The casts: what a look takes of a target and of what was seen of it.
    const observation = {
      kind: "host",
      target: "host/f/evil",
      completeness: "complete",
      identity: "k",
      ...read,
      at: 0,
    } as unknown as HostObservation;
    hostObservationDigest(observation);
    liveMarks(observation, "i");
    const want = hostWant({ ingress: { mode: "enforce", allows: [] } });
    const mark = { instance: "i", sequence: 1, digest: "0".repeat(16) };
    const state = { target: { kind: "host", id: "host/f/evil" }, want, mark, definitions: { segments: new Map() } };
    const { findings } = await findIn({ workers, signal, log }, { kind: "host", states: [state], observation } as unknown as Look);
    return findings.map(({ kind }) => kind);
  } catch (error) {
    if (error instanceof FirebreakError) return [error.code];
    throw error;
  }
}

// Bug: root of one host decides for how long nobody is looked at, healed or answered.
test.each(Object.entries(ANSWERS))("%s: the thread is never held, and it is told", async (_, make) => {
  const text = make();
  let told: readonly string[] = [];
  const held = await longestBlock(async () => (told = await lookAt(text)));
  expect(told).not.toEqual([]);
  expect(held).toBeLessThan(MOST_MS);
});
