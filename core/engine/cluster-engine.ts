import { emptySet, parseAddress, toRanges } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { LiveAddresses } from "../membership/clashes.ts";
import type { InventoryEvent } from "../membership/event.ts";
import type { ClusterInventory, Namespace, Node, Platform, Pod, Service } from "../membership/inventory.ts";
import { membershipDigest } from "../membership/digest.ts";
import { boundaryKey, type Membership } from "../membership/membership.ts";
import type { PresentCellsByList } from "../membership/cells.ts";
import { compareText } from "../membership/order.ts";
import { podAddresses } from "../membership/pod-addresses.ts";
import { namespaceLabels } from "../membership/select.ts";
import type { Cluster, Definitions } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";
import type { Labels } from "../selector/index.ts";
import { AddressEntry, type AddressValue } from "./address-entry.ts";
import { CellCounts, type CellPlace } from "./cell-counts.ts";
import { LiveClaims } from "./live-claims.ts";
import { Scheme } from "./scheme.ts";

/** How one key of a membership changed; see `Membership.segments` for keys. Both sets are empty for a key that came or went empty. */
export interface EntryChange {
  readonly key: string;
  readonly added: AddressSet;
  readonly removed: AddressSet;
}

/** Pods of one namespace that agree on every label that matters: they are under the same keys. */
interface Group {
  readonly id: string;
  readonly namespace: string;
  /** `namespace/name` of a pod of it: the only one, where names matter. */
  readonly example: string;
  readonly labels: Labels;
  keys: readonly string[];
  cells: readonly CellPlace[];
  isController: boolean;
  readonly pods: Set<Held>;
}

/** A pod that can be a member, and what it holds now. */
interface Held {
  readonly pod: Pod;
  readonly group: Group;
  /** What it shows outside, under its group's keys. */
  shown: readonly AddressValue[];
  readonly own: readonly AddressValue[];
}

const EGRESS = boundaryKey("egress");
const INGRESS = boundaryKey("ingress");
const NONE: readonly AddressValue[] = [];

/**
 * The membership of one cluster, kept current one event at a time.
 *
 * ```
 *   event ─► labels ─► group ─► keys (segments, cells, boundary) ─► address entries ─► take(): what changed
 *            label index │        same for all pods of a group        counts of holders
 *                        └ namespace labels: only groups of that namespace are asked again
 * ```
 *
 * A pod event costs what depends on that pod: its keys, its addresses. It always equals `computeMembership` of the same inventory.
 * Nothing here decides whether the inventory is to be believed: an incomplete one is the caller's to merge (`mergeMembership`).
 */
export class ClusterEngine {
  #scheme: Scheme;
  readonly #namespaces = new Map<string, Labels>();
  readonly #nodes = new Map<string, readonly AddressValue[]>();
  /** Pods on the host network are members nowhere and are not kept. */
  readonly #pods = new Map<string, Held>();
  readonly #groups = new Map<string, Group>();
  readonly #groupsOf = new Map<string, Set<Group>>();
  /** Only where pods show their node's addresses. */
  readonly #podsOn = new Map<string, Set<Held>>();
  readonly #entries = new Map<string, AddressEntry>();
  /** Keys whose entries were touched, or came or went, since `take`. */
  #touched = new Set<string>();
  /** Standing keys as of the last `take`. */
  #known: ReadonlySet<string> = new Set();
  readonly #cells = new CellCounts();
  /** Whose address is whose: see `LiveAddresses`. */
  readonly #live = new LiveClaims();

  constructor(definitions: Definitions, cluster: Cluster, inventory: ClusterInventory) {
    this.#scheme = new Scheme(definitions, cluster, inventory.services, inventory.platform);
    this.#raiseScheme();
    this.replace(inventory);
  }

