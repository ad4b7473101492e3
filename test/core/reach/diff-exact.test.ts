import fc from "fast-check";
import { expect, test } from "vitest";
import {
  firstAddress,
  formatAddress,
  fromPrefixes,
  fromRanges,
  isSubset,
  parsePrefix,
  readAddress,
} from "../../../core/address/index.ts";
import type { AddressRange, AddressSet } from "../../../core/address/index.ts";
import {
  allOf,
  allPorts,
  intersectPorts,
  isEmptyPorts,
  isSubsetPorts,
  noPorts,
  subtractPorts,
  unionPorts,
} from "../../../core/address/ports.ts";
import type { PortSet } from "../../../core/address/ports.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import { matrixOf } from "../../../core/reach/classes.ts";
import { sourceDiff } from "../../../core/reach/diff.ts";
import { SOURCE_OF } from "../../../core/reach/diff-lines.ts";
import type { DiffLine, DiffSide } from "../../../core/reach/diff-lines.ts";
import type { Party, Source } from "../../../core/reach/source.ts";
import type { Review } from "../../../core/review/review.ts";
import {
  diffAnswer,
  formatDiff,
  formatDiffLine,
  formatDiffMarkdown,
  formatDiffTable,
  summariseDiff,
  VERB,
} from "../../../core/text/diff.ts";
import { reviewAnswer } from "../../../core/text/review-json.ts";
import { reviewMarkdown } from "../../../core/text/review.ts";
import { ESTATE, organisation, revisions } from "../../support/intent-worlds.ts";

const WORKLOADS = ESTATE.workloads.map((workload): Party & { kind: "workload" } => ({ kind: "workload", workload }));

function nameOf(party: Party): string {
  if (party.kind === "workload") return party.workload.id;
  const first = firstAddress(party.addresses);
  return first === undefined ? "nobody" : formatAddress(first);
}

/** Who a printed name means: a segment, a workload by name or id, a range, everybody outside. */
function means(word: string, party: Party, source: Source): boolean {
  if (word === "any") return true;
  if ((source.segmentsOf?.(party) ?? []).includes(word)) return true;
  if (party.kind === "workload") return party.workload.name === word || party.workload.id === word;
  if (word === "any address outside") return true;
  if (word === "any IPv4 address outside") return party.addresses.v4.length > 0;
  if (word === "any IPv6 address outside") return party.addresses.v6.length > 0;
  const set = rangeOf(word);
  return set !== undefined && isSubset(party.addresses, set);
}

/** `10.0.0.0/8`, `10.0.0.1`, `10.0.0.1-10.0.0.9`. */
function rangeOf(word: string): AddressSet | undefined {
  const [first = "", last = first] = word.includes("/") ? [] : word.split("-");
  const prefix = parsePrefix(word);
  if ("ok" in prefix) return fromPrefixes([prefix.ok]);
  const [from, to] = [readAddress(first), readAddress(last)];
  if (typeof from === "string" || typeof to === "string") return undefined;
  // Both are of one family: they were written as one range.
  return fromRanges([{ family: from.family, first: from.value, last: to.value } as AddressRange]);
}

/** The words of one end, read as a person reads them. */
function isMeant(words: string, party: Party, source: Source): boolean {
  expect(words).not.toMatch(/and \d+ more/);
  const but = /^any but (.*)$/.exec(words)?.[1];
  const is = (list: string): boolean => list.split(", ").some((word) => means(word, party, source));
  return but === undefined ? is(words) : !is(but);
}

function familiesOf(party: Party): number {
  const { v4, v6 } = party.kind === "workload" ? party.workload.addresses : party.addresses;
  return v4.length + v6.length === 0 ? 3 : (v4.length > 0 ? 1 : 0) | (v6.length > 0 ? 2 : 0);
}

/** Two different ones of a common address family, at least one of which has an enforcer. */
function canMeet(from: Party, to: Party): boolean {
  const isManaged = (party: Party): boolean => party.kind === "workload" && party.workload.target !== undefined;
  return from !== to && (familiesOf(from) & familiesOf(to)) !== 0 && (isManaged(from) || isManaged(to));
}

