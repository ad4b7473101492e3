import type { EnforcerSetting } from "../../core/model/kinds.ts";
import type { KubernetesClient } from "./client.ts";
import { listAll } from "./list.ts";

export type Enforcer = Exclude<EnforcerSetting, "auto">;

/** DaemonSets by which an enforcer is known, as their own manifests and operators name them. */
const DAEMONSETS: readonly (readonly [name: string, enforcer: Enforcer])[] = [
  ["calico-node", "calico"],
  ["canal", "calico"],
  ["cilium", "cilium"],
  ["anetd", "cilium"],
  ["antrea-agent", "antrea"],
  ["ovnkube-node", "ovn-kubernetes"],
  ["kube-network-policies", "kube-network-policies"],
  ["kindnet", "kube-network-policies"],
];

/**
 * Which enforcer runs in a cluster, told by its DaemonSet; `none` when there is none that we know: then policies may not do a thing,
 * and the finding says so rather than assuming that somebody enforces.
 */
export async function detectEnforcer(client: KubernetesClient, signal: AbortSignal): Promise<Enforcer> {
  const { items } = await listAll(client, "/apis/apps/v1/daemonsets", nameOf, signal);
  const names = new Set(items);
  return DAEMONSETS.find(([name]) => names.has(name))?.[1] ?? "none";
}

function nameOf(object: unknown): string {
  return (object as { metadata: { name: string } }).metadata.name;
}
