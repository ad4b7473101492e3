import type { Labels } from "../selector/index.ts";
import type { AddressSet } from "../address/index.ts";
import { anyV6, isEmpty, isSubset } from "../address/index.ts";
import { cutIntoAtoms } from "./atoms.ts";
import type { Budget } from "./budget.ts";
import type { Atoms } from "./atoms.ts";
import { compilePolicy } from "./compile.ts";
import type { CompiledPolicy, CompiledRule } from "./compiled.ts";
import { livePods, namespaceLabels, parsedAddresses, podId } from "./world.ts";
import type { World, WorldPod } from "./world.ts";
import type { LabelSelector } from "../selector/index.ts";

/** Steps of a budget that a pod costs besides its labels: about 5 µs. */
const STEPS_OF_POD = 150;

/** Address families as bits, so that a set of families is a number. */
export const V4 = 1;
export const V6 = 2;
export const BOTH_FAMILIES = 3;

/** A pod as one world has it, reduced to what its policies can see. */
export interface PodState {
  readonly pod: WorldPod;
  readonly namespaceLabels: Labels;
  /** Peer numbers of the address classes that its addresses lie in. */
  readonly atoms: readonly number[];
  /** Families in which it can talk; for a pod that has no address yet, those that are in use. */
  readonly families: number;
  /** True for a pod that may get an address of any of its families, or of all. */
  readonly isAnyFamily: boolean;
}

/**
 * Pods that no policy of any of the worlds tells apart. `states[w]` is a representative in world w, undefined where the pods do
 * not exist; `pods` are all of them (as the last world that has them knows them).
 */
export interface PodClass {
  readonly kind: "pods";
  readonly states: readonly (PodState | undefined)[];
  readonly pods: readonly WorldPod[];
  /** True when policies see the same in every world. */
  readonly isSteady: boolean;
}

/** Addresses that no ipBlock of any of the worlds tells apart. */
export interface AddressClass {
  readonly kind: "addresses";
  readonly family: 4 | 6;
  readonly addresses: AddressSet;
}

export type PeerClass = PodClass | AddressClass;

/** One or two worlds, divided into classes. A class is named by its index in `peers`: address classes first. */
export interface Classes {
  readonly peers: readonly PeerClass[];
  readonly atoms: Atoms;
  /** The address sets of all rules, numbered by content; `atoms.list[i].within` holds these numbers. */
  readonly addressSets: ReadonlyMap<AddressSet, number>;
  /** Peer number of a pod, by `namespace/name`. */
  readonly ofPod: ReadonlyMap<string, number>;
  /** Compiled policies of each world, in order. */
  readonly policies: readonly (readonly CompiledPolicy[])[];
  /** True when policies ask for something that nobody knows of some pod: then bounds may differ (see `unknown.ts`). */
  readonly isUnsure: boolean;
  /** The keys of labels that policies ask pods for. */
  readonly labelKeys: readonly string[];
}

/**
 * Divides the pods and the address space of the worlds (before and after, or just one) by what any of their policies can see.
 *
 * @param mayHaveV6 true: a pod whose addresses nobody knows has both families, also where nothing else uses IPv6
 * @throws OverBudget when that costs more than the budget
 */
