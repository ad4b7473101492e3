import { allPorts, intersectPorts, noPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { matches } from "../selector/index.ts";
import type { Direction } from "../model/kinds.ts";
import { BOTH_FAMILIES, V4, V6 } from "./classes.ts";
import type { Classes, PeerClass, PodState } from "./classes.ts";
import { resolveNamedPorts } from "./compile-ports.ts";
import type { CompiledPolicy, CompiledRule, PeerSelector } from "./compile.ts";
import type { Profile } from "./profile.ts";

/** What one subject class allows in one direction: ports per peer class and family. */
interface Row {
  readonly v4: readonly (PortSet | undefined)[];
  readonly v6: readonly (PortSet | undefined)[];
}

/** A peer class that a rule names, and the families in which it does. */
interface RulePeer {
  readonly peer: number;
  readonly families: number;
}

/**
 * One world's policies evaluated over classes, row by row, on demand.
 *
 * A row is built from the rules of the policies that select the subject, by walking the classes each rule names; nothing is ever
 * computed pod by pod.
 */
export interface Rows {
  /** Policies that select the class and isolate the direction; none means not isolated, so everything is allowed. */
  readonly policiesOn: (subject: number, direction: Direction) => readonly CompiledPolicy[];
  /** Ports that the subject's own end allows with that peer in that family. */
  readonly allowed: (subject: number, peer: number, direction: Direction, family: number) => PortSet;
  /** Ports that both ends allow, over the families that both have. Nothing between two address classes or absent pods. */
  readonly connection: (from: number, to: number) => PortSet;
  /** Does the rule name that peer, for that subject, in that family? */
  readonly ruleMatches: (rule: CompiledRule, policy: CompiledPolicy, peer: number, family: number) => boolean;
}

/** Rows of world number `world` of the classification. */
export function rowsOf(classes: Classes, world: number, profile: Profile): Rows {
  const engine = new RowEngine(classes, world, profile);
  return {
    policiesOn: (subject, direction) => engine.policiesOn(subject, direction),
    allowed: (subject, peer, direction, family) => engine.allowed(subject, peer, direction, family),
    connection: (from, to) => engine.connection(from, to),
    ruleMatches: (rule, policy, peer, family) =>
      engine.peersOf(rule, policy).some((match) => match.peer === peer && (match.families & family) !== 0),
  };
}

/** Families in which a class can talk in one world; 0 when it is not there. */
export function familiesOf(peer: PeerClass, world: number): number {
  if (peer.kind === "addresses") return peer.family === 4 ? V4 : V6;
  return peer.states[world]?.families ?? 0;
}

class RowEngine {
  readonly #classes: Classes;
  readonly #world: number;
  readonly #profile: Profile;
  readonly #byNamespace = new Map<string, CompiledPolicy[]>();
  readonly #selected = new Map<number, readonly CompiledPolicy[]>();
  readonly #rows = { ingress: new Map<number, Row | null>(), egress: new Map<number, Row | null>() };
  readonly #peers = new Map<CompiledRule, readonly RulePeer[]>();
  readonly #selectorPeers = new Map<string, readonly number[]>();
  readonly #states: readonly (PodState | undefined)[];
  #atomsOfSet: readonly (readonly number[])[] | undefined;
  #podsOfAtom: ReadonlyMap<number, readonly number[]> | undefined;

  constructor(classes: Classes, world: number, profile: Profile) {
    this.#classes = classes;
    this.#world = world;
    this.#profile = profile;
    this.#states = classes.peers.map((peer) => (peer.kind === "pods" ? peer.states[world] : undefined));
    for (const policy of classes.policies[world] ?? []) {
      const list = this.#byNamespace.get(policy.namespace);
      if (list === undefined) this.#byNamespace.set(policy.namespace, [policy]);
      else list.push(policy);
    }
  }

  policiesOn(subject: number, direction: Direction): readonly CompiledPolicy[] {
    return this.#selecting(subject).filter((policy) => policy[direction] !== null);
  }

  allowed(subject: number, peer: number, direction: Direction, family: number): PortSet {
    const row = this.#row(subject, direction);
    if (row === null) return allPorts;
    return (family === V4 ? row.v4[peer] : row.v6[peer]) ?? noPorts;
  }

  connection(from: number, to: number): PortSet {
    const shared = this.#familiesOf(from) & this.#familiesOf(to);
    if (shared === 0 || (this.#states[from] === undefined && this.#states[to] === undefined)) return noPorts;
    const v4 = (shared & V4) === 0 ? noPorts : this.#inFamily(from, to, V4);
    return (shared & V6) === 0 ? v4 : unionPorts(v4, this.#inFamily(from, to, V6));
  }

  /** Classes that a rule names. `any` names all, in both families. */
  peersOf(rule: CompiledRule, policy: CompiledPolicy): readonly RulePeer[] {
    const known = this.#peers.get(rule);
    if (known !== undefined) return known;
    const families = new Map<number, number>();
    const add = (peer: number, family: number): void => void families.set(peer, (families.get(peer) ?? 0) | family);
    if (rule.peers === "any") {
      for (const peer of this.#classes.peers.keys()) add(peer, BOTH_FAMILIES);
    } else {
      for (const selector of rule.peers.selectors) {
        for (const peer of this.#podsMatching(selector, policy.namespace)) add(peer, BOTH_FAMILIES);
      }
      for (const atom of this.#atomsOf(rule)) this.#addAtom(atom, add);
    }
    const peers = [...families].map(([peer, bits]) => ({ peer, families: bits }));
    this.#peers.set(rule, peers);
    return peers;
  }

  #inFamily(from: number, to: number, family: number): PortSet {
    const out = this.allowed(from, to, "egress", family);
    return out === noPorts ? noPorts : intersectPorts(out, this.allowed(to, from, "ingress", family));
  }

  #familiesOf(peer: number): number {
    return familiesOf(this.#classes.peers[peer] as PeerClass, this.#world);
  }

  /** Policies whose podSelector selects the class: never for addresses, pods on the host network and absent pods. */
  #selecting(subject: number): readonly CompiledPolicy[] {
    const known = this.#selected.get(subject);
    if (known !== undefined) return known;
    const state = this.#states[subject];
    const candidates =
      state === undefined || state.pod.hostNetwork === true ? [] : (this.#byNamespace.get(state.pod.namespace) ?? []);
    const selecting = candidates.filter((policy) => matches(policy.subjects, state?.pod.labels ?? {}));
    this.#selected.set(subject, selecting);
    return selecting;
  }

  #row(subject: number, direction: Direction): Row | null {
    const known = this.#rows[direction].get(subject);
    if (known !== undefined) return known;
    const row = this.#buildRow(subject, direction);
    this.#rows[direction].set(subject, row);
    return row;
  }

  #buildRow(subject: number, direction: Direction): Row | null {
    const policies = this.policiesOn(subject, direction);
    if (policies.length === 0) return null;
    const size = this.#classes.peers.length;
    const row = { v4: Array.from<PortSet | undefined>({ length: size }), v6: Array.from<PortSet | undefined>({ length: size }) };
    for (const policy of policies) {
      for (const rule of policy[direction] ?? []) this.#addRule(row, rule, policy, subject, direction);
    }
    return row;
  }

  #addRule(
    row: { v4: (PortSet | undefined)[]; v6: (PortSet | undefined)[] },
    rule: CompiledRule,
    policy: CompiledPolicy,
    subject: number,
    direction: Direction,
  ): void {
    const own = direction === "ingress" ? this.#portsAt(rule, subject) : undefined;
    for (const { peer, families } of this.peersOf(rule, policy)) {
      const ports = own ?? this.#portsAt(rule, peer);
      if ((families & V4) !== 0) row.v4[peer] = unionPorts(row.v4[peer] ?? noPorts, ports);
      if ((families & V6) !== 0) row.v6[peer] = unionPorts(row.v6[peer] ?? noPorts, ports);
    }
  }

  /** Ports of a rule at a destination: names mean what that destination's pods declare, and nothing anywhere else. */
  #portsAt(rule: CompiledRule, destination: number): PortSet {
    if (rule.namedPorts.length === 0) return rule.ports;
    const pod = this.#states[destination]?.pod;
    if (pod === undefined || pod.hostNetwork === true) return rule.ports;
    return unionPorts(rule.ports, resolveNamedPorts(rule.namedPorts, pod.ports));
  }

  #podsMatching(selector: PeerSelector, ownNamespace: string): readonly number[] {
    const key = JSON.stringify([selector.namespaces === "own" ? ownNamespace : selector.namespaces, selector.pods]);
    const known = this.#selectorPeers.get(key);
    if (known !== undefined) return known;
    const found: number[] = [];
    for (const [peer, state] of this.#states.entries()) {
      if (state !== undefined && this.#isNamed(state, selector, ownNamespace)) found.push(peer);
    }
    this.#selectorPeers.set(key, found);
    return found;
  }

  #isNamed(state: PodState, selector: PeerSelector, ownNamespace: string): boolean {
    const { pod } = state;
    if (pod.hostNetwork === true) {
      const isByNamespace = this.#profile.hostNetworkPeers === "namespace" && selector.namespaces !== "own" && selector.isEveryPod;
      if (!isByNamespace) return false;
    }
    const isInNamespace =
      selector.namespaces === "own" ? pod.namespace === ownNamespace : matches(selector.namespaces, state.namespaceLabels);
    return isInNamespace && matches(selector.pods, pod.labels);
  }

  #atomsOf(rule: CompiledRule): readonly number[] {
    if (rule.peers === "any") return [];
    const set = this.#classes.addressSets.get(rule.peers.addresses);
    if (set === undefined) return [];
    this.#atomsOfSet ??= invert(this.#classes.atoms.list.map((atom) => atom.within));
    return this.#atomsOfSet[set] ?? [];
  }

  #addAtom(atom: number, add: (peer: number, family: number) => void): void {
    const family = this.#classes.atoms.list[atom]?.family === 4 ? V4 : V6;
    add(atom, family); // address classes are the first peers, in the order of the atoms
    this.#podsOfAtom ??= this.#groupByAtom();
    for (const peer of this.#podsOfAtom.get(atom) ?? []) add(peer, family);
  }

  #groupByAtom(): ReadonlyMap<number, readonly number[]> {
    const groups = new Map<number, number[]>();
    for (const [peer, state] of this.#states.entries()) {
      if (state === undefined) continue;
      const isMatched = state.pod.hostNetwork === true ? this.#profile.ipBlockMatchesNodes : this.#profile.ipBlockMatchesPods;
      if (!isMatched) continue;
      for (const atom of state.atoms) {
        const group = groups.get(atom);
        if (group === undefined) groups.set(atom, [peer]);
        else group.push(peer);
      }
    }
    return groups;
  }
}

function invert(lists: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const inverted: number[][] = [];
  for (const [index, list] of lists.entries()) for (const item of list) (inverted[item] ??= []).push(index);
  return inverted;
}
