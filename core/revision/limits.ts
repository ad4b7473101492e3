import { canHold } from "../membership/consumers.ts";
import type { ClusterInventory, Service } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import { flatMembers, isHostIn, subjectsIn } from "../membership/resolve.ts";
import { groupPods, namespaceLabels } from "../membership/select.ts";
import type { PodGroup } from "../membership/select.ts";
import type { Cluster, Definitions, Direction, Segment, TargetId } from "../model/kinds.ts";
import { findTarget, listTargets } from "../model/target.ts";
import type { Target } from "../model/target.ts";
import type { RevisionProblem } from "./judge.ts";
import { isUnsatisfiable, matches, selectorKey } from "../selector/index.ts";

const DIRECTIONS: readonly Direction[] = ["ingress", "egress"];

/** What a revision would un-isolate. */
export interface Unisolation {
  /** Workloads, plus one for every enforced direction taken from a segment that accounts for none of them. */
  readonly count: number;
  /** For people, sorted: who, or which segment, and where. */
  readonly reasons: readonly string[];
}

/** A candidate beside the revision in force, which decides what is acceptable. */
export interface RevisionCheck {
  /** Absent for the first revision. */
  readonly before: Definitions | undefined;
  readonly after: Definitions;
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  readonly enforced?: EnforcedElsewhere;
}

/**
 * By target, the definitions it enforces where the revision in force does not say so: it was taken back to `mode: plan`, or is gone
 * from Git (orphaned). Both stay as they are, so whoever writes them again opens what those definitions isolate.
 */
export type EnforcedElsewhere = ReadonlyMap<TargetId, Definitions>;

/**
 * Every reason to hold a revision: it is empty, loses all segments or more than half of the targets (REVISION_EMPTIES), or it
 * un-isolates more workloads than `limits.unisolate` of the revision in force allows (LIMIT_EXCEEDED).
 */
export function checkRevision({ before, after, inventories, enforced }: RevisionCheck): readonly RevisionProblem[] {
  const problems = emptyingProblems(before, after);
  if (before === undefined) return problems;
  problems.push(...missingFields(before, after));
  const { count, reasons } = findUnisolated(before, after, inventories, enforced);
  const limit = before.workspace.limits.unisolate;
  if (count <= limit) return problems;
  return [
    ...problems,
    {
      code: "LIMIT_EXCEEDED",
      message: `It would un-isolate ${count} workload(s), and limits.unisolate is ${limit}: ${listed(reasons)}.`,
    },
  ];
}

/** How many workloads a revision un-isolates, see `findUnisolated`. */
export function countUnisolated(
  before: Definitions,
  after: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
): number {
  return findUnisolated(before, after, inventories).count;
}

/**
 * The workloads that are isolated in some direction under `before` and no more under `after`.
 *
 * An enforced direction removed from a segment counts as at least 1, even over no members. A target that is gone stays enforced
 * (orphaned), and one that is not written stays as it is, so neither counts until somebody writes it again: under its name, or under
 * another one with the same connection or address. A cluster whose inventory is missing or incomplete counts 1 for each enforced
 * selector that is gone, because it may have pods that are unknown.
 */
export function findUnisolated(
  before: Definitions,
  after: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
  enforced: EnforcedElsewhere = new Map(),
): Unisolation {
  const standing = listStanding(before, after, enforced);
  const lost: Loss[] = [];
  for (const next of listTargets(after)) {
    const old = next.mode === "apply" ? standing(next) : undefined;
    if (old === undefined) continue;
    const { definitions, target } = old;
    if (target.kind === "cluster" && next.kind === "cluster") {
      const inventory = inventories.get(target.id) ?? inventories.get(next.id);
      lost.push(...lostInCluster([definitions, target.cluster], [after, next.cluster], inventory));
    } else if (target.kind === "host" && next.kind === "host") lost.push(...lostOnHost([definitions, target], [after, next]));
  }
  const accounted = new Set(lost.flatMap((loss) => loss.by));
  const removed = removedDirections(before, after).filter((name) => !accounted.has(name));
  return {
    count: lost.reduce((total, loss) => total + loss.workloads, removed.length),
    reasons: [...lost.map((loss) => loss.words), ...removed.map((name) => `segment ${name} is enforced no more`)].sort(compareText),
  };
}

/** A target, and the definitions by which it is enforced now. */
interface Standing {
  readonly target: Target;
  readonly definitions: Definitions;
}