export function classify(worlds: readonly World[], budget?: Budget, mayHaveV6 = false): Classes {
  const policies = worlds.map((world) => world.policies.map((policy) => compilePolicy(policy, world.nodes)));
  const sight = sightOf(policies.flat());
  // A pod's key is read label by label, for every label that some policy names.
  const keys = sight.podKeys.length + sight.namespaceKeys.length + STEPS_OF_POD;
  for (const { pods } of worlds) budget?.spend(pods.length * keys);
  const atoms = cutIntoAtoms(sight.distinct, budget);
  const groups = new Map<string, { states: (PodState | undefined)[]; pods: WorldPod[]; isSteady: boolean }>();
  const ofPod = new Map<string, number>();
  const first = atoms.list.length;
  const numbers = new Map<string, number>();
  const unplaced = mayHaveV6 || usesV6(worlds, sight) ? BOTH_FAMILIES : V4;
  let isUnsure = false;
  for (const [id, states] of statesByPod(worlds, atoms, unplaced)) {
    isUnsure ||= states.some((state) => state !== undefined && isAskedFor(state.pod, sight));
    const keys: string[] = [];
    for (const [world, state] of states.entries()) {
      const isSame = world > 0 && state === states[world - 1];
      keys.push(isSame ? (keys[world - 1] as string) : state === undefined ? "-" : stateKey(state, sight));
    }
    const key = keys.join("\u0001");
    let group = groups.get(key);
    if (group === undefined) {
      group = { states, pods: [], isSteady: keys.every((other) => other === keys[0]) };
      numbers.set(key, first + groups.size);
      groups.set(key, group);
    }
    const last = states.findLast((state) => state !== undefined);
    if (last !== undefined) group.pods.push(last.pod);
    ofPod.set(id, numbers.get(key) as number);
  }
  const peers: PeerClass[] = atoms.list.map(({ family, addresses }) => ({ kind: "addresses", family, addresses }));
  for (const group of groups.values()) peers.push({ kind: "pods", ...group });
  return { peers, atoms, addressSets: sight.addressSets, ofPod, policies, isUnsure, labelKeys: sight.podKeys };
}

/** Is IPv6 in use at all: has a pod such an address, or does a rule cut its space? */
function usesV6(worlds: readonly World[], { distinct }: Sight): boolean {
  const isCut = distinct.some(({ v6 }) => v6.length > 0 && !isSubset(anyV6, { v4: [], v6 }));
  return isCut || worlds.some(({ pods }) => livePods(pods).some(({ addresses }) => addresses.some(isV6)));
}

function isV6(address: string): boolean {
  return address.includes(":") && !address.includes(".");
}

function isAskedFor({ unknown }: WorldPod, { podKeys, distinct }: Sight): boolean {
  if (unknown === undefined) return false;
  return (unknown.addresses !== undefined && distinct.length > 0) || unknown.labels.some((key) => podKeys.includes(key));
}

/** What policies can see: only this tells pods apart. */
interface Sight {
  readonly podKeys: readonly string[];
  readonly namespaceKeys: readonly string[];
  readonly portNames: ReadonlySet<string>;
  /** Namespaces that have policies: pods of others may share a class across namespaces. */
  readonly namespaces: ReadonlySet<string>;
  /** Every rule's address set, with its number among the distinct ones. */
  readonly addressSets: ReadonlyMap<AddressSet, number>;
  readonly distinct: readonly AddressSet[];
}

function sightOf(policies: readonly CompiledPolicy[]): Sight {
  const podKeys = new Set<string>();
  const namespaceKeys = new Set<string>();
  const portNames = new Set<string>();
  const addressSets = new Set<AddressSet>();
  for (const policy of policies) {
    addKeys(podKeys, policy.subjects);
    if (policy.tier !== undefined) addKeys(namespaceKeys, policy.tier.namespaces);
    for (const rule of rulesOf(policy)) {
      for (const port of rule.namedPorts) portNames.add(port.name);
      if (rule.peers === "any") continue;
      addressSets.add(rule.peers.addresses);
      for (const { pods, namespaces } of rule.peers.selectors) {
        addKeys(podKeys, pods);
        if (namespaces !== "own") addKeys(namespaceKeys, namespaces);
      }
    }
  }
  const namespaces = new Set(policies.map((policy) => policy.namespace));
  return {
    podKeys: [...podKeys].sort(),
    namespaceKeys: [...namespaceKeys].sort(),
    portNames,
    namespaces,
    ...distinctSets(addressSets),
  };
}

/** Sets with equal contents get one number. */
function distinctSets(sets: ReadonlySet<AddressSet>): Pick<Sight, "addressSets" | "distinct"> {
  const addressSets = new Map<AddressSet, number>();
  const numbers = new Map<string, number>();
  const distinct: AddressSet[] = [];
  for (const set of sets) {
    if (isEmpty(set)) continue;
    const key = setKey(set);
    const number = numbers.get(key) ?? distinct.push(set) - 1;
    numbers.set(key, number);
    addressSets.set(set, number);
  }
  return { addressSets, distinct };
}

