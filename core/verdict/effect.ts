import { count, fromAddresses, isSubset } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { equalPorts, hasPort, intersectPorts, isEmptyPorts, noPorts, portRange, subtractPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Direction } from "../model/kinds.ts";
import type { Budget } from "./budget.ts";
import { classify } from "./classes.ts";
import type { Classes } from "./classes.ts";
import { compilePolicy, policyId } from "./compile.ts";
import type { CompiledPolicy } from "./compiled.ts";
import { groupChanges } from "./effect-groups.ts";
import type { PairChange } from "./effect-groups.ts";
import { KUBE_NETWORK_POLICIES } from "./profile.ts";
import type { Profile } from "./profile.ts";
import { rowsOf } from "./rows.ts";
import type { Rows } from "./rows.ts";
import { unknownWords } from "./unknown.ts";
import { livePods, parsedAddresses, podId } from "./world.ts";
import type { PolicyObject, World, WorldPod } from "./world.ts";
import type { Effect } from "./effect-types.ts";

export type { Connection } from "./effect-types.ts";

/** Pairs of classes compared before the rest is declared uncertain: the bound on work and memory. */
const PAIR_LIMIT = 4_000_000;

/** Steps of a budget that a pair costs, and the ports of one that changed: they are subtracted, written and grouped. */
const STEPS_OF_PAIR = 20;
const STEPS_OF_PORTS = 60;

/**
 * Which connections open and which close between two states of a cluster.
 *
 * Give both worlds the same namespaces and pods to learn what an edit of policies did; a pod that is in one world only has all its
 * connections opened or closed. Only pairs are compared whose ends changed, or whose policies did: work grows with what a changed
 * policy selects, not with the number of policies. A budget is for what strangers write; see {@link Budget}.
 *
 * @param mayHaveV6 see `classify`
 * @throws OverBudget when it costs more than the budget
 */
export function connectivityDiff(
  before: World,
  after: World,
  profile: Profile = KUBE_NETWORK_POLICIES,
  budget?: Budget,
  mayHaveV6 = false,
): Effect {
  const changed = changedPolicies(before, after);
  const texts = [0, 1].map((world) => new Set(changed.filter((one) => one.world === world).map(({ policy }) => policy)));
  const classes = classify([before, after], budget, mayHaveV6);
  const rows: readonly [Rows, Rows] = [rowsOf(classes, 0, profile, budget), rowsOf(classes, 1, profile, budget)];
  const moved = movedClasses(before, after, classes);
  const touched = (direction: Direction): ReadonlySet<number> => {
    const subjects = new Set(moved);
    for (const peer of classes.peers.keys()) if (isTouched(rows, texts, peer, direction)) subjects.add(peer);
    return subjects;
  };
  const podAddresses = addressesOfPods(before, after);
  const most: readonly [Rows, Rows] | undefined = classes.isUnsure
    ? [rowsOf(classes, 0, profile, budget, "most"), rowsOf(classes, 1, profile, budget, "most")]
    : undefined;
  const outside = outsideOf(podAddresses, classes);
  const pairs = comparePairs({ classes, rows, most }, touched("ingress"), touched("egress"), outside, budget);
  const view = { classes, podAddresses, outside };
  const opened = groupChanges(view, pairs.changes, "opened");
  const closed = groupChanges(view, pairs.changes, "closed");
  const stays = groupChanges(view, pairs.changes, "stays");
  return {
    kind: kindOf(opened.length > 0, closed.length > 0),
    opened,
    closed,
    stays,
    openedCount: countPairs(classes, pairs.changes, ({ opened: ports }) => !isEmptyPorts(ports)),
    closedCount: countPairs(classes, pairs.changes, ({ closed: ports }) => !isEmptyPorts(ports)),
    unchangedCount: allPairs(classes, outside) - countPairs(classes, pairs.changes, () => true),
    uncertain: [...problemsOf(changed), ...pairs.uncertain],
    notes: idleNotes(changed, classes, rows),
  };
}

function kindOf(opens: boolean, closes: boolean): Effect["kind"] {
  if (opens && closes) return "both";
  if (opens) return "opens";
  return closes ? "closes" : "equivalent";
}

/** Policies of one world that the other does not have in the same text; `world` says which. */
interface ChangedPolicy {
  readonly world: 0 | 1;
  readonly policy: CompiledPolicy;
}

