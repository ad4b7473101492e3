import { isEmpty } from "../address/index.ts";
import { compareText } from "../membership/order.ts";
import type { Direction, IcmpMessages, NamedPort, Rule } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { PresentCellsByList } from "../membership/cells.ts";
import { cellsOf, cutCells } from "./cells.ts";
import type { Cell } from "./cells.ts";
import { gapNote, noPeerNote } from "./ends.ts";
import type { PeerEnd, PeerResolver } from "./ends.ts";
import { clusterPorts, isNamed, portWords } from "./ports.ts";
import { peerEnds, subjectEnds } from "./rules.ts";
import type { RuleBook } from "./rules.ts";
import { canonicalOf } from "./subjects.ts";
import type { ClusterAllow, ClusterPorts, CutCells, Peer } from "./want.ts";

/** A rule, or an essential, as one direction of a cluster sees it. */
export interface DirectedRule {
  /** Place among all rules, so that allows keep their order; essentials come first. */
  readonly order: number;
  /** Segments at this end, or `any`. */
  readonly subjects: readonly string[];
  /** What it allows to pods of each cell; a rule without `same` has one cell, without label values. Never an empty list of allows. */
  readonly cells: readonly RuleCell[];
}

/** What a rule allows to those of its subjects that have these label values. */
export interface RuleCell extends Cell {
  readonly allows: readonly ClusterAllow[];
}

/** Rules of one direction by the segment they name. */
export interface DirectedRules {
  readonly notes: readonly Note[];
  readonly cut: readonly CutCells[];
  /** Rules that name this segment and not `any`, in order. */
  readonly naming: (name: string) => readonly DirectedRule[];
  /** Rules for every workload, in order. */
  readonly forAny: readonly DirectedRule[];
}

/** What directing the rules of a cluster takes. */
export interface Directing {
  readonly target: string;
  readonly direction: Direction;
  readonly book: RuleBook;
  readonly resolver: PeerResolver;
  /** Names of the segments that can have pods here: rules for others are no business of this cluster. */
  readonly held: { has(name: string): boolean };
  readonly essentials: readonly DirectedRule[];
  /** Which cells the cluster's pods are in. */
  readonly present: PresentCellsByList;
}

/** The rules whose subjects can be pods of this cluster, with their peers resolved; those without a peer or port here are told. */
export function directRules(directing: Directing): DirectedRules {
  const notes: Note[] = [];
  const cut: CutCells[] = [];
  const byName = new Map<string, DirectedRule[]>();
  const forAny: DirectedRule[] = [];
  const add = (rule: DirectedRule): void => {
    if (rule.cells.length === 0) return;
    if (rule.subjects.includes("any")) {
      forAny.push(rule);
      return;
    }
    for (const name of new Set(rule.subjects)) {
      const list = byName.get(name);
      if (list === undefined) byName.set(name, [rule]);
      else list.push(rule);
    }
  };
  for (const rule of directing.essentials) add(rule);
  for (const [order, rule] of directing.book.rules.entries()) {
    const subjects = subjectEnds(rule, directing.direction);
    if (subjects.some((name) => name === "any" || directing.held.has(name))) {
      add({ order, subjects, cells: directRule(directing, rule, { notes, cut }) });
    }
  }
  return { notes, cut, naming: (name) => byName.get(name) ?? [], forAny };
}

