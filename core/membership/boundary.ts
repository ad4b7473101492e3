import { emptySet, formatSet, fromAddressTexts, fromPrefixes, isEmpty, subtract, union, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster, Direction } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { matches } from "../selector/index.ts";
import type { ClusterInventory, Platform, Pod, Service } from "./inventory.ts";
import { sortedTexts } from "./order.ts";
import { podAddresses } from "./pod-addresses.ts";
import { namespaceLabels, NAMESPACE_NAME_LABEL } from "./select.ts";
import { serviceKey } from "./services.ts";
import type { Subject } from "./subject.ts";

/**
 * What a cluster's boundary is, as addresses that are learnt from it. Peers only: nothing of it is ever isolated.
 *
 * ingress: from where outside traffic reaches pods: nodes (NodePort, and what is rewritten there), load balancers as controllers report
 * them, the pods of ingress controllers that the definition names. egress: what its pods show outside: their own addresses, or those of
 * the nodes where the pod network is masqueraded.
 */
export function boundaryAddresses(cluster: Cluster, inventory: ClusterInventory, side: Direction): AddressSet {
  const nodes = inventory.nodes.flatMap((node) => node.addresses);
  const own = inventory.pods.filter((pod) => !pod.hostNetwork);
  if (side === "egress") {
    return fromAddressTexts(cluster.podNetwork === "masqueraded" ? nodes : own.flatMap((pod) => podAddresses(cluster, pod))).set;
  }
  const controllers = ingressControllers(cluster, inventory.platform);
  const namespaces = new Map(inventory.namespaces.map((namespace) => [namespace.name, namespaceLabels(namespace)]));
  const pods = own.filter((pod) => isOneOf(controllers, pod, namespaces.get(pod.namespace) ?? nameOnly(pod.namespace)));
  return unionAll([
    fromAddressTexts(nodes).set,
    fromAddressTexts(loadBalancers(inventory.services)).set,
    fromAddressTexts(pods.flatMap((pod) => podAddresses(cluster, pod))).set,
  ]);
}

/** Addresses of a side of the boundary that the definition itself lists. */
export function listedBoundary({ boundaries }: Cluster, side: Direction): AddressSet {
  return side === "ingress" ? fromPrefixes(boundaries.ingress.addresses) : emptySet;
}

/** What is learnt and what is listed, together. */
export function wholeBoundary(cluster: Cluster, inventory: ClusterInventory, side: Direction): AddressSet {
  return union(boundaryAddresses(cluster, inventory, side), listedBoundary(cluster, side));
}

/** Addresses that controllers gave to services. */
export function loadBalancers(services: readonly Service[]): readonly string[] {
  return services.flatMap(({ loadBalancer }) => loadBalancer ?? []);
}

/** On OpenShift, namespaces of routers carry it; its documentation names it for exactly this use. Elsewhere any owner of a namespace may. */
const OPENSHIFT_INGRESS = "policy-group.network.openshift.io/ingress";

/**
 * Pods of ingress controllers, as labels: those that the definition names, and OpenShift's router namespaces where the cluster is one.
 * What a Service says of itself counts nothing: every owner of a namespace can write one.
 */
export function ingressControllers({ boundaries }: Cluster, platform: Platform | undefined): readonly Subject[] {
  const named = boundaries.ingress.controllers.map(({ namespace, pods }): Subject => ({
    pods,
    namespaces: { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } },
  }));
  if (platform !== "openshift") return named;
  return [{ pods: {}, namespaces: { matchExpressions: [{ key: OPENSHIFT_INGRESS, operator: "Exists" }] } }, ...named];
}

/** Addresses that joined the ingress boundary because the cluster says so, and that its definition does not list. */
export function unlistedBoundary(
  cluster: Cluster,
  services: readonly Service[],
): { readonly addresses: AddressSet; readonly services: readonly string[] } {
  const listed = listedBoundary(cluster, "ingress");
  const unlisted = services.filter(
    ({ loadBalancer = [] }) => loadBalancer.length > 0 && !isEmpty(subtract(fromAddressTexts(loadBalancer).set, listed)),
  );
  const addresses = subtract(fromAddressTexts(loadBalancers(unlisted)).set, listed);
  return { addresses, services: sortedTexts(unlisted.map(serviceKey)) };
}

/** Says which addresses joined the ingress boundary that no definition lists. */
export function noteBoundary(cluster: Cluster, services: readonly Service[]): readonly Note[] {
  const unlisted = unlistedBoundary(cluster, services);
  if (isEmpty(unlisted.addresses)) return [];
  return [
    {
      severity: "info",
      code: "boundary-address",
      at: cluster.at,
      summary: boundaryWords(cluster, unlisted),
      detail:
        "A controller of the cluster gave them out. List them in boundaries.ingress.addresses of the Cluster if they are meant.",
    },
  ];
}

/** One line: addresses and the services that have them, cut to what somebody can read. */
export function boundaryWords(cluster: Cluster, { addresses, services }: ReturnType<typeof unlistedBoundary>): string {
  const named = services.slice(0, 5).join(", ");
  const more = services.length > 5 ? ` and ${services.length - 5} more` : "";
  const text = formatSet(addresses);
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `the ingress boundary of cluster ${cluster.name} holds ${shown}, which its definition does not list (services ${named}${more})`;
}

function isOneOf(subjects: readonly Subject[], pod: Pod, labels: Readonly<Record<string, string>>): boolean {
  return subjects.some(({ pods, namespaces }) => matches(namespaces, labels) && matches(pods, pod.labels));
}

function nameOnly(name: string): Readonly<Record<string, string>> {
  return { [NAMESPACE_NAME_LABEL]: name };
}
