import { intersectPorts, isEmptyPorts, isSubsetPorts } from "../address/ports.ts";
import { connect } from "../guardrail/connection.ts";
import { portsAt } from "../guardrail/ports.ts";
import { partyName } from "../guardrail/words.ts";
import type { Party, Source } from "../reach/source.ts";
import type { Verdict } from "./verdict.ts";
import type { Question } from "./ask.ts";

/** Two parties of a question. */
export interface Pair {
  readonly from: Party;
  readonly to: Party;
}

/** What a source says of all pairs of a question. */
export interface PairsFound {
  readonly verdict: Verdict;
  /** The first that is denied, else the first that is not wholly allowed, else the first. */
  readonly pair: Pair;
  /** Pairs of two different parties; 0: there is only a workload and itself. */
  readonly asked: number;
  readonly allowed: number;
  /** Pairs by their verdict: every initiator with every responder. At most {@link MOST_GROUPS}, and `moreGroups` beside them. */
  readonly groups: readonly PairGroup[];
  readonly moreGroups: number;
  /** What to know about the answer, each a sentence. */
  readonly notes: readonly string[];
}

/** Pairs that get one verdict. */
export interface PairGroup {
  readonly verdict: Verdict;
  /** Names, each once; beyond {@link MOST_NAMES} the last one says how many workloads more. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly pairs: number;
}

/** Groups of pairs that are told, and names of one end: what a stranger's number of workloads can make of an answer. */
const MOST_GROUPS = 500;
const MOST_NAMES = 200;

/** Pairs of classes that are looked at before the rest is declared uncertain: the bound on time. */
const MAX_ASKED = 250_000;

/**
 * Asks about every pair of the two ends, class by class: parties that the source does not tell apart get one answer, so that a segment of
 * 10,000 pods costs what its classes cost.
 */
export function findPair(source: Source, question: Question): PairsFound {
  const [froms, tos] = [classesOf(source, question.from.parties), classesOf(source, question.to.parties)];
  const found = new Map<Verdict, { first: Pair; count: number }>();
  let left = MAX_ASKED;
  let asked = 0;
  let unmet: Pair | undefined;
  const groups: PairGroup[] = [];
  let moreGroups = 0;
  for (const initiators of froms) {
    const byVerdict = new Map<Verdict, { readonly to: (readonly Party[])[]; pairs: number }>();
    for (const responders of tos) {
      const pair = firstPair(initiators, responders);
      if (pair === undefined) continue;
      if (!canMeet(pair)) {
        unmet ??= pair;
        continue;
      }
      left -= 1;
      const count = initiators.length * responders.length - sharedBy(initiators, responders);
      asked += count;
      const verdict = left < 0 ? "uncertain" : verdictOf(source, question, pair);
      const known = found.get(verdict);
      if (known === undefined) found.set(verdict, { first: pair, count });
      else known.count += count;
      const group = byVerdict.get(verdict) ?? { to: [], pairs: 0 };
      group.to.push(responders);
      group.pairs += count;
      byVerdict.set(verdict, group);
    }
    for (const [verdict, { to, pairs }] of byVerdict) {
      if (groups.length < MOST_GROUPS) groups.push({ verdict, from: namesOf([initiators]), to: namesOf(to), pairs });
      else moreGroups += 1;
    }
  }
  const listed = { groups, moreGroups };
  const [from, to] = [question.from.parties[0] as Party, question.to.parties[0] as Party]; // named ends have one at least
  if (asked === 0 && unmet !== undefined) {
    const notes = [`${partyName(unmet.from)} and ${partyName(unmet.to)} have no address family in common`];
    return { verdict: "denied", pair: unmet, asked, allowed: 0, ...listed, notes };
  }
  if (asked === 0) {
    const notes = ["both ends are one and the same workload, which always reaches itself"];
    return { verdict: "allowed", pair: { from, to }, asked, allowed: 0, ...listed, notes };
  }
  const allowed = found.get("allowed")?.count ?? 0;
  const told = found.get("denied") ?? found.get("some") ?? found.get("uncertain") ?? found.get("allowed");
  const notes = left < 0 ? ["there are too many pairs to look at them all: what was not looked at counts as uncertain"] : [];
  return { verdict: overall([...found.keys()]), pair: told?.first ?? { from, to }, asked, allowed, ...listed, notes };
}

/** Each name once; pods of one controller share one. Only as many are written as are told. */
function namesOf(classes: readonly (readonly Party[])[]): readonly string[] {
  const names = new Set<string>();
  let left = 0;
  for (const parties of classes) {
    for (const party of parties) {
      const name = partyName(party);
      if (names.size < MOST_NAMES) names.add(name);
      else if (!names.has(name)) left += 1;
    }
  }
  return left === 0 ? [...names] : [...names, `${left} more workloads`];
}

/** All alike: that; else uncertain as soon as one is, and some otherwise. */
function overall(verdicts: readonly Verdict[]): Verdict {
  const [only] = verdicts;
  if (verdicts.length === 1 && only !== undefined) return only;
  return verdicts.includes("uncertain") ? "uncertain" : "some";
}

/** What a source says of one pair: of all ports that were asked about. */
export function verdictOf(source: Source, { port }: Pick<Question, "port">, { from, to }: Pair): Verdict {
  const { surely, possibly } = connect(source, from, to);
  const wanted = portsAt([port], to.kind === "workload" ? to.workload : undefined);
  if (isEmptyPorts(wanted)) return "denied"; // nobody there listens under that name
  if (isSubsetPorts(wanted, surely)) return "allowed";
  if (isEmptyPorts(intersectPorts(wanted, possibly))) return "denied";
  return isEmptyPorts(intersectPorts(wanted, surely)) ? "uncertain" : "some";
}

/** Parties by what the source can see of them, and by their named ports, in their order. */
function classesOf(source: Source, parties: readonly Party[]): readonly (readonly Party[])[] {
  const classes = Map.groupBy(parties, (party) =>
    party.kind === "addresses" || party.workload.kind === "external" // each part of an external may get another answer
      ? party
      : JSON.stringify([source.keyOf(party.workload), party.workload.ports, familiesOf(party)]),
  );
  return [...classes.values()];
}

/** False when all addresses of both are known, and none of one is of the other's family: an IPv6 address cannot reach what has IPv4 only. */
export function canMeet({ from, to }: Pair): boolean {
  return (familiesOf(from) & familiesOf(to)) !== 0;
}

/** 1 IPv4, 2 IPv6, 3 both, or not known: a pod without an address yet may get either. */
function familiesOf(party: Party): number {
  const { v4, v6 } = party.kind === "addresses" ? party.addresses : party.workload.addresses;
  return v4.length + v6.length === 0 ? 3 : (v4.length > 0 ? 1 : 0) | (v6.length > 0 ? 2 : 0);
}

/** The first initiator with the first responder that is somebody else. */
function firstPair(initiators: readonly Party[], responders: readonly Party[]): Pair | undefined {
  for (const from of initiators.slice(0, 2)) {
    const to = responders.find((responder) => !isSame(from, responder));
    if (to !== undefined) return { from, to };
  }
  return undefined;
}

/** Workloads that are among both. */
function sharedBy(initiators: readonly Party[], responders: readonly Party[]): number {
  const ids = new Set(initiators.map(idOf));
  return responders.filter((party) => party.kind === "workload" && ids.has(idOf(party))).length;
}

function idOf(party: Party): string | undefined {
  return party.kind === "workload" ? party.workload.id : undefined;
}

function isSame(a: Party, b: Party): boolean {
  return a.kind === "workload" && b.kind === "workload" && a.workload.id === b.workload.id;
}
