import { intersectPorts, isEmptyPorts, isSubsetPorts, noPorts, subtractPorts, unionPorts, type PortSet } from "../address/ports.ts";
import type { GuardrailRule } from "../model/kinds.ts";
import type { Connection, Connections } from "./connection.ts";
import type { NamedEnd } from "./ends.ts";
import { portsAt } from "./ports.ts";
import type { Budget } from "../verdict/budget.ts";
import { ASK_STEPS, type Level, type Reachability, type Way } from "./reaches.ts";
import { isClassIn, type PartyClass } from "./space.ts";

/** One claim about who may reach whom, as classes: a rule of a guardrail, or a test of a policy. */
export interface Claim {
  readonly rule: Pick<GuardrailRule, "kind" | "ports" | "same" | "path">;
  readonly from: readonly NamedEnd[];
  readonly to: readonly NamedEnd[];
}

/** What is wrong with one class of responders. */
export interface Breach {
  readonly responders: PartyClass;
  /** Classes that reach them and should not, or do not and should. */
  readonly initiators: readonly PartyClass[];
  /** Of the shortest way, first by id: initiator, intermediates, responder. For `always` initiator and responder. */
  readonly path: readonly PartyClass[];
  /** never: reachable and forbidden · always: wanted and closed; of all initiators together. */
  readonly ports: PortSet;
  /** Ports of the last hop of `path`. */
  readonly last: PortSet;
  /** never: closed once the ends that observe enforce · always: open now, closed then. */
  readonly isNotYet: boolean;
  /** Not there before. */
  readonly isAdded: boolean;
  /** True when no reading of any enforcer says otherwise. */
  readonly isSure: boolean;
}

/** What a claim came to. */
export interface Evaluation {
  readonly breaches: readonly Breach[];
  /** Pairs of classes that were looked at; 0: nothing was asked. */
  readonly pairs: number;
  /** Reasons why an end may answer otherwise. */
  readonly uncertain: readonly string[];
}

/** The space that claims are evaluated in. */
export interface Space {
  readonly classes: readonly PartyClass[];
  readonly now: Connections;
  readonly before: Connections;
  /** The ways through other workloads, now and before; made once, when a claim asks for it. */
  readonly reachability: () => Reachability;
  /** Of all claims together: a pair that is asked about costs `ASK_STEPS`, a class that is held against an end 1. */
  readonly budget: Budget;
}

/** Evaluates one claim over all pairs of classes that its ends and `same` name. A direct pair of which nobody manages either end is nobody's to close, and left out. @throws OverBudget */
export function evaluate(claim: Claim, space: Space): Evaluation {
  space.budget.spend(space.classes.length * (claim.from.length + claim.to.length));
  const froms = space.classes.filter((party) => claim.from.some((end) => isClassIn(party, end)));
  const tos = space.classes.filter((party) => claim.to.some((end) => isClassIn(party, end)));
  const gathered = new Map<number, Gathering>();
  const uncertain = new Set<string>();
  let pairs = 0;
  for (const from of froms) {
    space.budget.spend(tos.length);
    const asked = tos.filter((to) => isAsked(claim, from, to));
    pairs += asked.length;
    for (const found of findIn(claim, space, from, asked, uncertain)) {
      const known = gathered.get(found.to.index);
      if (known === undefined) gathered.set(found.to.index, new Gathering(found));
      else known.add(found);
    }
  }
  return { breaches: [...gathered.values()].map((one) => one.breach()), pairs, uncertain: [...uncertain] };
}

/** What is wrong with one pair. */
interface Found extends Pick<Breach, "last" | "isNotYet" | "isAdded" | "isSure"> {
  readonly from: PartyClass;
  readonly to: PartyClass;
  readonly hops: number;
  readonly path: Way["path"];
}

function isAsked({ rule }: Claim, from: PartyClass, to: PartyClass): boolean {
  if (rule.path === "direct" && !from.isManaged && !to.isManaged) return false;
  if (from.index === to.index && from.other === undefined) return false;
  // An IPv6 address cannot reach what has IPv4 only, and need not. What is forbidden is asked of everybody, in doubt of too many.
  if (rule.kind === "always" && (familiesOf(from) & familiesOf(to)) === 0) return false;
  return rule.same.every((key) => {
    const value = labelOf(from, key);
    return value !== undefined && value === labelOf(to, key);
  });
}

/** 1 IPv4, 2 IPv6, 3 both, or not known: a pod without an address yet may get either. */
function familiesOf({ party }: PartyClass): number {
  const { v4, v6 } = party.kind === "workload" ? party.workload.addresses : party.addresses;
  const bits = (v4.length > 0 ? 1 : 0) | (v6.length > 0 ? 2 : 0);
  return bits === 0 ? 3 : bits;
}

function labelOf({ party }: PartyClass, key: string): string | undefined {
  if (party.kind === "addresses" || !Object.hasOwn(party.workload.labels, key)) return undefined;
  return party.workload.labels[key];
}

function findIn(
  claim: Claim,
  space: Space,
  from: PartyClass,
  tos: readonly PartyClass[],
  uncertain: Set<string>,
): readonly Found[] {
  if (claim.rule.path === "transitive") return findWays(claim, space, from, tos);
  space.budget.spend(2 * ASK_STEPS * tos.length);
  return tos.flatMap((to): readonly Found[] => {
    const connection = space.now(from, to);
    const ports = portsAt(claim.rule.ports, workloadOf(to));
    const found = claim.rule.kind === "never" ? forbidden(connection, ports) : missing(connection, ports);
    if (found === undefined) return [];
    if (!found.isSure) for (const reason of connection.uncertain) uncertain.add(reason);
    const isAdded = found.isSure && adds(claim, connection, space.before(from, to), ports);
    return [{ from, to, hops: 1, path: () => [from, to], ...found, isAdded }];
  });
}

