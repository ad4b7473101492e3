import type { Service, WebhookBackend } from "../membership/inventory.ts";
import { compareText, sortedTexts } from "../membership/order.ts";
import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import { findService, hasSelector, serviceKey } from "../membership/services.ts";
import type { Subject } from "../membership/subject.ts";
import type { NamedPort, PortRange } from "../model/kinds.ts";
import { clusterPorts } from "./ports.ts";
import { canonicalOf } from "./subjects.ts";
import type { ClusterPorts } from "./want.ts";

/** Pods that the API server calls, and on which of their ports. */
export interface WebhookPods {
  readonly namespace: string;
  readonly subject: Subject;
  readonly ports: ClusterPorts;
  /** What calls them, for people, sorted: `validating shop-policy`. */
  readonly callers: readonly string[];
  /** True: while they cannot be reached, writes to the cluster fail. */
  readonly failsClosed: boolean;
}

/**
 * The pods behind admission webhooks and aggregated APIs, sorted; two services of one namespace that select the same pods are one.
 *
 * A service that is not there, has no selector or not that port has no pods that a label names: nothing is opened for it.
 */
export function findWebhookPods(webhooks: readonly WebhookBackend[], services: readonly Service[]): readonly WebhookPods[] {
  const found = new Map<string, WebhookPods>();
  for (const webhook of webhooks) {
    const service = findService(services, webhook.service.namespace, webhook.service.name);
    const port = service?.ports.find((one) => one.port === webhook.service.port && one.protocol.toUpperCase() === "TCP");
    if (service === undefined || port === undefined || !hasSelector(service)) continue;
    const one = podsBehind(webhook, service, port.targetPort ?? port.port);
    const key = `${one.namespace} ${canonicalOf(one.subject.pods).key}`;
    const known = found.get(key);
    found.set(key, known === undefined ? one : join(known, one));
  }
  return [...found].sort(([a], [b]) => compareText(a, b)).map(([, pods]) => pods);
}

function podsBehind({ kind, name, failsClosed }: WebhookBackend, service: Service, targetPort: number | string): WebhookPods {
  const { namespace, selector } = service;
  const namespaces = { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } };
  const port = portOf(targetPort);
  return {
    namespace,
    subject: { pods: { matchLabels: selector }, namespaces },
    ports: [port],
    callers: [`${kind} ${name} (${serviceKey(service)})`],
    failsClosed,
  };
}

function portOf(targetPort: number | string): PortRange | NamedPort {
  if (typeof targetPort === "string") return { kind: "named", protocol: "tcp", name: targetPort };
  return { kind: "range", protocol: "tcp", from: targetPort, to: targetPort };
}

function join(a: WebhookPods, b: WebhookPods): WebhookPods {
  const { ports } = a.ports === "any" || b.ports === "any" ? { ports: "any" as const } : clusterPorts([...a.ports, ...b.ports]);
  return {
    ...a,
    ports: ports === "none" ? a.ports : ports,
    callers: sortedTexts([...a.callers, ...b.callers]),
    failsClosed: a.failsClosed || b.failsClosed,
  };
}