function changedPolicies(before: World, after: World): readonly ChangedPolicy[] {
  const same = new Set<PolicyObject>(before.policies);
  const fresh = after.policies.filter((policy) => !same.has(policy));
  const kept = new Set<PolicyObject>(after.policies);
  const gone = before.policies.filter((policy) => !kept.has(policy));
  const goneTexts = new Map(gone.map((policy) => [textOf(policy), policy]));
  const freshTexts = new Set(fresh.map(textOf));
  return [
    ...gone
      .filter((policy) => !freshTexts.has(textOf(policy)))
      .map((policy) => ({ world: 0 as const, policy: compilePolicy(policy, before.nodes) })),
    ...fresh
      .filter((policy) => !goneTexts.has(textOf(policy)))
      .map((policy) => ({ world: 1 as const, policy: compilePolicy(policy, after.nodes) })),
  ];
}

/** What decides verdicts: namespace and spec, not name, labels or annotations. */
function textOf(policy: PolicyObject): string {
  return JSON.stringify([policy.kind, policy.metadata.namespace, policy.spec]);
}

/** Pod classes that are not the same thing on both sides: absent on one, relabelled, readdressed, or their namespace is. */
function movedClasses(before: World, after: World, classes: Classes): ReadonlySet<number> {
  const moved = new Set<number>();
  if (before.pods === after.pods && before.namespaces === after.namespaces) return moved;
  for (const [index, peer] of classes.peers.entries()) {
    if (peer.kind === "pods" && !peer.isSteady) moved.add(index);
  }
  return moved;
}

function isTouched(
  rows: readonly [Rows, Rows],
  changed: readonly ReadonlySet<CompiledPolicy>[],
  subject: number,
  direction: Direction,
): boolean {
  return rows.some((world, index) => world.concerning(subject, direction).some((policy) => changed[index]?.has(policy)));
}

interface Compared {
  readonly changes: readonly PairChange[];
  readonly uncertain: readonly string[];
}

interface BothWorlds {
  readonly classes: Classes;
  readonly rows: readonly [Rows, Rows];
  /** The most that may be open, where facts are asked for that nobody knows. */
  readonly most: readonly [Rows, Rows] | undefined;
}

function comparePairs(
  { classes, rows, most }: BothWorlds,
  ingress: ReadonlySet<number>,
  egress: ReadonlySet<number>,
  outside: ReadonlySet<number>,
  limit: Budget | undefined,
): Compared {
  const changes: PairChange[] = [];
  const unsure: (readonly [number, number])[] = [];
  let budget = PAIR_LIMIT;
  const compare = (from: number, to: number): void => {
    budget -= 1;
    if (budget < 0) return;
    limit?.spend(STEPS_OF_PAIR);
    const change = compareConnection(rows, from, to);
    if (most !== undefined && ([0, 1] as const).some((world) => isUnsure([rows[world], most[world]], from, to)))
      unsure.push([from, to]);
    if (change === undefined) return;
    limit?.spend(STEPS_OF_PORTS * (change.opened.tcp.length + change.closed.tcp.length + change.opened.udp.length + 1));
    changes.push(change);
  };
  const others = [...classes.peers.keys()].filter((peer) => classes.peers[peer]?.kind === "pods" || outside.has(peer));
  for (const to of ingress) for (const from of others) if (isPair(classes, from, to)) compare(from, to);
  for (const from of egress) for (const to of others) if (!ingress.has(to) && isPair(classes, from, to)) compare(from, to);
  return {
    changes,
    uncertain: [
      ...(budget < 0 ? [`${-budget} pairs of workload classes were not compared: more than ${PAIR_LIMIT} changed`] : []),
      ...unsureWords(classes, unsure),
    ],
  };
}

function isUnsure([least, most]: readonly [Rows, Rows], from: number, to: number): boolean {
  const known = least.connection(from, to);
  const possible = most.connection(from, to);
  return known !== possible && !equalPorts(known, possible);
}

/** One sentence for all pairs whose answer rests on facts that nobody knows, with one of them. */
function unsureWords(classes: Classes, pairs: readonly (readonly [number, number])[]): readonly string[] {
  const [first] = pairs;
  if (first === undefined) return [];
  const total = pairs.reduce((sum, [from, to]) => sum + pairsBetween(classes, from, to), 0);
  const pods = first.map((index, end) => podOf(classes, index, first[0] === first[1] ? end : 0));
  const facts = new Set(pods.flatMap((pod) => unknownWords(pod, classes.labelKeys)));
  const names = pods.map((pod) => (pod === undefined ? "an address outside" : podId(pod)));
  return [`${total} pairs may be otherwise, such as ${names.join(" → ")}: ${[...facts].join("; ")}`];
}

