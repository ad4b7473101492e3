import type { Protocol } from "../address/ports.ts";
import { matches } from "../selector/index.ts";
import { resolveNamedPorts } from "./compile-ports.ts";
import type { Verdict } from "./evaluator.ts";
import { podId } from "./world.ts";
import type { WorldPod, WorldService, WorldServicePort } from "./world.ts";

/** A pod behind a Service, and the port at which policies see it: the target port, not the Service's. */
export interface Backend {
  readonly pod: WorldPod;
  readonly port: number;
}

/** `Service shop/db`. */
function serviceId({ namespace, name }: WorldService): string {
  return `Service ${namespace}/${name}`;
}

/** What a port of a Service leads to, or in words why it leads nowhere. `pods` are the live ones. */
export function backendsOf(
  service: WorldService,
  port: number | string,
  protocol: Protocol,
  pods: Iterable<WorldPod>,
): readonly Backend[] | string {
  const entry = service.ports.find(
    (candidate) => candidate.protocol.toLowerCase() === protocol && (candidate.port === port || candidate.name === port),
  );
  if (entry === undefined) return `${serviceId(service)} has no ${protocol} port ${port}`;
  const { selector } = service;
  if (selector === undefined) return `${serviceId(service)} has no selector: its pods are not known`;
  const backends = [...pods]
    .filter((pod) => pod.namespace === service.namespace && matches({ matchLabels: selector }, pod.labels))
    .flatMap((pod): readonly Backend[] => {
      const number = targetIn(pod, entry);
      return number === undefined ? [] : [{ pod, port: number }];
    });
  return backends.length === 0 ? `no pod answers behind ${serviceId(service)}` : backends;
}

function targetIn(pod: WorldPod, { targetPort, protocol }: WorldServicePort): number | undefined {
  if (typeof targetPort === "number") return targetPort;
  const known = (["tcp", "udp", "sctp"] as const).find((name) => name === protocol.toLowerCase());
  return known === undefined ? undefined : resolveNamedPorts([{ protocol: known, name: targetPort }], pod.ports)[known][0];
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
  return backend === undefined ? "one" : `${podId(backend.pod)} port ${backend.port}`;
}