/** What passes now, and what a rule allows (or nothing isolates): the rest is let through by `observe` alone. */
function passes(source: Source, from: Party, to: Party): { readonly now: PortSet; readonly meant: PortSet } {
  const [out, into] = [source.end("egress", from, to), source.end("ingress", to, from)];
  const ports = [out, into].map((end) => (end.mode === "observed" ? allPorts : end.ports)) as [PortSet, PortSet];
  return { now: intersectPorts(...ports), meant: intersectPorts(out.ports, into.ports) };
}

/** What a line of each part may claim of one pair: only observed, and otherwise. */
function truth(sources: readonly [Source, Source], side: DiffSide, from: Party, to: Party) {
  const [old, now] = [passes(sources[0], from, to), passes(sources[1], from, to)];
  const closed = subtractPorts(old.now, now.now);
  const shared = familiesOf(from) & familiesOf(to);
  const absent = shared === 1 ? allOf("icmpv6") : shared === 2 ? allOf("icmp") : noPorts;
  const isClosing = !isEmptyPorts(subtractPorts(closed, absent));
  const whole = {
    opened: subtractPorts(now.now, old.now),
    closed,
    stays: isClosing ? intersectPorts(old.now, now.now) : noPorts,
  }[side];
  const { meant } = side === "closed" ? old : now;
  const real = (set: PortSet): PortSet => (isEmptyPorts(subtractPorts(set, absent)) ? noPorts : set);
  const set = real(whole);
  return { observed: subtractPorts(set, meant), settled: intersectPorts(set, meant), absent };
}

/** Everybody, one by one; of an external that somebody tells apart each part. */
function partiesOf(sources: readonly Source[]): readonly Party[] {
  const { classes } = matrixOf(sources);
  const inClasses = new Set(classes.flatMap(({ workloads }) => workloads.map(({ id }) => id)));
  const outside = classes.flatMap(({ kind, parties }) => (kind === "addresses" ? (parties[0] ?? []) : []));
  return [...WORKLOADS.filter(({ workload }) => inClasses.has(workload.id)), ...outside];
}

const PARTS = ["opened", "closed", "stays"] as const;

// Bug: `closes any → db: any port` while web keeps 5432/tcp; `opens any` for who had it already; a controller named for one of its
// pods; a segment named of which one member is not meant; a count that takes in who did not change.
test("every printed line claims what changed, no more and no less, pair by pair and port by port", () => {
  fc.assert(
    fc.property(revisions, revisions, (a, b) => {
      const sources = [a, b].map((one) => intentOf(organisation(one), ESTATE, { as: "approved" })) as [Source, Source];
      const parties = partiesOf(sources);
      const diff = sourceDiff(...sources);
      for (const side of PARTS) {
        const source = sources[SOURCE_OF[side]];
        const lines = diff[side].map((line) => readLine(line, parties, source));
        for (const from of parties) {
          for (const to of parties) {
            if (!canMeet(from, to)) continue;
            const is = truth(sources, side, from, to);
            const told = (isObservedOnly: boolean): PortSet =>
              lines
                .filter((line) => line.isObservedOnly === isObservedOnly && line.from.has(from) && line.to.has(to))
                .reduce((sum, { portSet }) => unionPorts(sum, portSet), noPorts);
            for (const [isObservedOnly, set] of [
              [true, is.observed],
              [false, is.settled],
            ] as const) {
              const pair = `${side} ${nameOf(from)} → ${nameOf(to)}`;
              const claimed = told(isObservedOnly);
              expect(isSubsetPorts(subtractPorts(claimed, set), is.absent), `${pair} claims too much`).toBe(true);
              expect(isSubsetPorts(subtractPorts(set, claimed), is.absent), `${pair} leaves something out`).toBe(true);
            }
          }
        }
        for (const line of lines) expect([line.fromWorkloads, line.toWorkloads]).toEqual(countOf(line, sources, side));
      }
    }),
    { numRuns: 25 },
  );
});