function podOf(classes: Classes, index: number, position: number): WorldPod | undefined {
  const peer = classes.peers[index];
  return peer?.kind === "pods" ? (peer.pods[position] ?? peer.pods[0]) : undefined;
}

function pairsBetween(classes: Classes, from: number, to: number): number {
  const size = sizeOf(classes, from);
  return from === to ? size * (size - 1) : size * sizeOf(classes, to);
}

/** A workload with itself is no pair. */
function isPair(classes: Classes, from: number, to: number): boolean {
  const peer = classes.peers[from];
  return from !== to || (peer?.kind === "pods" && peer.pods.length > 1);
}

function compareConnection(rows: readonly [Rows, Rows], from: number, to: number): PairChange | undefined {
  const before = rows[0].connection(from, to);
  const after = rows[1].connection(from, to);
  if (before === after || equalPorts(before, after)) return undefined;
  const [opened, closed] = [withoutPortZero(subtractPorts(after, before)), withoutPortZero(subtractPorts(before, after))];
  const stays = isEmptyPorts(closed) ? noPorts : withoutPortZero(intersectPorts(before, after));
  return isEmptyPorts(opened) && isEmptyPorts(closed) ? undefined : { from, to, opened, closed, stays };
}

/** Nobody listens on port 0, and no policy can name it: it is a change only as the beginning of a range that reads "any port". */
function withoutPortZero(ports: PortSet): PortSet {
  return (["tcp", "udp", "sctp"] as const).reduce((left, protocol) => {
    const isOfWider = hasPort(left, protocol, 1) && (left.other || hasPort(left, protocol, 65535));
    return isOfWider ? left : subtractPorts(left, portRange(protocol, 0, 0));
  }, ports);
}

function addressesOfPods(before: World, after: World): AddressSet {
  const worlds = before.pods === after.pods ? [after] : [before, after];
  return fromAddresses(worlds.flatMap((world) => livePods(world.pods).flatMap((pod) => parsedAddresses(pod.addresses))));
}

/** Address classes that hold more than addresses of known pods: those of pods are the pods. */
function outsideOf(known: AddressSet, classes: Classes): ReadonlySet<number> {
  const knownCount = count(known);
  const outside = new Set<number>();
  for (const [index, peer] of classes.peers.entries()) {
    if (peer.kind === "addresses" && (count(peer.addresses) > knownCount || !isSubset(peer.addresses, known))) outside.add(index);
  }
  return outside;
}

function countPairs(classes: Classes, changes: readonly PairChange[], isCounted: (change: PairChange) => boolean): number {
  let total = 0;
  for (const change of changes) if (isCounted(change)) total += pairsBetween(classes, change.from, change.to);
  return total;
}

/** All ordered pairs of pods, and of a pod and addresses outside that no policy tells apart. */
function allPairs({ peers }: Classes, outside: ReadonlySet<number>): number {
  const pods = peers.reduce((sum, peer) => sum + (peer.kind === "pods" ? peer.pods.length : 0), 0);
  return pods * (pods - 1) + 2 * pods * outside.size;
}

function sizeOf(classes: Classes, index: number): number {
  const peer = classes.peers[index];
  return peer?.kind === "pods" ? peer.pods.length : 1;
}

function problemsOf(changed: readonly ChangedPolicy[]): readonly string[] {
  return changed.flatMap(({ policy }) => policy.problems.map((problem) => `${policyId(policy)}: ${problem}`));
}

function idleNotes(changed: readonly ChangedPolicy[], classes: Classes, rows: readonly [Rows, Rows]): readonly string[] {
  return changed
    .filter(({ world, policy }) => !classes.peers.some((_, peer) => selects(rows[world], policy, peer)))
    .map(({ policy }) => `${policyId(policy)} selects 0 pods now`);
}

function selects(rows: Rows, policy: CompiledPolicy, peer: number): boolean {
  return (["ingress", "egress"] as const).some((direction) => rows.concerning(peer, direction).includes(policy));
}
