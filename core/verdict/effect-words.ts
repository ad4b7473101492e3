import { equals, anyV4, anyV6, formatRange, isSubset, toRanges, unionAll } from "../address/index.ts";
import { allPorts, equalPorts, formatPorts, subtractPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { V4, V6 } from "./classes.ts";
import type { Classes } from "./classes.ts";
import type { Connection } from "./effect-groups.ts";
import type { Effect } from "./effect.ts";
import type { WorldPod } from "./world.ts";

/** Names listed before "and N more". */
const NAMES = 3;

/** Lines written before the last one says how many more there are. */
const LINES = 20;

/**
 * The effect in short lines: `opens any → shop/cust-record: any port (3 workloads)`, `closes …`, then what is uncertain and noted.
 */
export function formatEffect(effect: Effect, limit: number = LINES): readonly string[] {
  const changes = [
    ...formatConnections(effect.opened, limit).map((line) => `opens ${line}`),
    ...formatConnections(effect.closed, limit).map((line) => `closes ${line}`),
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
  const lines = connections.slice(0, limit < connections.length ? limit - 1 : limit).map(formatConnection);
  const rest = connections.length - lines.length;
  return rest > 0 ? [...lines, `${rest} more`] : lines;
}

/** `any → shop/cust-record: any port (3 workloads)`. */
export function formatConnection(connection: Connection): string {
  const { from, to, ports, fromWorkloads, toWorkloads } = connection;
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

/** A set of classes in words, and how many workloads it is. */
export function describePeers(classes: Classes, indices: readonly number[]): { readonly text: string; readonly workloads: number } {
  const chosen = new Set(indices);
  const pods = indices.flatMap((index) => podsAt(classes, index));
  const families = familiesInUse(classes);
  const isEverything = classes.peers.every(
    (peer, index) => chosen.has(index) || (peer.kind === "addresses" && !families.has(peer.family)),
  );
  if (isEverything) return { text: "any", workloads: pods.length };
  const addresses = describeAddresses(classes, chosen, families);
  const names = pods.length === 0 ? [] : describePods(classes, pods);
  return { text: [...names, ...addresses].join(", "), workloads: pods.length };
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

function describeAddresses(classes: Classes, chosen: ReadonlySet<number>, families: ReadonlySet<4 | 6>): readonly string[] {
  const parts = classes.peers.flatMap((peer, index) => (peer.kind === "addresses" && chosen.has(index) ? [peer.addresses] : []));
  if (parts.length === 0) return [];
  const whole = unionAll(parts);
  const isV4 = isSubset(anyV4, whole) || !families.has(4);
  const isV6 = isSubset(anyV6, whole) || !families.has(6);
  if (isV4 && isV6) return ["any address outside"];
  if (equals(whole, anyV4)) return ["any IPv4 address outside"];
  if (equals(whole, anyV6)) return ["any IPv6 address outside"];
  return shorten(toRanges(whole).map(formatRange), "ranges");
}

function describePods(classes: Classes, pods: readonly WorldPod[]): readonly string[] {
  const everyPod = classes.peers.flatMap((_, index) => podsAt(classes, index));
  if (pods.length === everyPod.length) return ["every pod"];
  const total = countBy(everyPod, (pod) => pod.namespace);
  const byNamespace = Map.groupBy(pods, (pod) => pod.namespace);
  const names = [...byNamespace]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([namespace, members]) => {
      const workloads = [...new Set(members.map(workloadName))].sort();
      const isAll = members.length === total.get(namespace) && workloads.length > 1;
      return isAll ? [`every pod of ${namespace}`] : workloads.map((workload) => `${namespace}/${workload}`);
    });
  return shorten(names, "workloads");
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

function shorten(names: readonly string[], noun: string): readonly string[] {
  if (names.length <= NAMES + 1) return names;
  return [...names.slice(0, NAMES - 1), `${names[NAMES - 1] ?? ""} and ${names.length - NAMES} more ${noun}`];
}

function isWide(end: string): boolean {
  return end === "any" || end === "every pod";
}

function plural(count: number): string {
  return count === 1 ? "1 workload" : `${count} workloads`;
}
