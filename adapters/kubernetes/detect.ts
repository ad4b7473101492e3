import type { EnforcerSetting } from "../../core/model/kinds.ts";
import { parseList } from "./reflector.ts";
import type { KubernetesClient } from "./client.ts";

export type Enforcer = Exclude<EnforcerSetting, "auto">;

/** DaemonSets by which an enforcer is known, as their own manifests and operators name them. */
const DAEMONSETS: readonly (readonly [name: string, enforcer: Enforcer])[] = [
  ["calico-node", "calico"],
  ["cilium", "cilium"],
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
  const path = "/apis/apps/v1/daemonsets";
  const { items } = parseList(await client.call("GET", path, { signal }), path);
  const names = new Set(items.map((item) => (item as { metadata: { name: string } }).metadata.name));
  return DAEMONSETS.find(([name]) => names.has(name))?.[1] ?? "none";
}