function workloadOf({ party }: PartyClass) {
  return party.kind === "workload" ? party.workload : undefined;
}

type Fault = Pick<Found, "last" | "isNotYet" | "isSure">;

function forbidden({ now, meant, surely, possibly }: Connection, ports: PortSet): Fault | undefined {
  const sure = intersectPorts(surely, ports);
  if (!isEmptyPorts(sure)) return { last: sure, isSure: true, isNotYet: isEmptyPorts(intersectPorts(meant, sure)) };
  const maybe = intersectPorts(possibly, ports);
  if (isEmptyPorts(maybe)) return undefined;
  const said = intersectPorts(now, ports);
  return { last: isEmptyPorts(said) ? maybe : said, isSure: false, isNotYet: false };
}

function missing({ now, meant, surely, possibly }: Connection, ports: PortSet): Fault | undefined {
  const sure = subtractPorts(ports, possibly);
  if (!isEmptyPorts(sure)) return { last: sure, isSure: true, isNotYet: false };
  const maybe = subtractPorts(ports, surely);
  if (!isEmptyPorts(maybe)) return { last: maybe, isSure: false, isNotYet: false };
  const later = subtractPorts(ports, intersectPorts(meant, now));
  return isEmptyPorts(later) ? undefined : { last: later, isSure: false, isNotYet: true };
}

/** True when the fault is wider than before: by what is reachable now, or by what will be once everything that observes enforces. */
function adds({ rule }: Claim, now: Connection, before: Connection, ports: PortSet): boolean {
  if (rule.kind === "always") return !isEmptyPorts(intersectPorts(subtractPorts(ports, now.now), before.now));
  const within = (after: PortSet, earlier: PortSet): boolean => isSubsetPorts(intersectPorts(after, ports), earlier);
  return !within(now.surely, before.now) || !within(intersectPorts(now.meant, now.surely), before.meant);
}

/** For `reaches`: the shortest way to each class, over as many workloads as it takes. */
function findWays({ rule }: Claim, space: Space, from: PartyClass, tos: readonly PartyClass[]): readonly Found[] {
  const reachability = space.reachability();
  const portsOf = (to: PartyClass): PortSet => portsAt(rule.ports, workloadOf(to));
  const ways = (level: Level): ReadonlyMap<number, Way> => reachability.ways(level, from, tos, portsOf);
  if (rule.kind === "always") return notReached(from, tos, portsOf, ways);
  const possible = ways("possibly");
  if (possible.size === 0) return [];
  const [sure, meant] = [ways("surely"), ways("meant")];
  const [before, meantBefore] = sure.size === 0 ? [] : [ways("before"), ways("meantBefore")];
  return tos.flatMap((to): readonly Found[] => {
    const way = sure.get(to.index) ?? possible.get(to.index);
    if (way === undefined) return [];
    const isSure = sure.has(to.index);
    const isWider = (after: Way | undefined, earlier: Way | undefined): boolean =>
      after !== undefined && !isSubsetPorts(after.ports, earlier?.ports ?? noPorts);
    const isAdded =
      isSure && (isWider(sure.get(to.index), before?.get(to.index)) || isWider(meant.get(to.index), meantBefore?.get(to.index)));
    const { hops, path, last } = way;
    return [{ from, to, hops, path, last, isSure, isAdded, isNotYet: isSure && !meant.has(to.index) }];
  });
}

function notReached(
  from: PartyClass,
  tos: readonly PartyClass[],
  portsOf: (to: PartyClass) => PortSet,
  ways: (level: Level) => ReadonlyMap<number, Way>,
): readonly Found[] {
  const [possible, sure, meant, before] = [ways("possibly"), ways("surely"), ways("meant"), ways("before")];
  return tos.flatMap((to): readonly Found[] => {
    const lacks = (found: ReadonlyMap<number, Way>): PortSet => subtractPorts(portsOf(to), found.get(to.index)?.ports ?? noPorts);
    const last = [lacks(possible), lacks(sure), lacks(meant)].find((ports) => !isEmptyPorts(ports));
    if (last === undefined) return [];
    const isSure = !isEmptyPorts(lacks(possible));
    const isAdded = isSure && !isEmptyPorts(subtractPorts(last, lacks(before)));
    return [{ from, to, hops: 1, path: () => [from, to], last, isSure, isAdded, isNotYet: isEmptyPorts(lacks(sure)) }];
  });
}

/** Faults that are equally certain, together. */
interface Share {
  readonly initiators: PartyClass[];
  ports: PortSet;
  isNotYet: boolean;
}

/** All faults of one class of responders as one; the way that is told is sure before it is not, added before it was there, then short, then first. */
class Gathering {
  #best: Found;
  readonly #sure: Share = { initiators: [], ports: noPorts, isNotYet: true };
  readonly #unsure: Share = { initiators: [], ports: noPorts, isNotYet: true };

  constructor(first: Found) {
    this.#best = first;
    this.add(first);
  }

  add(found: Found): void {
    if (rank(found) < rank(this.#best)) this.#best = found;
    const share = found.isSure ? this.#sure : this.#unsure;
    share.initiators.push(found.from);
    share.ports = unionPorts(share.ports, found.last);
    share.isNotYet &&= found.isNotYet;
  }

  breach(): Breach {
    const { to: responders, path, last, isAdded, isSure } = this.#best;
    return { responders, ...(isSure ? this.#sure : this.#unsure), path: path(), last, isAdded, isSure };
  }
}

function rank({ isAdded, isSure, isNotYet, hops }: Found): number {
  return (isSure ? 0 : 4_000_000) + (isAdded ? 0 : 2_000_000) + (isNotYet ? 1_000_000 : 0) + hops;
}
