import type { AddressSet } from "../address/index.ts";
import { allPorts, intersectPorts, noPorts, subtractPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { matches, selectorKeys } from "../selector/index.ts";
import type { LabelSelector, Labels } from "../selector/index.ts";
import type { Direction } from "../model/kinds.ts";
import { BOTH_FAMILIES, V4, V6 } from "./classes.ts";
import type { Budget } from "./budget.ts";
import type { Classes, PeerClass, PodState } from "./classes.ts";
import { resolveNamedPorts } from "./compile-ports.ts";
import type { CompiledPolicy, CompiledRule, PeerSelector, TierPlace } from "./compiled.ts";
import { indexLabels } from "./label-index.ts";
import type { LabelIndex } from "./label-index.ts";
import { RuleSums } from "./rule-sums.ts";
import { Doubtful } from "./doubtful.ts";
import type { Profile } from "./profile.ts";
import { matchAddresses, matchPod } from "./unknown.ts";
import type { Bound } from "./unknown.ts";
import type { ActiveRule, PeerMask } from "./active-rule.ts";

/** Fewer rules than this are quicker read one by one than looked up. */
const INDEXED_RULES = 8;

/** The rules that a direction of a subject meets, in the order in which they are asked. */
export interface Stages {
  readonly admin: readonly ActiveRule[];
  /** Null when no NetworkPolicy isolates the direction. */
  readonly network: readonly ActiveRule[] | null;
  readonly baseline: readonly ActiveRule[];
}

/**
 * One world's policies evaluated over classes, on demand.
 *
 * A selector is matched once per class and remembered as a mask, shared by all rules that use it; a pair is then a few look-ups in
 * the masks of the rules of the policies that select the subject. Nothing is ever computed pod by pod.
 */
export interface Rows {
  /** NetworkPolicies that select the class and isolate the direction; none means not isolated. */
  readonly policiesOn: (subject: number, direction: Direction) => readonly CompiledPolicy[];
  /** Cluster-wide policies of a tier with rules for the direction that select the class, in the order in which they are asked. */
  readonly tiersOn: (subject: number, direction: Direction, level: TierPlace["level"]) => readonly CompiledPolicy[];
  /** Policies of any kind that say something about that direction of the class. */
  readonly concerning: (subject: number, direction: Direction) => readonly CompiledPolicy[];
  /** Ports that the subject's own end allows with that peer in that family. */
  readonly allowed: (subject: number, peer: number, direction: Direction, family: number) => PortSet;
  /** Ports that both ends allow, over those of `families` that both have. Nothing between two address classes or absent pods. */
  readonly connection: (from: number, to: number, families?: number) => PortSet;
  /** Per peer class, the families in which a rule names it; undefined: every class, both families. Shared between equal rules. */
  readonly peersOf: (rule: CompiledRule, policy: CompiledPolicy) => Uint8Array | undefined;
  /** The rules behind `allowed`. */
  readonly stagesOf: (subject: number, direction: Direction) => Stages;
  /** Ports of a rule at a destination, where names depend on it. */
  readonly portsAt: (rule: CompiledRule, destination: number) => PortSet;
  /** True when it is not known in which of their families two classes will talk. */
  readonly isAnyFamily: (from: number, to: number) => boolean;
  /** The bound that is asked for; both are one where all is known. */
  readonly bound: Bound;
  /** Does the rule name that peer, for that subject, in that family? */
  readonly ruleMatches: (rule: CompiledRule, policy: CompiledPolicy, peer: number, family: number) => boolean;
}

/** Rows of world number `world` of the classification; what rests on facts that nobody knows is closed, or open with the bound "most". */
export function rowsOf(classes: Classes, world: number, profile: Profile, budget?: Budget, bound: Bound = "least"): Rows {
  const engine = new RowEngine(classes, world, profile, budget, bound);
  return {
    policiesOn: (subject, direction) => engine.policiesOn(subject, direction),
    tiersOn: (subject, direction, level) => engine.tiersOn(subject, direction, level),
    concerning: (subject, direction) => engine.concerning(subject, direction),
    allowed: (subject, peer, direction, family) => engine.allowed(subject, peer, direction, family),
    connection: (from, to, families) => engine.connection(from, to, families),
    peersOf: (rule, policy) => engine.maskOf(rule, policy),
    stagesOf: (subject, direction) => engine.stagesOf(subject, direction),
    portsAt: (rule, destination) => engine.portsAt(rule, destination),
    isAnyFamily: (from, to) => engine.isAnyFamily(from, to),
    bound,
    ruleMatches: (rule, policy, peer, family) => isNamed(engine.maskOf(rule, policy), peer, family),
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
  readonly #networkPolicies: readonly CompiledPolicy[];
  /** Cluster-wide policies in the order in which they are asked; of one priority, by name, so that order of input never matters. */
  readonly #tiers: readonly CompiledPolicy[];
  readonly #stages = { ingress: new Map<number, Stages>(), egress: new Map<number, Stages>() };
  readonly #masks = new Map<CompiledRule, PeerMask>();
  readonly #selectorMasks = new Map<string, Uint8Array>();
  readonly #states: readonly (PodState | undefined)[];
  readonly #budget: Budget | undefined;
  readonly #networks = new Map<string, readonly ActiveRule[]>();
  readonly #numbers = new Map<CompiledPolicy, number>();
  readonly #sums = new Map<readonly ActiveRule[], RuleSums>();
  #selected: readonly (readonly CompiledPolicy[] | undefined)[] | undefined;
  #selectedByTiers: readonly (readonly CompiledPolicy[] | undefined)[] | undefined;
  #podIndex: LabelIndex | undefined;
  /** Classes of pods with labels whose values nobody knows: they are looked at for every selector. */
  readonly #unplaced = new Map<boolean, ReadonlyMap<AddressSet, readonly number[]>>();
  #unsurePeers: ReadonlyMap<string, readonly number[]> | undefined;
  readonly #bound: Bound;
  readonly #doubtful: Doubtful;
  #podsOfNamespace: ReadonlyMap<string, readonly number[]> | undefined;
  #atomsOfSet: readonly (readonly number[])[] | undefined;
  readonly #podsOfAtom = new Map<boolean, ReadonlyMap<number, readonly number[]>>();

  constructor(classes: Classes, world: number, profile: Profile, budget: Budget | undefined, bound: Bound) {
    this.#budget = budget;
    this.#bound = bound;
    this.#doubtful = new Doubtful(bound, classes.isUnsure);
    this.#classes = classes;
    this.#world = world;
    this.#profile = profile;
    this.#states = classes.peers.map((peer) => (peer.kind === "pods" ? peer.states[world] : undefined));
    const policies = classes.policies[world] ?? [];
    this.#networkPolicies = policies.filter((policy) => policy.tier === undefined);
    this.#tiers = policies
      .filter((policy) => policy.tier !== undefined)
      .sort(compareTiers)
      .map((policy) => this.#doubtful.passing(policy));
  }

  /** Policies that select the subject or may, as they were given. */
  concerning(subject: number, direction: Direction): readonly CompiledPolicy[] {
    const admin = this.tiersOn(subject, direction, "admin");
    const network = (this.#selecting()[subject] ?? []).filter((policy) => policy[direction] !== null);
    const found = [...admin, ...network, ...this.tiersOn(subject, direction, "baseline")];
    return this.#classes.isUnsure ? found.map((policy) => this.#doubtful.original(policy)) : found;
  }

  /** One that only may select the subject isolates at least, and lets nothing through; at most it isolates nothing by itself. */
  policiesOn(subject: number, direction: Direction): readonly CompiledPolicy[] {
    const found = (this.#selecting()[subject] ?? []).filter((policy) => policy[direction] !== null);
    const isOpen = this.#bound === "most" && found.every((policy) => this.#doubtful.isDoubtful(policy));
    return isOpen ? [] : found;
  }

  tiersOn(subject: number, direction: Direction, level: TierPlace["level"]): readonly CompiledPolicy[] {
    if (this.#tiers.length === 0) return [];
    return (this.#selectingTiers()[subject] ?? []).filter((policy) => policy.tier?.level === level && policy[direction] !== null);
  }

  allowed(subject: number, peer: number, direction: Direction, family: number): PortSet {
    const { admin, network, baseline } = this.stagesOf(subject, direction);
    if (admin.length === 0 && baseline.length === 0) return network === null ? allPorts : this.#accepted(network, peer, family);
    const above = this.#walk(admin, peer, family, allPorts);
    if (network !== null) {
      return unionPorts(above.accepted, intersectPorts(above.next, this.#accepted(network, peer, family)));
    }
    const below = this.#walk(baseline, peer, family, above.next);
    return unionPorts(above.accepted, unionPorts(below.accepted, below.next));
  }

  connection(from: number, to: number, families: number = BOTH_FAMILIES): PortSet {
    const shared = this.#familiesOf(from) & this.#familiesOf(to) & families;
    if (shared === 0 || (this.#states[from] === undefined && this.#states[to] === undefined)) return noPorts;
    if (shared === BOTH_FAMILIES && this.#bound === "least" && this.isAnyFamily(from, to))
      return intersectPorts(this.#inFamily(from, to, V4), this.#inFamily(from, to, V6));
    const v4 = (shared & V4) === 0 ? noPorts : this.#inFamily(from, to, V4);
    return (shared & V6) === 0 ? v4 : unionPorts(v4, this.#inFamily(from, to, V6));
  }

  /** True when it is not known in which of their families the two will talk. */
  isAnyFamily(from: number, to: number): boolean {
    return this.#states[from]?.isAnyFamily === true || this.#states[to]?.isAnyFamily === true;
  }

  /** Classes that a rule names. */
  maskOf(rule: CompiledRule, policy: CompiledPolicy): PeerMask {
    if (rule.peers === "any") return undefined;
    const known = this.#masks.get(rule);
    if (known !== undefined) return known;
    this.#budget?.spend(this.#states.length * (1 + rule.peers.selectors.length));
    const isWide = this.#doubtful.isWide(rule);
    const parts = rule.peers.selectors.map((selector) => this.#selectorMask(selector, policy.namespace, isWide));
    const atoms = this.#atomsOf(rule.peers.addresses);
    if (atoms.length > 0) parts.push(this.#addressMask(atoms, rule.peers.addresses, policy.tier !== undefined, isWide));
    const mask = mergeMasks(parts, this.#states.length);
    this.#masks.set(rule, mask);
    return mask;
  }

  #inFamily(from: number, to: number, family: number): PortSet {
    const out = this.allowed(from, to, "egress", family);
    return out === noPorts ? noPorts : intersectPorts(out, this.allowed(to, from, "ingress", family));
  }

  #familiesOf(peer: number): number {
    return familiesOf(this.#classes.peers[peer] as PeerClass, this.#world);
  }

  /** What rules that only add up let through. */
  #accepted(rules: readonly ActiveRule[], peer: number, family: number): PortSet {
    if (rules.length >= INDEXED_RULES) return this.#sumsOf(rules).accepted(peer, family);
    let accepted = noPorts;
    for (const { mask, rule, ports } of rules) {
      if (isNamed(mask, peer, family)) accepted = unionPorts(accepted, ports ?? this.portsAt(rule, peer));
    }
    return accepted;
  }

  #sumsOf(rules: readonly ActiveRule[]): RuleSums {
    const known = this.#sums.get(rules);
    if (known !== undefined) return known;
    const sums = new RuleSums(rules, this.#states.length, (rule, peer) => this.portsAt(rule, peer), this.#budget);
    this.#sums.set(rules, sums);
    return sums;
  }

  /** What an ordered tier accepts of `ports`, and what goes on to the next one: passed, or matched by no rule. */
  #walk(rules: readonly ActiveRule[], peer: number, family: number, ports: PortSet): { accepted: PortSet; next: PortSet } {
    let [accepted, passed, open] = [noPorts, noPorts, ports];
    for (const { mask, rule, ports: known } of rules) {
      if (!isNamed(mask, peer, family)) continue;
      const met = intersectPorts(known ?? this.portsAt(rule, peer), open);
      if (rule.action === "accept") accepted = unionPorts(accepted, met);
      if (rule.action === "pass") passed = unionPorts(passed, met);
      open = subtractPorts(open, met);
    }
    return { accepted, next: unionPorts(open, passed) };
  }

  /** Per class, the NetworkPolicies whose podSelector selects it: none for addresses, pods on the host network and absent pods. */
  #selecting(): readonly (readonly CompiledPolicy[] | undefined)[] {
    this.#selected ??= this.#subjects(this.#networkPolicies, (policy, state) => policy.namespace === state.pod.namespace);
    return this.#selected;
  }

  #selectingTiers(): readonly (readonly CompiledPolicy[] | undefined)[] {
    this.#selectedByTiers ??= this.#subjects(this.#tiers, ({ tier }, state) =>
      matches(tier?.namespaces ?? {}, state.namespaceLabels),
    );
    return this.#selectedByTiers;
  }

  #subjects(
    policies: readonly CompiledPolicy[],
    isInNamespace: (policy: CompiledPolicy, state: PodState) => boolean,
  ): readonly (readonly CompiledPolicy[] | undefined)[] {
    const selected: CompiledPolicy[][] = [];
    for (const policy of policies) {
      for (const peer of this.#candidates(policy.subjects, policy.tier === undefined ? policy.namespace : undefined)) {
        const state = this.#states[peer];
        if (state === undefined || state.pod.hostNetwork === true) continue;
        if (!isInNamespace(policy, state)) continue;
        const found = matchPod(policy.subjects, state.pod);
        if (found !== "no") (selected[peer] ??= []).push(found === "yes" ? policy : this.#doubtful.maybe(policy));
      }
    }
    return selected;
  }

  /** Classes that the pod selector can match; with a namespace, at most those in it. */
  #candidates(pods: LabelSelector, namespace: string | undefined): readonly number[] {
    this.#podIndex ??= indexLabels(this.#states.map((state) => state?.pod.labels));
    this.#unsurePeers ??= this.#groupByUnknownLabel();
    const known = this.#podIndex.candidates(pods);
    const unsure = this.#unsurePeers.size === 0 ? [] : selectorKeys(pods).flatMap((key) => this.#unsurePeers?.get(key) ?? []);
    const byLabels = unsure.length === 0 ? known : [...new Set([...known, ...unsure])];
    if (namespace === undefined) return byLabels;
    this.#podsOfNamespace ??= this.#groupByNamespace();
    const inNamespace = this.#podsOfNamespace.get(namespace) ?? [];
    return inNamespace.length < byLabels.length ? inNamespace : byLabels;
  }

  /** Classes whose pods will have a label of which nobody knows the value, by its key: a selector that asks for it may match them. */
  #groupByUnknownLabel(): ReadonlyMap<string, readonly number[]> {
    const groups = new Map<string, number[]>();
    for (const [peer, state] of this.#states.entries()) {
      for (const key of state?.pod.unknown?.labels ?? []) {
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [peer]);
        else group.push(peer);
      }
    }
    return groups;
  }

  /** Only looked up for namespaces that have policies: other classes may hold pods of several namespaces. */
  #groupByNamespace(): ReadonlyMap<string, readonly number[]> {
    const groups = new Map<string, number[]>();
    for (const [peer, state] of this.#states.entries()) {
      if (state === undefined) continue;
      const group = groups.get(state.pod.namespace);
      if (group === undefined) groups.set(state.pod.namespace, [peer]);
      else group.push(peer);
    }
    return groups;
  }

  stagesOf(subject: number, direction: Direction): Stages {
    const known = this.#stages[direction].get(subject);
    if (known !== undefined) return known;
    const activate = (policies: readonly CompiledPolicy[]): readonly ActiveRule[] =>
      policies.flatMap((policy) => (policy[direction] ?? []).map((rule) => this.#activate(rule, policy, subject, direction)));
    const policies = this.policiesOn(subject, direction);
    const stages: Stages = {
      admin: activate(this.tiersOn(subject, direction, "admin")),
      network: policies.length === 0 ? null : this.#networkOf(policies, subject, direction, activate),
      baseline: activate(this.tiersOn(subject, direction, "baseline")),
    };
    this.#stages[direction].set(subject, stages);
    return stages;
  }

  /** Subjects under the same policies share one list of rules, unless ports go by the subject's own names. */
  #networkOf(
    policies: readonly CompiledPolicy[],
    subject: number,
    direction: Direction,
    activate: (policies: readonly CompiledPolicy[]) => readonly ActiveRule[],
  ): readonly ActiveRule[] {
    const isOwn = direction === "ingress" && policies.some(({ ingress }) => ingress?.some((rule) => rule.namedPorts.length > 0));
    const key = `${direction} ${isOwn ? subject : ""} ${policies.map((policy) => this.#numberOf(policy)).join()}`;
    const known = this.#networks.get(key);
    if (known !== undefined) return known;
    this.#budget?.spend(policies.reduce((sum, policy) => sum + (policy[direction]?.length ?? 0), 0));
    const rules = activate(policies);
    this.#networks.set(key, rules);
    return rules;
  }

  #numberOf(policy: CompiledPolicy): number {
    const number = this.#numbers.get(policy) ?? this.#numbers.size;
    this.#numbers.set(policy, number);
    return number;
  }

  #activate(rule: CompiledRule, policy: CompiledPolicy, subject: number, direction: Direction): ActiveRule {
    const isByPeer = direction === "egress" && rule.namedPorts.length > 0;
    return { mask: this.maskOf(rule, policy), rule, ports: isByPeer ? undefined : this.portsAt(rule, subject) };
  }

  /** Ports of a rule at a destination: names mean what that destination's pods declare, and nothing anywhere else. */
  portsAt(rule: CompiledRule, destination: number): PortSet {
    if (rule.namedPorts.length === 0) return rule.ports;
    const pod = this.#states[destination]?.pod;
    if (pod === undefined || pod.hostNetwork === true) return rule.ports;
    return unionPorts(rule.ports, resolveNamedPorts(rule.namedPorts, pod.ports));
  }

  /** `isWide`: classes that the selector may match are in it too. */
  #selectorMask(selector: PeerSelector, ownNamespace: string, isWide: boolean): Uint8Array {
    const key = JSON.stringify([selector.namespaces === "own" ? ownNamespace : selector.namespaces, selector.pods, isWide]);
    const known = this.#selectorMasks.get(key);
    if (known !== undefined) return known;
    const mask = new Uint8Array(this.#states.length);
    const inNamespace = namespaceTest(selector.namespaces, ownNamespace);
    for (const peer of this.#candidates(selector.pods, selector.namespaces === "own" ? ownNamespace : undefined)) {
      const state = this.#states[peer];
      if (state !== undefined && inNamespace(state) && this.#isSelected(state, selector, isWide)) mask[peer] = BOTH_FAMILIES;
    }
    this.#selectorMasks.set(key, mask);
    return mask;
  }

  /** Of pods in a namespace that is selected. */
  #isSelected({ pod }: PodState, selector: PeerSelector, isWide: boolean): boolean {
    if (pod.hostNetwork === true) {
      const isByNamespace = this.#profile.hostNetworkPeers === "namespace" && selector.namespaces !== "own" && selector.isEveryPod;
      if (!isByNamespace) return false;
    }
    const found = matchPod(selector.pods, pod);
    return found === "yes" || (isWide && found === "maybe");
  }

  #atomsOf(addresses: AddressSet): readonly number[] {
    const set = this.#classes.addressSets.get(addresses);
    if (set === undefined) return [];
    this.#atomsOfSet ??= invert(this.#classes.atoms.list.map((atom) => atom.within));
    return this.#atomsOfSet[set] ?? [];
  }

  /**
   * Address classes are the first peers, in the order of the atoms; pods with an address there follow. Networks of cluster-wide policies
   * hold pods by their definition; whether blocks of a NetworkPolicy do, the profile says.
   */
  #addressMask(atoms: readonly number[], addresses: AddressSet, isOfTier: boolean, isWide: boolean): Uint8Array {
    const podsOfAtom = this.#podsOfAtom.get(isOfTier) ?? this.#groupByAtom(isOfTier);
    this.#podsOfAtom.set(isOfTier, podsOfAtom);
    const mask = new Uint8Array(this.#states.length);
    for (const atom of atoms) {
      const family = this.#classes.atoms.list[atom]?.family === 4 ? V4 : V6;
      for (const peer of [atom, ...(podsOfAtom.get(atom) ?? [])]) mask[peer] = (mask[peer] ?? 0) | family;
    }
    if (this.#classes.isUnsure) this.#addUnplaced(mask, addresses, isOfTier, isWide);
    return mask;
  }

  /** Pods whose address nobody knows are in what holds every address that they may get. */
  #addUnplaced(mask: Uint8Array, addresses: AddressSet, isOfTier: boolean, isWide: boolean): void {
    const unplaced = this.#unplaced.get(isOfTier) ?? this.#groupUnplaced(isOfTier);
    this.#unplaced.set(isOfTier, unplaced);
    for (const [possible, peers] of unplaced) {
      let bits = 0;
      for (const family of [4, 6] as const) {
        const match = matchAddresses(addresses, possible, family);
        if (match === "yes" || (isWide && match === "maybe")) bits |= family === 4 ? V4 : V6;
      }
      if (bits !== 0) for (const peer of peers) mask[peer] = (mask[peer] ?? 0) | bits;
    }
  }

  /** Classes whose pods' address nobody knows, by what it may be. */
  #groupUnplaced(isOfTier: boolean): ReadonlyMap<AddressSet, readonly number[]> {
    const groups = new Map<AddressSet, number[]>();
    for (const [peer, state] of this.#states.entries()) {
      const possible = state?.pod.unknown?.addresses;
      if (state === undefined || possible === undefined || !(isOfTier || this.#isMatchedByAddress(state))) continue;
      const group = groups.get(possible);
      if (group === undefined) groups.set(possible, [peer]);
      else group.push(peer);
    }
    return groups;
  }

  #isMatchedByAddress({ pod }: PodState): boolean {
    return pod.hostNetwork === true ? this.#profile.ipBlockMatchesNodes : this.#profile.ipBlockMatchesPods;
  }

  #groupByAtom(isOfTier: boolean): ReadonlyMap<number, readonly number[]> {
    const groups = new Map<number, number[]>();
    for (const [peer, state] of this.#states.entries()) {
      if (state === undefined || !(isOfTier || this.#isMatchedByAddress(state))) continue;
      for (const atom of state.atoms) {
        const group = groups.get(atom);
        if (group === undefined) groups.set(atom, [peer]);
        else group.push(peer);
      }
    }
    return groups;
  }
}

/** Admin before Baseline, then by priority. */
function compareTiers(a: CompiledPolicy, b: CompiledPolicy): number {
  const level = (policy: CompiledPolicy): number => (policy.tier?.level === "baseline" ? 1 : 0);
  const byPlace = level(a) - level(b) || (a.tier?.priority ?? 0) - (b.tier?.priority ?? 0);
  return byPlace || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

function isNamed(mask: PeerMask, peer: number, family: number): boolean {
  return mask === undefined || ((mask[peer] ?? 0) & family) !== 0;
}

function mergeMasks(masks: readonly Uint8Array[], size: number): Uint8Array {
  const [only, ...more] = masks;
  if (only !== undefined && more.length === 0) return only;
  const merged = new Uint8Array(size);
  for (const mask of masks) for (let peer = 0; peer < size; peer += 1) merged[peer] = (merged[peer] ?? 0) | (mask[peer] ?? 0);
  return merged;
}

/** Is a pod in the namespaces that a selector names? Each namespace is looked at once. */
function namespaceTest(namespaces: PeerSelector["namespaces"], own: string): (state: PodState) => boolean {
  if (namespaces === "own") return ({ pod }) => pod.namespace === own;
  const known = new Map<Labels, boolean>(); // pods of one namespace share its labels
  return ({ namespaceLabels }) => {
    const found = known.get(namespaceLabels) ?? matches(namespaces, namespaceLabels);
    known.set(namespaceLabels, found);
    return found;
  };
}

function invert(lists: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const inverted: number[][] = [];
  for (const [index, list] of lists.entries()) for (const item of list) (inverted[item] ??= []).push(index);
  return inverted;
}
