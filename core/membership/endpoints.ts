import { emptySet, fromAddressTexts } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster, Definitions, Member, Segment } from "../model/kinds.ts";
import type { Labels } from "../selector/index.ts";
import type { Service } from "./inventory.ts";
import { choosesCluster, isLeftOut, segmentNamed } from "./resolve.ts";
import { findService, hasSelector, serviceKey } from "./services.ts";

/**
 * Services without a selector: their EndpointSlices say what stands behind them. An address that is a pod counts as that pod where
 * workloads become addresses; the others are addresses. No label tells either, so in their own cluster they are peers by address.
 */

/** `namespace/name` of the pods that a segment holds because such a service names them; what `not` says by labels is not looked at. */
export function endpointPods(
  definitions: Definitions,
  segment: Segment,
  cluster: Cluster,
  services: readonly Service[],
): ReadonlySet<string> {
  const pods = new Set<string>();
  for (const service of selectorless(definitions, segment.members, cluster, services)) {
    for (const { pod } of service.endpoints ?? []) if (pod !== undefined) pods.add(`${service.namespace}/${pod}`);
  }
  return pods;
}

/** True when the segment holds a pod of {@link endpointPods}: one of its members does, and `not` does not leave it out. */
export function isEndpointIn(
  definitions: Definitions,
  segment: Segment,
  cluster: Cluster,
  services: readonly Service[],
  pod: { readonly key: string; readonly labels: Labels; readonly namespaceLabels: Labels },
): boolean {
  const isNamed = segment.members.some((member) => {
    if (member.kind === "segments")
      return member.segments.some((name) => isEndpointIn(definitions, segmentNamed(definitions, name), cluster, services, pod));
    return selectorless(definitions, [member], cluster, services).some((service) =>
      (service.endpoints ?? []).some((endpoint) => `${service.namespace}/${endpoint.pod}` === pod.key),
    );
  });
  return isNamed && !isLeftOut(definitions, segment, cluster, services, pod.labels, pod.namespaceLabels);
}

/** Addresses behind such a service that are no pods. */
export function rawEndpoints(service: Service): AddressSet {
  const raw = (service.endpoints ?? []).filter(({ pod }) => pod === undefined);
  return raw.length === 0 ? emptySet : fromAddressTexts(raw.map(({ address }) => address)).set;
}

/** Services without a selector that any segment names for this cluster, nested and left-out ones included, sorted by name. */
export function namedEndpoints(definitions: Definitions, cluster: Cluster, services: readonly Service[]): readonly Service[] {
  const named = new Map<string, Service>();
  for (const segment of definitions.segments.values()) {
    for (const service of selectorless(definitions, [...segment.members, ...segment.not], cluster, services))
      named.set(serviceKey(service), service);
  }
  return [...named].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, service]) => service);
}

function selectorless(
  definitions: Definitions,
  members: readonly Member[],
  cluster: Cluster,
  services: readonly Service[],
): readonly Service[] {
  return members.flatMap((member): readonly Service[] => {
    if (member.kind === "segments")
      return member.segments.flatMap((name) =>
        selectorless(definitions, segmentNamed(definitions, name).members, cluster, services),
      );
    if (member.kind !== "service" || !choosesCluster(member.clusters, cluster)) return [];
    const service = findService(services, member.service.namespace, member.service.name);
    return service === undefined || hasSelector(service) ? [] : [service];
  });
}