/** Finds what a target of `after` enforces now: under its own name, or under that of a target which `after` does not name. */
function listStanding(
  before: Definitions,
  after: Definitions,
  enforced: EnforcedElsewhere,
): (next: Target) => Standing | undefined {
  const standing = new Map<TargetId, Standing>();
  for (const [id, definitions] of enforced) {
    const target = findTarget(definitions, id);
    if (target?.mode === "apply") standing.set(id, { target, definitions });
  }
  for (const target of listTargets(before)) if (target.mode === "apply") standing.set(target.id, { target, definitions: before });
  const named = new Set(listTargets(after).map(({ id }) => id));
  const byMachine = new Map<string, Standing>();
  for (const one of standing.values()) {
    if (!named.has(one.target.id)) for (const key of machineKeys(one.target)) byMachine.set(key, one);
  }
  return (next) => {
    const same = standing.get(next.id);
    if (same !== undefined) return same;
    return machineKeys(next).flatMap((key) => byMachine.get(key) ?? [])[0];
  };
}

/** What tells from Git alone that two targets are one cluster or one host. */
function machineKeys(target: Target): readonly string[] {
  if (target.kind === "host") return target.host.addresses.map((address) => `address ${address}`);
  const { connection } = target.cluster;
  return [connection.kind === "context" ? `context ${connection.context}` : "in cluster"];
}

/** Workloads that become open. `by` names what isolated them: `SEGMENT DIRECTION`. */
interface Loss {
  readonly workloads: number;
  readonly words: string;
  readonly by: readonly string[];
}

type HostTarget = Extract<Target, { kind: "host" }>;

/** The enforced selectors of one direction of a cluster, by the segment they stand for. */
interface Isolator {
  readonly segment: string;
  readonly direction: Direction;
  readonly isolates: (group: PodGroup) => boolean;
  /** The meaning as text, to compare without pods. */
  readonly key: string;
}

function lostInCluster(
  before: readonly [Definitions, Cluster],
  after: readonly [Definitions, Cluster],
  inventory: ClusterInventory | undefined,
): readonly Loss[] {
  const services = inventory?.services ?? [];
  const remaining = listIsolators(...after, services);
  const kept = new Set(remaining.map(({ key }) => key));
  // What means the same after as before isolates the same: only the others can lose anybody.
  const isolators = listIsolators(...before, services).filter(({ key }) => !kept.has(key));
  if (isolators.length === 0) return [];
  const target = `cluster ${before[1].name}`;
  const pods = (inventory?.pods ?? []).filter((pod) => !pod.hostNetwork);
  const seen = groupPods(inventory?.namespaces ?? [], pods).flatMap((group): readonly Loss[] => {
    const lost = DIRECTIONS.flatMap((direction) => lostDirection(group, direction, isolators, remaining));
    if (lost.length === 0) return [];
    const by = [...new Set(lost.map(({ segment, direction }) => `${segment} ${direction}`))];
    const words = `${target}: ${group.pods.length} pod(s) like ${group.namespace.name}/${group.pods[0]?.name ?? ""} (${by.join(", ")})`;
    return [{ workloads: group.pods.length, words, by }];
  });
  if (inventory?.complete === true) return seen;
  return [...seen, ...lostUnseen(target, isolators, new Set(seen.flatMap(({ by }) => by)))];
}

/** Selectors that isolate no more, in a cluster whose pods are not all known: each may have pods. */
function lostUnseen(target: string, isolators: readonly Isolator[], accounted: ReadonlySet<string>): readonly Loss[] {
  return isolators
    .filter(({ segment, direction }) => !accounted.has(`${segment} ${direction}`))
    .map(({ segment, direction }) => ({
      workloads: 1,
      words: `${target}: ${segment} ${direction}, an unknown number of pods (its inventory is not complete)`,
      by: [`${segment} ${direction}`],
    }));
}

function lostDirection(
  group: PodGroup,
  direction: Direction,
  isolators: readonly Isolator[],
  remaining: readonly Isolator[],
): readonly Isolator[] {
  const isolating = isolators.filter((isolator) => isolator.direction === direction && isolator.isolates(group));
  if (isolating.length === 0) return [];
  return remaining.some((isolator) => isolator.direction === direction && isolator.isolates(group)) ? [] : isolating;
}

function listIsolators(definitions: Definitions, cluster: Cluster, services: readonly Service[]): readonly Isolator[] {
  return [...definitions.segments.values()].flatMap((segment) =>
    DIRECTIONS.filter((direction) => segment.isolate[direction] === "enforce").flatMap((direction) =>
      subjectsIn(definitions, segment, cluster, services, "in").map((member): Isolator => {
        const inNamespace = remember((group: PodGroup) => {
          const labels = namespaceLabels(group.namespace);
          return matches(cluster.governs, labels) && matches(member.namespaces, labels);
        });
        return {
          segment: segment.name,
          direction,
          isolates: (group) => inNamespace(group) && matches(member.pods, group.labels),
          key: [direction, selectorKey(cluster.governs), selectorKey(member.namespaces), selectorKey(member.pods)].join(" "),
        };
      }),
    ),
  );
}

