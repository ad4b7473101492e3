import type { ClusterInventory, Pod } from "../membership/inventory.ts";
import { subjectsIn } from "../membership/resolve.ts";
import { groupPods, namespaceLabels } from "../membership/select.ts";
import type { Cluster, Definitions, Direction, TargetId } from "../model/kinds.ts";
import { matches, type Labels } from "../selector/index.ts";
import type { Finding } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";

const DIRECTIONS: readonly Direction[] = ["ingress", "egress"];

/** In which directions a pod is isolated, and with which labels it was. */
export interface PodIsolation {
  readonly directions: ReadonlySet<Direction>;
  readonly labels: Labels;
}

/** By the pod's UID; pods that no segment isolates are left out. */
export type IsolatedPods = ReadonlyMap<string, PodIsolation>;

/** Which pods of a cluster the definitions isolate now. hostNetwork pods never are. */
export function isolatedPods(definitions: Definitions, cluster: Cluster, inventory: ClusterInventory): IsolatedPods {
  const isolated = new Map<string, PodIsolation>();
  const enforcing = [...definitions.segments.values()].flatMap((segment) => {
    const directions = DIRECTIONS.filter((direction) => segment.isolate[direction] === "enforce");
    if (directions.length === 0) return [];
    return subjectsIn(definitions, segment, cluster, inventory.services, "in").map((member) => ({ member, directions }));
  });
  for (const { namespace, labels, pods } of groupPods(inventory.namespaces, inventory.pods)) {
    const of = namespaceLabels(namespace);
    if (!matches(cluster.governs, of)) continue;
    const chosen = enforcing.filter(({ member }) => matches(member.namespaces, of) && matches(member.pods, labels));
    const directions = new Set(chosen.flatMap((segment) => segment.directions));
    if (directions.size === 0) continue;
    for (const pod of pods) if (!pod.hostNetwork) isolated.set(pod.uid, { directions, labels: pod.labels });
  }
  return isolated;
}

/**
 * What to remember: every direction in which a pod that is still there was ever isolated under this revision.
 *
 * A pod's own label change cannot be held, because the pod is not ours; that it was isolated is known only to who remembers.
 */
export function rememberIsolation(before: IsolatedPods, now: IsolatedPods, pods: readonly Pod[]): IsolatedPods {
  const remembered = new Map<string, PodIsolation>();
  for (const { uid } of pods) {
    const was = before.get(uid);
    const is = now.get(uid);
    const directions = new Set([...(was?.directions ?? []), ...(is?.directions ?? [])]);
    const isWhole = is !== undefined && is.directions.size === directions.size;
    const labels = isWhole ? is.labels : was?.labels;
    if (labels !== undefined) remembered.set(uid, { directions, labels });
  }
  return remembered;
}

/**
 * A finding for each pod that is isolated in fewer directions than it was, and whose own labels changed: what a label of its namespace
 * would un-isolate is held instead. It ends when the pod is isolated again, or gone.
 */
export function findLeftIsolation(
  target: TargetId,
  remembered: IsolatedPods,
  now: IsolatedPods,
  pods: readonly Pod[],
): readonly Finding[] {
  return pods.flatMap((pod): readonly Finding[] => {
    const was = remembered.get(pod.uid);
    if (was === undefined || isSame(was.labels, pod.labels)) return [];
    const lost = [...was.directions].filter((direction) => now.get(pod.uid)?.directions.has(direction) !== true);
    return lost.length === 0 ? [] : [leftFinding(target, pod, lost)];
  });
}

function leftFinding(target: TargetId, pod: Pod, lost: readonly Direction[]): Finding {
  const name = `${pod.namespace}/${pod.name}`;
  const opened = lost.map((direction) => (direction === "ingress" ? `any → ${name}: any port` : `${name} → any: any port`));
  return {
    fingerprint: fingerprintOf("left-isolation", target, `pod ${name} ${pod.uid}`),
    kind: "left-isolation",
    target,
    subject: `pod ${name}`,
    severity: "high",
    summary: `pod ${name} changed its labels and is isolated no more (${lost.join(" and ")})`,
    effect: { verdict: "opens", opened, closed: [] },
    who: undefined,
    at: undefined,
    healable: false,
    widens: true,
    foreign: false,
  };
}

function isSame(a: Labels, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
