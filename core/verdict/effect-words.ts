import { anyV4, anyV6, formatRange, isSubset, toRanges, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { allPorts, equalPorts, formatPorts, subtractPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { V4, V6 } from "./classes.ts";
import type { Classes } from "./classes.ts";
import type { Connection } from "./effect-types.ts";
import type { Effect } from "./effect-types.ts";
import { podId } from "./world.ts";
import type { WorldPod } from "./world.ts";

/** Names listed before "and N more" in a short text, and in a full one: the bound on what one line can cost. */
const NAMES = 3;
const FULL = 1_000;

/** Lines written before the last one says how many more there are. */
const LINES = 20;

/**
 * The effect in short lines: `opens any → shop/cust-record: any port (3 workloads)`, `closes …`, `stays open …`, then what is uncertain and noted.
 */
export function formatEffect(effect: Effect, limit: number = LINES): readonly string[] {
  const changes = [
    ...formatConnections(effect.opened, limit).map((line) => `opens ${line}`),
    ...formatConnections(effect.closed, limit).map((line) => `closes ${line}`),
    ...formatConnections(effect.stays, limit).map((line) => `stays open ${line}`),
  ];
  const nothing = changes.length === 0 && effect.uncertain.length === 0 ? ["opens nothing, closes nothing"] : [];
  return [
    ...changes,
    ...nothing,
    ...effect.uncertain.map((text) => `uncertain: ${text}`),
    ...effect.notes.map((text) => `note: ${text}`),
  ];
}

/** One line per connection, at most `limit`; the last one says how many more there are. */
export function formatConnections(connections: readonly Connection[], limit: number = LINES): readonly string[] {
  const lines = connections
    .slice(0, limit < connections.length ? limit - 1 : limit)
    .map((connection) => formatConnection(connection));
  const rest = connections.length - lines.length;
  return rest > 0 ? [...lines, `${rest} more`] : lines;
}

/** `any → shop/cust-record: any port (3 workloads)`; in full with all names of both ends. */
export function formatConnection(connection: Connection, isFull: boolean = false): string {
  const { ports, fromWorkloads, toWorkloads, fromFull, toFull } = connection;
  const [from, to] = isFull ? [fromFull, toFull] : [connection.from, connection.to];
  const isBothEnds = fromWorkloads > 0 && toWorkloads > 0 && !isWide(from) && !isWide(to);
  const count = isBothEnds
    ? `${fromWorkloads} to ${plural(toWorkloads)}`
    : plural(isWide(from) || fromWorkloads === 0 ? toWorkloads : fromWorkloads);
  return `${from} → ${to}: ${ports} (${count})`;
}

/** `any port`, `any port but 443/tcp` where that is shorter, or the ports. */
export function phrasePorts(ports: PortSet): string {
  if (equalPorts(ports, allPorts)) return "any port";
  const direct = formatPorts(ports);
  const but = `any port but ${formatPorts(subtractPorts(allPorts, ports))}`;
  return ports.other && but.length < direct.length ? but : direct;
}

/** One end of a line, said of its classes. */
interface PeerWords {
  readonly text: string;
  readonly full: string;
  readonly workloads: number;
  readonly meant: readonly number[];
}

/**
 * A set of classes in words that say neither more nor less, and how many workloads it is. `meant` are all whom the words
 * take in: idle ones, too.
 *
 * @param isIdle true for a class that cannot be at this end of these connections: it may stand in a name without being meant
 */
export function describePeers(classes: Classes, indices: readonly number[], isIdle: (index: number) => boolean): PeerWords {
  const chosen = new Set(indices);
  const pods = indices.flatMap((index) => podsAt(classes, index));
  const families = familiesInUse(classes);
  const left = classes.peers.flatMap((peer, index) =>
    chosen.has(index) || isIdle(index) || (peer.kind === "addresses" && !families.has(peer.family)) ? [] : [{ peer, index }],
  );
  const all = [...classes.peers.keys()];
  if (left.length === 0) return { text: "any", full: "any", workloads: pods.length, meant: all };
  const idle = classes.peers.flatMap((peer, index) => (peer.kind === "addresses" && isIdle(index) ? [peer.addresses] : []));
  const meant = wordsFor(classes, indices, families, idle);
  const plain = (): PeerWords => ({
    text: sentence(meant, NAMES),
    full: sentence(meant, FULL),
    workloads: pods.length,
    meant: indices,
  });
  // One word is the least that can be said of what is left, so what is meant need not be held against it: there may be thousands of lines.
  const isLeftOutside = left.some(({ peer }) => peer.kind === "addresses");
  if (meant.ranges.length === 0 || (isLeftOutside && sizeOf(meant) === 1)) return plain();
  const but = wordsFor(
    classes,
    left.map(({ index }) => index),
    families,
    [],
  );
  const isShort = sizeOf(but) < sizeOf(meant) || (but.ranges.length === 0 && sizeOf(but) <= NAMES);
  const isExcept = meant.ranges.length > 0 && isShort;
  if (!isExcept) return plain();
  const excepted = new Set(left.map(({ index }) => index));
  return {
    text: `any but ${sentence(but, NAMES)}`,
    full: `any but ${sentence(but, FULL)}`,
    workloads: pods.length,
    meant: all.filter((index) => !excepted.has(index)),
  };
}

/** One end of a line, word by word. */
interface Words {
  readonly workloads: readonly string[];
  readonly ranges: readonly string[];
}

function wordsFor(classes: Classes, indices: readonly number[], families: ReadonlySet<4 | 6>, idle: readonly AddressSet[]): Words {
  const pods = indices.flatMap((index) => podsAt(classes, index));
  const parts = indices.flatMap((index) => {
    const peer = classes.peers[index];
    return peer?.kind === "addresses" ? [peer.addresses] : [];
  });
  return { workloads: workloadNames(classes, pods), ranges: parts.length === 0 ? [] : rangeWords(unionAll(parts), families, idle) };
}

function sizeOf({ workloads, ranges }: Words): number {
  return workloads.length + ranges.length;
}

function sentence({ workloads, ranges }: Words, most: number): string {
  return [...shorten(workloads, "workloads", most), ...shorten(ranges, "ranges", most)].join(", ");
}

function podsAt(classes: Classes, index: number): readonly WorldPod[] {
  const peer = classes.peers[index];
  return peer?.kind === "pods" ? peer.pods : [];
}

/** Families that some pod has: the other one leads nowhere, so it is no part of "any". */
function familiesInUse(classes: Classes): ReadonlySet<4 | 6> {
  const bits = classes.peers.reduce((sum, peer, index) => sum | (peer.kind === "pods" ? anyFamilies(classes, index) : 0), 0);
  const families: (4 | 6)[] = [];
  if ((bits & V4) !== 0) families.push(4);
  if ((bits & V6) !== 0) families.push(6);
  return new Set(families);
}

function anyFamilies(classes: Classes, index: number): number {
  const peer = classes.peers[index];
  if (peer?.kind !== "pods") return 0;
  return peer.states.reduce((sum, state) => sum | (state?.families ?? 0), 0);
}

/** Ranges; addresses of known pods among them are nobody outside, so they may fill what is missing to "any". */
function rangeWords(whole: AddressSet, families: ReadonlySet<4 | 6>, idle: readonly AddressSet[]): readonly string[] {
  const filled = unionAll([whole, ...idle]);
  const isV4 = isSubset(anyV4, filled);
  const isV6 = isSubset(anyV6, filled);
  if ((isV4 || !families.has(4)) && (isV6 || !families.has(6))) return ["any address outside"];
  if (isV4 && whole.v6.length === 0) return ["any IPv4 address outside"];
  if (isV6 && whole.v4.length === 0) return ["any IPv6 address outside"];
  return toRanges(whole).map(formatRange);
}

/** `every pod`, `every pod of NAMESPACE`, controllers of which all pods are meant, else pods. */
function workloadNames(classes: Classes, pods: readonly WorldPod[]): readonly string[] {
  if (pods.length === 0) return [];
  const everyPod = classes.peers.flatMap((_, index) => podsAt(classes, index));
  if (pods.length === everyPod.length) return ["every pod"];
  const total = countBy(everyPod, (pod) => pod.namespace);
  const sizes = countBy(everyPod, (pod) => `${pod.namespace}/${workloadName(pod)}`);
  const byNamespace = Map.groupBy(pods, (pod) => pod.namespace);
  return [...byNamespace]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([namespace, members]) => {
      const workloads = [...Map.groupBy(members, (pod) => `${namespace}/${workloadName(pod)}`)];
      if (members.length === total.get(namespace) && workloads.length > 1) return [`every pod of ${namespace}`];
      return workloads.flatMap(([name, some]) => (some.length === sizes.get(name) ? [name] : some.map(podId))).sort();
    });
}

/** The controller's name (a ReplicaSet's without its hash, so the Deployment's), or the pod's own. */
function workloadName(pod: WorldPod): string {
  const [kind, name] = pod.owner?.split("/") ?? [];
  if (kind === undefined || name === undefined || name === "") return pod.name;
  return kind === "ReplicaSet" ? name.replace(/-[a-z0-9]{6,10}$/, "") : name;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

function shorten(names: readonly string[], noun: string, most: number): readonly string[] {
  if (names.length <= most + 1) return names;
  return [...names.slice(0, most - 1), `${names[most - 1] ?? ""} and ${names.length - most} more ${noun}`];
}

function isWide(end: string): boolean {
  return end === "any" || end.startsWith("any but ") || end === "every pod";
}

function plural(count: number): string {
  return count === 1 ? "1 workload" : `${count} workloads`;
}
