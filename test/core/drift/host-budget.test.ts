import { describe, expect, test } from "vitest";
import { compareHost } from "../../../core/drift/host.ts";
import type { Finding } from "../../../core/finding/finding.ts";
import type { HostObservation } from "../../../core/observed/observation.ts";
import type { NftRuleset } from "../../../core/render/nft.ts";

/** What root of a host can answer a read-back with: chains that each jump `fan` times to the next, `depth` deep. */
function chains(table: string, fan: number, depth: number, exprOf: (level: number, turn: number) => readonly unknown[]): unknown[] {
  const objects: unknown[] = [{ table: { family: "inet", name: table } }];
  for (let level = 0; level <= depth; level++) {
    const base = level === 0 ? { type: "filter", hook: "input", prio: 10, policy: "drop" } : {};
    objects.push({ chain: { family: "inet", table, name: level === 0 ? "input" : `c${level}`, ...base } });
  }
  for (let level = 0; level < depth; level++) {
    const chain = level === 0 ? "input" : `c${level}`;
    for (let turn = 0; turn < fan; turn++) objects.push({ rule: { family: "inet", table, chain, expr: exprOf(level, turn) } });
  }
  return objects;
}

const jump = (level: number): unknown => ({ jump: { target: `c${level + 1}` } });
const ports = (first: number, last: number): unknown => ({
  match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: { range: [first, last] } },
});

/** Our table as it should be: nothing but a chain that drops. */
const OURS = [
  { table: { family: "inet", name: "firebreak" } },
  { chain: { family: "inet", table: "firebreak", name: "input", type: "filter", hook: "input", prio: 0, policy: "drop" } },
] as unknown as NftRuleset; // the part of a rendered ruleset that this comparison reads

function compare(ruleset: readonly unknown[], expected: NftRuleset = OURS): readonly Finding[] {
  const observation: HostObservation = {
    kind: "host",
    target: "host/lab/one" as HostObservation["target"],
    completeness: "complete",
    identity: "key",
    ruleset,
    legacyTables: [],
    addresses: ["10.0.0.1"],
    resolvers: [],
    at: 0,
  } as unknown as HostObservation; // only what a comparison reads
  return compareHost({ expected, observation });
}

const of = (findings: readonly Finding[], kind: string): Finding | undefined => findings.find((finding) => finding.kind === kind);

describe("what root of a host writes does not decide how long its comparison takes", () => {
  test("a chain is followed once for the same connections (bug: once per path, 50 to the 16th steps)", () => {
    const findings = compare([...OURS, ...chains("x", 50, 16, (level) => [jump(level)])]);
    expect(of(findings, "foreign-chain")).toMatchObject({ severity: "info", effect: { verdict: "equivalent" } });
    expect(of(findings, "not-comparable")).toBeUndefined();
  });

  test("chains that no memory helps with are given up and said, as if they opened (bug: the looks at all hosts stand still)", () => {
    const narrowing = chains("x", 50, 16, (level, turn) => [ports(turn * 20 + level, 60_000 - turn * 50 - level), jump(level)]);
    const findings = compare([...OURS, ...narrowing]);
    expect(of(findings, "foreign-chain")).toMatchObject({ severity: "high", widens: true, effect: { verdict: "uncertain" } });
    expect(of(findings, "not-comparable")?.summary).toContain("takes more work than a look may");
  });

  test("the same in our own table is healed as what opens (bug: uncertain is no reason to repair)", () => {
    const narrowing = chains("firebreak", 50, 16, (level, turn) => [
      ports(turn * 20 + level, 60_000 - turn * 50 - level),
      jump(level),
    ]);
    const findings = compare(narrowing);
    expect(of(findings, "ruleset-changed")).toMatchObject({ severity: "critical", widens: true, healable: true });
    expect(of(findings, "not-comparable")).toBeDefined();
  });

  test("a loop that the kernel would refuse ends, and is named", () => {
    const loop = chains("x", 4, 3, (level) => [jump(level)]);
    loop.push({ rule: { family: "inet", table: "x", chain: "c3", expr: [{ jump: { target: "c1" } }] } });
    expect(of(compare([...OURS, ...loop]), "foreign-chain")?.effect.verdict).toBe("uncertain");
  });

  test("thousands of base chains in one table are not each read against all its rules", () => {
    const many: unknown[] = [{ table: { family: "inet", name: "x" } }];
    for (let index = 0; index < 6_000; index++) {
      many.push({
        chain: { family: "inet", table: "x", name: `i${index}`, type: "filter", hook: "input", prio: index, policy: "drop" },
      });
      many.push({ rule: { family: "inet", table: "x", chain: `i${index}`, expr: [{ drop: null }] } });
    }
    const findings = compare([...OURS, ...many]);
    expect(of(findings, "not-comparable")).toBeDefined();
    expect(findings.filter(({ kind, widens }) => kind === "foreign-chain" && widens).length).toBeGreaterThan(0);
  });

  test("a concatenation of more parts than the kernel has is not multiplied out", () => {
    const parts = Array.from({ length: 40 }, () => ({ payload: { protocol: "th", field: "dport" } }));
    const match = { match: { op: "==", left: { concat: parts }, right: { set: [{ concat: parts.map(() => 5) }] } } };
    const findings = compare([...OURS, ...chains("x", 3, 2, (level) => [match, jump(level)])]);
    expect(of(findings, "foreign-chain")?.effect.verdict).toBe("uncertain");
  });
});
