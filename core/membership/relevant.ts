import type { Cluster, Definitions } from "../model/kinds.ts";
import { ingressControllers, loadBalancers } from "./boundary.ts";
import type { ClusterInventory, Service } from "./inventory.ts";
import { choosesCluster, flatMembers } from "./resolve.ts";
import { findService, serviceKey } from "./services.ts";

/** Services that the essentials rest on. */
const ESSENTIAL_SERVICES = [
  { namespace: "kube-system", name: "kube-dns" },
  { namespace: "openshift-dns", name: "dns-default" },
  { namespace: "default", name: "kubernetes" },
] as const;

/**
 * The services of a cluster that its rendering rests on, sorted by name: those of the essentials, those that segments name, those behind
 * webhooks, and those of ingress controllers where a segment names the boundary. All others may come and go without a plan.
 */
export function relevantServices(
  definitions: Definitions,
  cluster: Cluster,
  { services, webhooks = [] }: Pick<ClusterInventory, "services" | "webhooks">,
): readonly Service[] {
  const relevant = new Map<string, Service>();
  const add = (service: Service | undefined): void => {
    if (service !== undefined) relevant.set(serviceKey(service), service);
  };
  for (const { namespace, name } of ESSENTIAL_SERVICES) add(findService(services, namespace, name));
  for (const { service } of webhooks) add(findService(services, service.namespace, service.name));
  let isBoundaryAsked = false;
  for (const segment of definitions.segments.values()) {
    for (const member of flatMembers(definitions, [...segment.members, ...segment.not])) {
      if (member.kind === "boundary" && choosesCluster(member.clusters, cluster)) isBoundaryAsked = true;
      if (member.kind === "service" && choosesCluster(member.clusters, cluster))
        add(findService(services, member.service.namespace, member.service.name));
    }
  }
  if (isBoundaryAsked)
    for (const service of services)
      if (loadBalancers([service]).length > 0 && ingressControllers([service]).length > 0) add(service);
  return [...relevant].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, service]) => service);
}