/** All rules of both directions. */
export function rulesOf(policy: CompiledPolicy): readonly CompiledRule[] {
  return [...(policy.ingress ?? []), ...(policy.egress ?? [])];
}

function addKeys(keys: Set<string>, selector: LabelSelector): void {
  for (const key of Object.keys(selector.matchLabels ?? {})) keys.add(key);
  for (const { key } of selector.matchExpressions ?? []) keys.add(key);
}

/** Per pod (`namespace/name`), its state in each world. */
function statesByPod(worlds: readonly World[], atoms: Atoms, unplaced: number): ReadonlyMap<string, (PodState | undefined)[]> {
  const byPod = new Map<string, (PodState | undefined)[]>();
  let labels: ReadonlyMap<string, Labels> = new Map();
  for (const [index, world] of worlds.entries()) {
    const previous = worlds[index - 1];
    if (previous?.pods !== world.pods || previous.namespaces !== world.namespaces) labels = namespaceLabels(world);
    for (const pod of livePods(world.pods)) {
      const id = podId(pod);
      const states = byPod.get(id) ?? worlds.map(() => undefined);
      states[index] = stateOf(
        pod,
        labels.get(pod.namespace) ?? {},
        atoms,
        states.find((state) => state?.pod === pod),
        unplaced,
      );
      byPod.set(id, states);
    }
  }
  return byPod;
}

/** `twin` is the state of the very same object in another world: its addresses need no second look. */
function stateOf(pod: WorldPod, labels: Labels, atoms: Atoms, twin: PodState | undefined, unplaced: number): PodState {
  if (twin !== undefined) return twin.namespaceLabels === labels ? twin : { ...twin, namespaceLabels: labels };
  const addresses = parsedAddresses(pod.addresses);
  let families = 0;
  for (const { family } of addresses) families |= family === 4 ? V4 : V6;
  return {
    pod,
    namespaceLabels: labels,
    atoms: [...new Set(addresses.map(atoms.indexOf))].sort((a, b) => a - b),
    families: families !== 0 ? families : pod.unknown?.addresses === undefined ? BOTH_FAMILIES : unplaced,
    isAnyFamily: families === 0 && pod.unknown?.addresses !== undefined,
  };
}

const setKeys = new WeakMap<AddressSet, string>();

function setKey(set: AddressSet): string {
  const key = setKeys.get(set) ?? `${set.v4.join()};${set.v6.join()}`;
  setKeys.set(set, key);
  return key;
}

const keysOfLabels = new WeakMap<Sight, Map<Labels, string>>();

function stateKey(state: PodState, sight: Sight): string {
  const { pod } = state;
  const ports = (pod.ports ?? []).filter((port) => port.name !== undefined && sight.portNames.has(port.name));
  return JSON.stringify([
    sight.namespaces.has(pod.namespace) ? pod.namespace : "",
    labelsKey(state.namespaceLabels, sight),
    sight.podKeys.map((key) =>
      Object.hasOwn(pod.labels, key) ? pod.labels[key] : pod.unknown?.labels.includes(key) === true ? 1 : 0,
    ),
    ports.map((port) => [port.name, port.protocol ?? "TCP", port.containerPort]),
    pod.hostNetwork === true,
    state.atoms,
    state.families,
    state.isAnyFamily && pod.unknown?.addresses !== undefined ? setKey(pod.unknown.addresses) : 0,
  ]);
}

function labelsKey(labels: Labels, sight: Sight): string {
  const known = keysOfLabels.get(sight) ?? new Map<Labels, string>();
  keysOfLabels.set(sight, known);
  const key =
    known.get(labels) ?? JSON.stringify(sight.namespaceKeys.map((name) => (Object.hasOwn(labels, name) ? labels[name] : 0)));
  known.set(labels, key);
  return key;
}
