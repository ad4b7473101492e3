import { fromAddressTexts, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster, Direction } from "../model/kinds.ts";
import { matches } from "../selector/index.ts";
import type { ClusterInventory, Pod, Service } from "./inventory.ts";
import { namespaceLabels, NAMESPACE_NAME_LABEL } from "./select.ts";
import { findService } from "./services.ts";
import type { Subject } from "./subject.ts";

/**
 * A cluster's boundary, as addresses. Peers only: nothing of it is ever isolated.
 *
 * ingress: from where outside traffic reaches pods: nodes (NodePort, and what is rewritten there), load balancers, the pods of ingress
 * controllers. egress: what its pods show outside: their own addresses, or those of the nodes where the pod network is masqueraded.
 */
export function boundaryAddresses(cluster: Cluster, inventory: ClusterInventory, side: Direction): AddressSet {
  const nodes = inventory.nodes.flatMap((node) => node.addresses);
  const own = inventory.pods.filter((pod) => !pod.hostNetwork);
  if (side === "egress") {
    return fromAddressTexts(cluster.podNetwork === "masqueraded" ? nodes : own.flatMap((pod) => pod.addresses)).set;
  }
  const controllers = ingressControllers(inventory.services);
  const namespaces = new Map(inventory.namespaces.map((namespace) => [namespace.name, namespaceLabels(namespace)]));
  const pods = own.filter((pod) => isOneOf(controllers, pod, namespaces.get(pod.namespace) ?? nameOnly(pod.namespace)));
  return unionAll([
    fromAddressTexts(nodes).set,
    fromAddressTexts(loadBalancers(inventory.services)).set,
    fromAddressTexts(pods.flatMap((pod) => pod.addresses)).set,
  ]);
}

/** Addresses under which services are published outside. */
export function loadBalancers(services: readonly Service[]): readonly string[] {
  return services.flatMap(({ loadBalancer }) => loadBalancer ?? []);
}

/** On OpenShift, namespaces of routers carry it; its documentation names it for exactly this use. */
const OPENSHIFT_INGRESS = "policy-group.network.openshift.io/ingress";

/** `app.kubernetes.io/name` as the charts of ingress controllers set it. */
const CONTROLLERS: ReadonlySet<string> = new Set([
  "ingress-nginx",
  "nginx-ingress",
  "traefik",
  "haproxy-ingress",
  "kubernetes-ingress",
  "contour",
  "envoy",
  "kong",
]);

/**
 * Pods of ingress controllers, as labels: OpenShift's router namespaces where the cluster is an OpenShift, and the pods behind services
 * that are published outside and whose selector names a known controller. Any other published service is an application.
 */
export function ingressControllers(services: readonly Service[]): readonly Subject[] {
  const subjects = services
    .filter(({ selector, loadBalancer = [] }) => {
      const name = Object.hasOwn(selector, "app.kubernetes.io/name") ? selector["app.kubernetes.io/name"] : undefined;
      return loadBalancer.length > 0 && name !== undefined && CONTROLLERS.has(name);
    })
    .map(({ namespace, selector }): Subject => ({
      pods: { matchLabels: selector },
      namespaces: { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } },
    }));
  if (findService(services, "openshift-dns", "dns-default") === undefined) return subjects;
  const routers: Subject = { pods: {}, namespaces: { matchExpressions: [{ key: OPENSHIFT_INGRESS, operator: "Exists" }] } };
  return [routers, ...subjects];
}

function isOneOf(subjects: readonly Subject[], pod: Pod, labels: Readonly<Record<string, string>>): boolean {
  return subjects.some(({ pods, namespaces }) => matches(namespaces, labels) && matches(pods, pod.labels));
}

function nameOnly(name: string): Readonly<Record<string, string>> {
  return { [NAMESPACE_NAME_LABEL]: name };
}
