import type { Protocol } from "../address/ports.ts";
import { matches } from "../selector/index.ts";
import { namedContainerPorts } from "./compile-ports.ts";
import type { Verdict } from "./verdict.ts";
import { podAt } from "./place.ts";
import type { WorldIndex } from "./place.ts";
import { podId } from "./world.ts";
import type { Endpoint, WorldPod, WorldService, WorldServicePort } from "./world.ts";

/** What is behind a Service, and the port at which policies see it: the target port, not the Service's. */
export interface Backend {
  readonly endpoint: Endpoint;
  /** Undefined for an address that no pod has. */
  readonly pod: WorldPod | undefined;
  readonly port: number;
}

/** `Service shop/db`. */
export function serviceId({ namespace, name }: WorldService): string {
  return `Service ${namespace}/${name}`;
}

/** What a port of a Service leads to, or in words why it leads nowhere. */
export function backendsOf(
  service: WorldService,
  port: number | string,
  protocol: Protocol,
  index: WorldIndex,
): readonly Backend[] | string {
  const entry = service.ports.find(
    (candidate) => candidate.protocol.toLowerCase() === protocol && (candidate.port === port || candidate.name === port),
  );
  if (entry === undefined) return `${serviceId(service)} has no ${protocol} port ${port}`;
  const { selector } = service;
  if (selector === undefined) return endpointsBehind(service, entry, index);
  const backends = [...index.pods.values()]
    .filter((pod) => pod.namespace === service.namespace && matches({ matchLabels: selector }, pod.labels))
    .flatMap((pod): readonly Backend[] => {
      const number = targetIn(pod, entry);
      return number === undefined ? [] : [{ endpoint: endpointOf(pod), pod, port: number }];
    });
  return backends.length === 0 ? `no pod answers behind ${serviceId(service)}` : backends;
}

/** Of a Service without a selector: what Endpoints and EndpointSlices of its name hold. */
function endpointsBehind(service: WorldService, entry: WorldServicePort, index: WorldIndex): readonly Backend[] | string {
  if (service.endpoints === undefined)
    return `${serviceId(service)} has no selector, and no EndpointSlice is among the manifests: what is behind it is not known`;
  const found = service.endpoints
    .filter(({ portName, protocol }) => portName === (entry.name ?? "") && protocol === entry.protocol)
    .map(({ address, port }): Backend => {
      const pod = podAt(index, address);
      return { endpoint: pod === undefined ? { kind: "address", address } : endpointOf(pod), pod, port };
    });
  return found.length === 0 ? `no endpoint answers behind ${serviceId(service)}` : found;
}

function endpointOf({ namespace, name }: WorldPod): Endpoint {
  return { kind: "pod", namespace, name };
}

/** A name is the first port of that name, as the API server's FindPort has it. */
function targetIn(pod: WorldPod, { targetPort, protocol }: WorldServicePort): number | undefined {
  if (typeof targetPort === "number") return targetPort;
  const known = (["tcp", "udp", "sctp"] as const).find((name) => name === protocol.toLowerCase());
  return known === undefined ? undefined : namedContainerPorts(known, targetPort, pod.ports)[0];
}

/**
 * One answer for all pods behind a Service. Which of them is picked is not known: where they differ, an end is open only if it is open
 * for each, and that is uncertain.
 */
export function joinVerdicts(
  service: WorldService,
  answers: readonly { readonly backend: Backend; readonly verdict: Verdict }[],
): Verdict {
  const all = answers.map(({ verdict }) => verdict);
  const denied = answers.filter(({ verdict }) => !verdict.allowed);
  const shown = (denied[0] ?? answers[0])?.verdict;
  const doubts = new Set(all.flatMap(({ uncertain }) => uncertain));
  if (denied.length > 0 && denied.length < all.length) {
    const [open] = answers.filter(({ verdict }) => verdict.allowed);
    doubts.add(
      `it depends on the pod behind ${serviceId(service)}: ${nameOf(open?.backend)} may be reached, ${nameOf(denied[0]?.backend)} not`,
    );
  }
  return {
    ingress: all.every(({ ingress }) => ingress),
    egress: all.every(({ egress }) => egress),
    allowed: denied.length === 0,
    why: shown?.why ?? [],
    uncertain: [...doubts],
  };
}

function nameOf(backend: Backend | undefined): string {
  if (backend === undefined) return "one";
  const { endpoint, port } = backend;
  return `${endpoint.kind === "pod" ? podId(endpoint) : endpoint.address} port ${port}`;
}
