import type { WorldPod } from "../verdict/world.ts";

/** `namespace/name[Kind]`: the workload that a pod belongs to. */
export function workloadOf(pod: WorldPod): string {
  const slash = pod.owner?.indexOf("/") ?? -1;
  if (pod.owner === undefined || slash < 0) return `${pod.namespace}/${pod.name}[Pod]`;
  return `${pod.namespace}/${pod.owner.slice(slash + 1)}[${pod.owner.slice(0, slash)}]`;
}
