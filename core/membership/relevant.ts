import type { Cluster, Definitions } from "../model/kinds.ts";
import type { ClusterInventory, Platform, Service } from "./inventory.ts";
import { choosesCluster, flatMembers } from "./resolve.ts";
import { findService, serviceKey } from "./services.ts";

/** The Services that a cluster's DNS may be: the one that its definition names, else the first of these that is there. */
export function dnsServices({ dns }: Cluster, platform: Platform | undefined): readonly ServiceName[] {
  if (dns.service !== undefined) return [dns.service];
  return platform === "openshift" ? [KUBE_DNS, OPENSHIFT_DNS] : [KUBE_DNS];
}

interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

const KUBE_DNS: ServiceName = { namespace: "kube-system", name: "kube-dns" };
/** A namespace of this name can be anybody's where the cluster is no OpenShift. */
export const OPENSHIFT_DNS: ServiceName = { namespace: "openshift-dns", name: "dns-default" };
const API_SERVER: ServiceName = { namespace: "default", name: "kubernetes" };

/**
 * The services of a cluster that its rendering rests on, sorted by name: those of the essentials, those that segments name, and those behind
 * webhooks. All others may come and go without a plan.
 */
export function relevantServices(
  definitions: Definitions,
  cluster: Cluster,
  { services, webhooks = [], platform }: Pick<ClusterInventory, "services" | "webhooks" | "platform">,
): readonly Service[] {
  const relevant = new Map<string, Service>();
  const add = (service: Service | undefined): void => {
    if (service !== undefined) relevant.set(serviceKey(service), service);
  };
  for (const { namespace, name } of [...dnsServices(cluster, platform), API_SERVER]) add(findService(services, namespace, name));
  for (const { service } of webhooks) add(findService(services, service.namespace, service.name));
  for (const segment of definitions.segments.values()) {
    for (const member of flatMembers(definitions, [...segment.members, ...segment.not])) {
      if (member.kind === "service" && choosesCluster(member.clusters, cluster))
        add(findService(services, member.service.namespace, member.service.name));
    }
  }
  return [...relevant].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, service]) => service);
}