function directRule(
  directing: Directing,
  rule: Rule,
  told: { readonly notes: Note[]; readonly cut: CutCells[] },
): readonly RuleCell[] {
  const { direction, resolver, target, present } = directing;
  const { notes } = told;
  const part = direction === "ingress" ? "initiator" : "responder";
  const names = peerEnds(rule, direction);
  const { ports, left } = clusterPorts(rule.ports);
  notes.push(...icmpNotes(rule, left, target));
  if (ports === "none") return [];
  const subjects = subjectEnds(rule, direction);
  const { cells, isWhole, problem } = cellsOf(rule, present, { subjects, peers: names }, target);
  if (problem !== undefined) notes.push(problem);
  const ruleCells: RuleCell[] = [];
  const lonely: Cell[] = [];
  for (const cell of cells) {
    const end = resolver.resolve(names, part, cell.values);
    if (end.kind === "some") notes.push(...end.gaps.map((gap) => gapNote(gap, rule)));
    if (direction === "egress") notes.push(...namedPortNotes(rule, end, ports, target));
    // A value that nobody at the other end has makes no object: its pods are allowed nothing by the rule anyway.
    const peers = end.kind === "some" && !cell.isMet && isEmpty(end.addresses) ? [] : peersOf(end);
    const { values, text } = cell;
    if (peers.length === 0) lonely.push(cell);
    else ruleCells.push({ values, text, allows: [{ origin: rule.id, peers, ports }] });
  }
  const { kept, cut, problem: tooMany } = cutCells(rule, ruleCells, isWhole, target);
  if (cut !== undefined) told.cut.push(cut);
  if (tooMany !== undefined) notes.push(tooMany);
  if (lonely.length > 0) notes.push(lonelyNote(rule, names, target, lonely));
  return kept;
}

/** The peers a cluster can say, sorted, without duplicates; an empty list means nobody, never anyone. */
function peersOf(end: PeerEnd): "any" | readonly Peer[] {
  if (end.kind === "any") return "any";
  const pods = new Map<string, Peer>();
  for (const member of end.pods) {
    const [namespaces, selector] = [canonicalOf(member.namespaces), canonicalOf(member.pods)];
    pods.set(`${namespaces.key} ${selector.key}`, { kind: "pods", pods: selector.selector, namespaces: namespaces.selector });
  }
  const sorted = [...pods].sort(([a], [b]) => compareText(a, b)).map(([, peer]) => peer);
  return isEmpty(end.addresses) ? sorted : [...sorted, { kind: "addresses", addresses: end.addresses }];
}

function icmpNotes(rule: Rule, left: readonly IcmpMessages[], target: string): readonly Note[] {
  if (left.length === 0) return [];
  return [
    {
      severity: "warning",
      code: "unenforceable-here",
      at: rule.at,
      summary: `rule ${rule.id}: a NetworkPolicy cannot say ${left.map(portWords).join(", ")}, unenforceable here (${target})`,
      detail: "What the network plugin does with ICMP is its own. What else the rule allows is rendered.",
    },
  ];
}

/** Names at peers that are addresses here: pods of other clusters, hosts, externals, ranges. Pods of the cluster resolve them. */
function namedPortNotes(rule: Rule, end: PeerEnd, ports: ClusterPorts, target: string): readonly Note[] {
  const named = ports === "any" ? [] : ports.filter((port): port is NamedPort => isNamed(port));
  if (named.length === 0 || end.kind === "any" || (!end.hasRemotePods && isEmpty(end.addresses))) return [];
  const words = named.map(portWords).join(", ");
  const whose = end.hasRemotePods ? "of pods in other clusters is not known to" : "of addresses outside means nothing to";
  return [
    {
      severity: "warning",
      code: "unenforceable-here",
      at: rule.at,
      summary: `rule ${rule.id}: ${words} ${whose} ${target}, unenforceable here`,
      detail: "Only a pod's own cluster knows its named ports. Name the number, too, if they are meant.",
    },
  ];
}

function lonelyNote(rule: Rule, names: readonly string[], target: string, cells: readonly Cell[]): Note {
  if (rule.same.length === 0) return noPeerNote(rule, names, target);
  const texts = cells.slice(0, 5).map(({ text }) => text);
  const more = cells.length > 5 ? ` and ${cells.length - 5} more` : "";
  return {
    severity: "info",
    code: "matches-nothing",
    at: rule.at,
    summary: `rule ${rule.id}: nobody in ${names.join(", ")} that ${target} can see now has ${texts.join("; ")}${more}`,
    detail: "Workloads with these values are allowed nothing by it until somebody has them too.",
  };
}