  /** Takes one change of the inventory. `services` and `whole` are not told one by one: see {@link redefine} and {@link replace}. */
  apply(event: Exclude<InventoryEvent, { kind: "services" | "whole" }>): void {
    switch (event.kind) {
      case "pod":
        this.#upsertPod(event.pod);
        return;
      case "pod-gone":
        this.#removePod(event.key);
        return;
      case "namespace":
        this.#setNamespace(event.namespace.name, event.namespace);
        return;
      case "namespace-gone":
        this.#setNamespace(event.key, undefined);
        return;
      case "node":
        this.#setNode(event.node.name, event.node);
        return;
      case "node-gone":
        this.#setNode(event.key, undefined);
        return;
      default:
        event satisfies never;
    }
  }

  /** Takes a whole inventory: what is not in it is gone. The services stay those of {@link redefine}. */
  replace({ namespaces, nodes, pods }: ClusterInventory): void {
    for (const namespace of namespaces) this.#setNamespace(namespace.name, namespace);
    const named = new Set(namespaces.map(({ name }) => name));
    for (const name of this.#namespaces.keys()) if (!named.has(name)) this.#setNamespace(name, undefined);
    for (const node of nodes) this.#setNode(node.name, node);
    const nodeNames = new Set(nodes.map(({ name }) => name));
    for (const name of this.#nodes.keys()) if (!nodeNames.has(name)) this.#setNode(name, undefined);
    for (const pod of pods) this.#upsertPod(pod);
    const keys = new Set(pods.map(keyOf));
    for (const key of this.#pods.keys()) if (!keys.has(key)) this.#removePod(key);
  }

  /** Other definitions, or other services: every pod is asked again. Nothing happens when both are the same objects. */
  redefine(definitions: Definitions, cluster: Cluster, services: readonly Service[], platform?: Platform): void {
    const { definitions: before, cluster: clusterBefore, services: servicesBefore, platform: platformBefore } = this.#scheme;
    const isSameCluster = clusterBefore === cluster && platformBefore === platform;
    if (before === definitions && isSameCluster && servicesBefore === services) return;
    const pods = [...this.#pods.values()].map(({ pod }) => pod);
    for (const pod of pods) this.#removePod(keyOf(pod));
    const nodes = [...this.#nodes];
    for (const [name] of nodes) this.#holdNode(name, NONE);
    this.#lowerScheme();
    this.#scheme = new Scheme(definitions, cluster, services, platform);
    this.#raiseScheme();
    for (const [name, addresses] of nodes) this.#holdNode(name, addresses);
    for (const pod of pods) this.#upsertPod(pod);
  }

  /** What changed since the last call, sorted by key. What came and went in between is no change. */
  take(): readonly EntryChange[] {
    const { standing } = this.#scheme;
    const known = this.#known;
    // The same scheme as before: no key came or went, and only those that were touched are looked at.
    const keys = known === standing ? this.#touched : new Set([...this.#touched, ...known, ...standing]);
    const changes: EntryChange[] = [];
    for (const key of keys) {
      const entry = this.#entries.get(key);
      const change = this.#touched.has(key) ? entry?.take() : undefined;
      if (change !== undefined) changes.push({ key, ...change });
      else if (known.has(key) !== standing.has(key)) changes.push({ key, added: emptySet, removed: emptySet });
      if (entry?.isEmpty === true && !standing.has(key)) this.#entries.delete(key);
    }
    this.#touched = new Set();
    this.#known = standing;
    this.#live.take();
    return changes.sort((a, b) => compareText(a.key, b.key));
  }

  /** The membership as of the last {@link take}. */
  membership(complete: boolean, observedAt: number): Membership {
    const { standing, cluster } = this.#scheme;
    const segments = new Map<string, AddressSet>();
    for (const key of standing) segments.set(key, this.#entries.get(key)?.set ?? emptySet);
    for (const [key, entry] of this.#entries) if (!entry.isEmpty) segments.set(key, entry.set);
    const target = clusterTargetId(cluster.name);
    return { target, segments, complete, observedAt, digest: membershipDigest(segments) };
  }

  /** As `liveAddresses`, as of the last {@link take}. */
  liveAddresses(): LiveAddresses {
    return this.#live.addresses();
  }

  /** The segments and cells that a pod is under; undefined for one that is not there, or on the host network. */
  keysOf(pod: string): readonly string[] | undefined {
    return this.#pods.get(pod)?.group.keys;
  }

  /** As `presentCells`. */
  presentCells(): PresentCellsByList {
    return this.#cells.present();
  }

  #upsertPod(pod: Pod): void {
    const key = keyOf(pod);
    const before = this.#pods.get(key);
    if (before?.pod === pod) return;
    // The new one first: what both hold never leaves its sets, not even between two looks.
    const held = pod.hostNetwork ? undefined : this.#addPod(pod, key);
    if (before !== undefined) this.#release(before);
    if (held === undefined) this.#pods.delete(key);
    else this.#pods.set(key, held);
  }

  #addPod(pod: Pod, key: string): Held {
    const group = this.#groupFor(pod, key);
    const own = valuesOf(podAddresses(this.#scheme.cluster, pod));
    const held: Held = { pod, group, own, shown: this.#shownBy(pod, own) };
    group.pods.add(held);
    if (this.#isMasqueraded() && pod.node !== undefined) setOf(this.#podsOn, pod.node).add(held);
    this.#hold(group.keys, held.shown);
    this.#holdBoundary(held, group.isController, "hold");
    if (!this.#isMasqueraded()) this.#live.pods.hold(own);
    return held;
  }

  #removePod(key: string): void {
    const held = this.#pods.get(key);
    if (held === undefined) return;
    this.#pods.delete(key);
    this.#release(held);
  }

  #release(held: Held): void {
    const { group, pod } = held;
    this.#drop(group.keys, held.shown);
    this.#holdBoundary(held, group.isController, "release");
    if (!this.#isMasqueraded()) this.#live.pods.release(held.own);
    group.pods.delete(held);
    if (pod.node !== undefined) removeFrom(this.#podsOn, pod.node, held);
    if (group.pods.size > 0) return;
    this.#groups.delete(group.id);
    removeFrom(this.#groupsOf, group.namespace, group);
    this.#cells.drop(group.namespace, group.cells);
  }

  #groupFor(pod: Pod, key: string): Group {
    const labels = this.#scheme.project(pod.labels);
    const id = groupId(pod.namespace, labels, this.#scheme.isNamed(key) ? key : "");
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const group: Group = {
      id,
      namespace: pod.namespace,
      example: key,
      labels,
      keys: [],
      cells: [],
      isController: false,
      pods: new Set(),
    };
    this.#ask(group);
    this.#groups.set(id, group);
    setOf(this.#groupsOf, pod.namespace).add(group);
    return group;
  }

  #ask(group: Group): void {
    const question = { key: group.example, labels: group.labels, namespaceLabels: this.#labelsOf(group.namespace) };
    const { keys, cells } = this.#scheme.keysOf(question);
    this.#cells.hold(group.namespace, cells);
    this.#cells.drop(group.namespace, group.cells);
    group.keys = keys;
    group.cells = cells;
    group.isController = this.#scheme.isController(question);
  }

  #setNamespace(name: string, namespace: Namespace | undefined): void {
    const before = this.#labelsOf(name);
    if (namespace === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, namespaceLabels(namespace));
    if (isSame(before, this.#labelsOf(name))) return;
    for (const group of this.#groupsOf.get(name) ?? []) this.#askAgain(group);
  }

  #askAgain(group: Group): void {
    const { keys, isController } = group;
    this.#ask(group);
    for (const held of group.pods) {
      this.#hold(group.keys, held.shown);
      this.#drop(keys, held.shown);
      if (group.isController === isController) continue;
      for (const value of held.own) {
        if (isController) this.#entry(INGRESS).release(value);
        else this.#entry(INGRESS).hold(value);
      }
    }
  }

  #setNode(name: string, node: Node | undefined): void {
    this.#holdNode(name, node === undefined ? NONE : valuesOf(node.addresses));
    if (node === undefined) this.#nodes.delete(name);
  }

  /** A node's addresses are the boundary's, and those that its pods show where the pod network is masqueraded. */
  #holdNode(name: string, addresses: readonly AddressValue[]): void {
    const before = this.#nodes.get(name) ?? NONE;
    this.#nodes.set(name, addresses);
    const keys = [
      ...(this.#scheme.asksIngress ? [INGRESS] : []),
      ...(this.#scheme.asksEgress && this.#isMasqueraded() ? [EGRESS] : []),
    ];
    this.#hold(keys, addresses);
    this.#drop(keys, before);
    this.#live.nodes.hold(addresses);
    this.#live.nodes.release(before);
    for (const held of this.#podsOn.get(name) ?? []) {
      this.#hold(held.group.keys, addresses);
      this.#drop(held.group.keys, held.shown);
      held.shown = addresses;
    }
  }

  /** Routed, a pod's own addresses are what it shows outside; those of an ingress controller's pod are where traffic comes from. */
  #holdBoundary(held: Held, isController: boolean, change: "hold" | "release"): void {
    const keys = [...(this.#scheme.asksEgress && !this.#isMasqueraded() ? [EGRESS] : []), ...(isController ? [INGRESS] : [])];
    if (change === "hold") this.#hold(keys, held.own);
    else this.#drop(keys, held.own);
  }

  /** Addresses that definitions and services bring by themselves. */
  #raiseScheme(): void {
    for (const [key, set] of this.#scheme.fixed) this.#hold([key], singlesOf(set));
    if (this.#scheme.asksIngress) this.#hold([INGRESS], valuesOf(this.#scheme.published));
  }

  #lowerScheme(): void {
    for (const [key, set] of this.#scheme.fixed) this.#drop([key], singlesOf(set));
    if (this.#scheme.asksIngress) this.#drop([INGRESS], valuesOf(this.#scheme.published));
  }

  #hold(keys: readonly string[], values: readonly AddressValue[]): void {
    if (values.length === 0) return;
    for (const key of keys) {
      const entry = this.#entry(key);
      for (const value of values) entry.hold(value);
    }
  }

  #drop(keys: readonly string[], values: readonly AddressValue[]): void {
    if (values.length === 0) return;
    for (const key of keys) {
      const entry = this.#entry(key);
      for (const value of values) entry.release(value);
    }
  }

  #entry(key: string): AddressEntry {
    this.#touched.add(key);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = new AddressEntry();
    this.#entries.set(key, entry);
    return entry;
  }

  #shownBy(pod: Pod, own: readonly AddressValue[]): readonly AddressValue[] {
    if (!this.#isMasqueraded()) return own;
    return pod.node === undefined ? NONE : (this.#nodes.get(pod.node) ?? NONE);
  }

  #isMasqueraded(): boolean {
    return this.#scheme.cluster.podNetwork === "masqueraded";
  }

  #labelsOf(namespace: string): Labels {
    return this.#namespaces.get(namespace) ?? namespaceLabels({ name: namespace, labels: {} });
  }
}

function keyOf(pod: Pod): string {
  return `${pod.namespace}/${pod.name}`;
}

function groupId(namespace: string, labels: Labels, name: string): string {
  let id = `${namespace}\n${name}`;
  for (const [key, value] of Object.entries(labels)) id += `\n${key}=${value}`;
  return id;
}

/** Each once; what cannot be read joins no set. */
function valuesOf(texts: readonly string[]): readonly AddressValue[] {
  const values = new Set<AddressValue>();
  for (const text of texts) {
    const parsed = parseAddress(text);
    if ("ok" in parsed) values.add(parsed.ok.value);
  }
  return [...values];
}

/** The addresses of a set that was made of single ones. */
function singlesOf(set: AddressSet): readonly AddressValue[] {
  return toRanges(set).flatMap((range): readonly AddressValue[] => {
    if (range.family === 4) return Array.from({ length: range.last - range.first + 1 }, (_, index) => range.first + index);
    return Array.from({ length: Number(range.last - range.first) + 1 }, (_, index) => range.first + BigInt(index));
  });
}

function isSame(a: Labels, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function setOf<T>(map: Map<string, Set<T>>, key: string): Set<T> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const fresh = new Set<T>();
  map.set(key, fresh);
  return fresh;
}

function removeFrom<T>(map: Map<string, Set<T>>, key: string, item: T): void {
  const set = map.get(key);
  set?.delete(item);
  if (set?.size === 0) map.delete(key);
}
