import type { Platform } from "../../core/membership/inventory.ts";
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

/** Groups that an OpenShift serves. Only administrators of a cluster can make it serve a group. */
const OPENSHIFT_GROUPS: ReadonlySet<string> = new Set(["config.openshift.io", "route.openshift.io"]);

/** What a cluster is besides a Kubernetes, told by the API groups that it serves: never by names of namespaces, which anybody may choose. */
export function platformOf(groups: Iterable<string>): Platform | undefined {
  for (const group of groups) if (OPENSHIFT_GROUPS.has(group)) return "openshift";
  return undefined;
}

function nameOf(object: unknown): string {
  return (object as { metadata: { name: string } }).metadata.name;
}
