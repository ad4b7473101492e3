import type { Service, ServiceEndpoint, WebhookBackend } from "../../core/membership/inventory.ts";
import type { Labels } from "../../core/selector/index.ts";

/** What is kept of services, of what stands behind those without a selector, and of who is called by the API server. */

interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
}

interface RawService {
  readonly metadata: Meta;
  readonly spec?: {
    readonly selector?: Labels;
    readonly clusterIPs?: readonly string[];
    readonly ports?: readonly { protocol?: string; port: number; targetPort?: number | string }[];
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

const NO_LABELS: Labels = {};

/**
 * A load balancer that has only a host name has no address that a packet carries. Of addresses under which a service is published only
 * those count that a controller wrote into its status: `spec.externalIPs` and `spec.loadBalancerIP` are wishes of a namespace's owner.
 */
export function trimService(object: unknown): Service {
  const { metadata, spec, status } = object as RawService;
  const published = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    selector: spec?.selector ?? NO_LABELS,
    clusterIps: (spec?.clusterIPs ?? []).filter((ip) => ip !== "None"),
    ports: (spec?.ports ?? []).map(({ protocol, port, targetPort }) => ({ protocol: protocol ?? "TCP", port, targetPort })),
    ...(published.length === 0 ? {} : { loadBalancer: published }),
  };
}

/** The slices that Kubernetes makes from a selector: those services are told by their labels. All others are watched. */
export const OTHER_SLICES = "endpointslice.kubernetes.io/managed-by!=endpointslice-controller.k8s.io";

/** One EndpointSlice. */
export interface Slice {
  readonly name: string;
  /** `namespace/name` of its service. */
  readonly service: string;
  readonly endpoints: readonly ServiceEndpoint[];
}

interface RawSlice {
  readonly metadata: Meta;
  readonly addressType?: string;
  readonly endpoints?:
    | readonly {
        readonly addresses?: readonly string[];
        readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
      }[]
    | null;
  readonly ports?: readonly { readonly protocol?: string; readonly port?: number }[] | null;
}

/** Endpoints count whether they are ready or not, as pods do. A pod of another namespace than the service's is an address only. */
export function trimSlice(object: unknown): Slice | undefined {
  const { metadata, addressType, endpoints, ports } = object as RawSlice;
  const service = metadata.labels?.["kubernetes.io/service-name"];
  if (service === undefined || addressType === "FQDN") return undefined;
  const at = (ports ?? []).flatMap(({ protocol, port }) => (port === undefined ? [] : [{ protocol: protocol ?? "TCP", port }]));
  return {
    name: metadata.name,
    service: `${metadata.namespace}/${service}`,
    endpoints: (endpoints ?? []).flatMap(({ addresses = [], targetRef }) => {
      const isPod = targetRef?.kind === "Pod" && (targetRef.namespace ?? metadata.namespace) === metadata.namespace;
      const pod = isPod && targetRef.name !== undefined ? { pod: targetRef.name } : {};
      return addresses.map((address): ServiceEndpoint => ({ address, ...pod, ports: at }));
    }),
  };
}

/** Addresses of one service without a selector that are kept, the first in order: whoever owns its namespace writes them. */
const MAX_ENDPOINTS = 10_000;

/**
 * Services with their endpoints, sorted by address, where no selector says what stands behind them. Those of default/kubernetes are what
 * the API server writes itself, into the slice that has its name: it is reached by everybody who needs it.
 */
export function withEndpoints(services: readonly Service[], slices: Iterable<Slice>): readonly Service[] {
  const byService = Map.groupBy(slices, ({ service }) => service);
  return services.map((service) => {
    if (Object.keys(service.selector).length > 0) return service;
    const key = `${service.namespace}/${service.name}`;
    const believed = (byService.get(key) ?? []).filter(({ name }) => key !== "default/kubernetes" || name === "kubernetes");
    const endpoints = believed.flatMap((slice) => slice.endpoints);
    if (endpoints.length === 0) return service;
    return { ...service, endpoints: endpoints.toSorted((a, b) => (a.address < b.address ? -1 : 1)).slice(0, MAX_ENDPOINTS) };
  });
}

interface ServiceReference {
  readonly namespace?: string;
  readonly name?: string;
  readonly port?: number;
}

/** A ValidatingWebhookConfiguration or a MutatingWebhookConfiguration: those of its webhooks that a service answers. */
export function trimWebhooks(kind: "validating" | "mutating"): (object: unknown) => readonly WebhookBackend[] {
  return (object) => {
    const { metadata, webhooks } = object as {
      metadata: Meta;
      webhooks?: readonly { name: string; failurePolicy?: string; clientConfig?: { service?: ServiceReference } }[];
    };
    return (webhooks ?? []).flatMap(({ name, failurePolicy, clientConfig }) =>
      backendOf({ kind, name: `${metadata.name}/${name}`, failsClosed: failurePolicy !== "Ignore" }, clientConfig?.service),
    );
  };
}

/** A group that the API server serves, and the service that it hands it on to, where it does not answer itself. */
export interface ApiGroup {
  readonly group: string;
  readonly backends: readonly WebhookBackend[];
}

/** An APIService. Its own group fails while the service behind it is away, other writes do not. */
export function trimApiService(object: unknown): ApiGroup {
  const { metadata, spec } = object as { metadata: Meta; spec?: { group?: string; service?: ServiceReference | null } };
  const backends = backendOf({ kind: "apiService", name: metadata.name, failsClosed: false }, spec?.service ?? undefined);
  return { group: spec?.group ?? "", backends };
}

function backendOf(
  backend: Pick<WebhookBackend, "kind" | "name" | "failsClosed">,
  service: ServiceReference | undefined,
): readonly WebhookBackend[] {
  if (service?.namespace === undefined || service.name === undefined) return [];
  return [{ ...backend, service: { namespace: service.namespace, name: service.name, port: service.port ?? 443 } }];
}