/** One answer per namespace: thousands of groups share it. */
function remember(answer: (group: PodGroup) => boolean): (group: PodGroup) => boolean {
  const known = new Map<string, boolean>();
  return (group) => {
    const found = known.get(group.namespace.name) ?? answer(group);
    known.set(group.namespace.name, found);
    return found;
  };
}

function lostOnHost(before: readonly [Definitions, HostTarget], after: readonly [Definitions, HostTarget]): readonly Loss[] {
  const by = DIRECTIONS.flatMap((direction) =>
    hostIsolators(...after, direction).length > 0 ? [] : hostIsolators(...before, direction).map((name) => `${name} ${direction}`),
  );
  return by.length === 0 ? [] : [{ workloads: 1, words: `${before[1].id} (${by.join(", ")})`, by }];
}

function hostIsolators(definitions: Definitions, { fleet, host }: HostTarget, direction: Direction): readonly string[] {
  return [...definitions.segments.values()]
    .filter((segment) => segment.isolate[direction] === "enforce")
    .filter((segment) => isHostIn(definitions, segment, fleet, host))
    .map((segment) => segment.name);
}

/** `SEGMENT DIRECTION` for every direction that was enforced and is no more: the segment gone, or left without any place to be. */
function removedDirections(before: Definitions, after: Definitions): readonly string[] {
  const named = new Set(listTargets(after).map(({ id }) => id));
  const staying = listTargets(before).filter(({ id }) => named.has(id));
  const ids = new Set(staying.map(({ id }) => id));
  const stayed = listTargets(after).filter(({ id }) => ids.has(id));
  return [...before.segments.values()].flatMap((segment) => {
    const next = after.segments.get(segment.name);
    const isNowhere = next !== undefined && canSelect(before, segment, staying) && !canSelect(after, next, stayed);
    return DIRECTIONS.filter(
      (direction) => segment.isolate[direction] === "enforce" && (isNowhere || next?.isolate[direction] !== "enforce"),
    ).map((direction) => `${segment.name} ${direction}`);
  });
}

/** True when a workload of one of these targets could be in the segment, now or later. */
function canSelect(definitions: Definitions, segment: Segment, targets: readonly Target[]): boolean {
  const members = flatMembers(definitions, segment.members).filter(
    (member) => member.kind !== "pods" || !(isUnsatisfiable(member.pods) || isUnsatisfiable(member.namespaces)),
  );
  return targets.some((target) => canHold(definitions, { ...segment, members }, target));
}

/** What the revision in force requires of every policy holds for the commit that takes the requirement away, too. */
function missingFields({ workspace }: Definitions, after: Definitions): readonly RevisionProblem[] {
  const missing = [...after.policies.values()].flatMap((policy) =>
    workspace.require.filter((field) => policy[field] === undefined).map((field) => `policy ${policy.name} has no ${field}`),
  );
  if (missing.length === 0) return [];
  const message = `The Workspace of the revision in force requires ${workspace.require.join(", ")}: ${listed(missing)}. Add them, or drop the requirement in a commit of its own.`;
  return [{ code: "REVISION_INVALID", message }];
}

function emptyingProblems(before: Definitions | undefined, after: Definitions): RevisionProblem[] {
  const problem = (message: string): RevisionProblem => ({ code: "REVISION_EMPTIES", message });
  const targets = listTargets(after);
  if (targets.length === 0 && after.segments.size === 0 && after.policies.size === 0) {
    return [problem("It defines nothing, and nothing is taken from an empty revision. Is the path right?")];
  }
  if (before === undefined) return [];
  const problems: RevisionProblem[] = [];
  if (before.segments.size > 0 && after.segments.size === 0) {
    problems.push(problem(`It loses all ${before.segments.size} segment(s): what they isolate would be open.`));
  }
  const lost = listTargets(before).filter((target) => findTarget(after, target.id) === undefined);
  if (lost.length * 2 > listTargets(before).length) {
    const names = listed(lost.map((target) => target.id));
    problems.push(problem(`It loses ${lost.length} of ${listTargets(before).length} target(s): ${names}.`));
  }
  return problems;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).join("; ");
  return names.length > 10 ? `${shown}; and ${names.length - 10} more` : shown;
}
