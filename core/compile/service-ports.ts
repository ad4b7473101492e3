import type { Service } from "../membership/inventory.ts";
import { choosesCluster } from "../membership/resolve.ts";
import { findService, serviceKey } from "../membership/services.ts";
import type { Cluster, Definitions, PortRange, Rule } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import { ruleBook } from "./rules.ts";

/**
 * Rules that name a service segment and a port of the Service that its pods do not listen on: policy sees the pod's port, after the
 * Service's was rewritten (docs/design/networkpolicy.md 11), so such a rule would allow what nobody asked for and not what was
 * meant.
 *
 * A port that some target port by name could be is not told: only the pods know what the name stands for.
 */
export function noteServicePorts(definitions: Definitions, cluster: Cluster, services: readonly Service[]): readonly Note[] {
  const book = ruleBook(definitions);
  const behind = new Map(
    book.segments.map(({ name }): [string, readonly Service[]] => [
      name,
      book.flatMembers(name).flatMap((member): readonly Service[] => {
        if (member.kind !== "service" || !choosesCluster(member.clusters, cluster)) return [];
        const service = findService(services, member.service.namespace, member.service.name);
        return service === undefined ? [] : [service];
      }),
    ]),
  );
  return book.rules.flatMap((rule) =>
    rule.to.flatMap((name) => (behind.get(name) ?? []).flatMap((service) => noteRulePorts(rule, service, cluster))),
  );
}

function noteRulePorts(rule: Rule, service: Service, cluster: Cluster): readonly Note[] {
  if (rule.ports === "any") return [];
  const numbers = rule.ports.filter((port): port is PortRange => port.kind === "range" && port.from === port.to);
  return numbers.flatMap(({ protocol, from }): readonly Note[] => {
    const own = service.ports.filter((port) => port.protocol.toLowerCase() === protocol);
    const targets = own.map(({ port, targetPort }) => targetPort ?? port);
    const meant = own.filter(({ port }) => port === from).map(({ port, targetPort }) => targetPort ?? port);
    if (meant.length === 0 || targets.includes(from)) return [];
    if (targets.some((target) => typeof target === "string" && !meant.includes(target))) return [];
    const words = meant.map((target) => `${target}/${protocol}`).join(", ");
    return [
      {
        severity: "error",
        code: "service-port",
        at: rule.at,
        summary: `rule ${rule.id}: ${from}/${protocol} is a port of Service ${serviceKey(service)} in ${clusterTargetId(cluster.name)}; its pods listen on ${words}`,
        detail: `Write ${words}: policy sees the port of the pod, not that of the Service.`,
      },
    ];
  });
}