// Bug: a form of its own words, that leaves out what stays open, or cuts names in what programs read.
test("every form tells the lines of every part: text, table, Markdown, JSON, review", () => {
  fc.assert(
    fc.property(revisions, revisions, (a, b) => {
      const [before, after] = [a, b].map((one) => intentOf(organisation(one), ESTATE, { as: "approved" })) as [Source, Source];
      const diff = sourceDiff(before, after);
      const words = PARTS.flatMap((side) => diff[side].map((line) => `${VERB[side]} ${formatDiffLine(line, side)}`));
      const said = words.length === 0 ? ["opens nothing, closes nothing"] : words;
      expect(formatDiff(diff, 1_000)).toEqual([
        ...said,
        ...formatDiff({ ...diff, opened: [], closed: [], stays: [] }, 1_000).slice(1),
      ]);
      const table = formatDiffTable(diff, true);
      const markdown = formatDiffMarkdown(diff, 1_000).join("\n");
      const reviewed = reviewMarkdown({ kind: "reviewed", review: reviewWith(diff) });
      const rows = reviewed.split("\n");
      const json = diffAnswer(diff) as Record<DiffSide, readonly Record<string, unknown>[]>;
      for (const side of PARTS) {
        const lines = diff[side].map(({ fromFull: from, toFull: to, ports, workloads }) => ({ from, to, ports, workloads }));
        expect(json[side].map(({ from, to, ports, workloads }) => ({ from, to, ports, workloads }))).toEqual(lines);
        for (const line of diff[side]) {
          expect(table).toContain(line.fromFull);
          expect(markdown).toContain(`**${VERB[side]}** \`${formatDiffLine(line, side)}\``);
          const cells = `| \`${line.from}\` | \`${line.to}\` | \`${line.ports}\` |`;
          const isTold = rows.some((row) => row.startsWith(`| ${VERB[side]}`) && row.includes(cells));
          expect(isTold, `${VERB[side]} ${cells}`).toBe(true);
        }
      }
      expect(/ stays open/.test(rows[0] ?? "")).toBe(diff.stays.length > 0);
      // No line beside them, in any form; and what machines read of a review is the same, counts included.
      const total = diff.opened.length + diff.closed.length + diff.stays.length;
      const isLine = (row: string): boolean => /^(\| )?(opens|closes|stays open) /.test(row);
      expect(table.split("\n").filter((row) => isLine(row) && row !== summariseDiff(diff))).toHaveLength(total);
      expect(rows.filter((row) => row.startsWith("| ") && isLine(row))).toHaveLength(total);
      const { diff: inReview } = reviewAnswer({ kind: "reviewed", review: reviewWith(diff) }) as { readonly diff: unknown };
      expect(inReview).toEqual(json);
      expect(json).toMatchObject({
        counts: { opened: diff.openedCount, closed: diff.closedCount, unchanged: diff.unchangedCount },
      });
      if (total > 0) {
        const counts = [diff.openedCount, diff.closedCount, diff.unchangedCount].map((count) => count.toLocaleString("en"));
        expect(reviewed).toContain(`In connections: ${counts[0]} opened, ${counts[1]} closed, ${counts[2]} unchanged.`);
      }
    }),
    { numRuns: 25 },
  );
});

function reviewWith(diff: ReturnType<typeof sourceDiff>): Review {
  return {
    visibility: "full",
    diff,
    safeguards: [],
    enforceable: undefined,
    problems: [],
    notes: [],
    touched: { targets: [], total: 1, notes: [] },
    expires: [],
  };
}

function readLine(line: DiffLine, parties: readonly Party[], source: Source) {
  const from = new Set(parties.filter((party) => isMeant(line.fromFull, party, source)));
  const to = new Set(parties.filter((party) => isMeant(line.toFull, party, source)));
  return { ...line, from, to };
}

/** Workloads at each end for which it changed. */
function countOf(line: ReturnType<typeof readLine>, sources: readonly [Source, Source], side: DiffSide): readonly number[] {
  const isTold = (from: Party, to: Party): boolean => {
    if (!canMeet(from, to)) return false;
    const { observed, settled, absent } = truth(sources, side, from, to);
    return !isEmptyPorts(subtractPorts(intersectPorts(line.isObservedOnly ? observed : settled, line.portSet), absent));
  };
  const workloads = (ends: ReadonlySet<Party>): readonly Party[] => [...ends].filter(({ kind }) => kind === "workload");
  return [
    workloads(line.from).filter((from) => [...line.to].some((to) => isTold(from, to))).length,
    workloads(line.to).filter((to) => [...line.from].some((from) => isTold(from, to))).length,
  ];
}
