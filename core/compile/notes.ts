import type { Cluster, Definitions, Segment } from "../model/kinds.ts";
import type { Note, Position } from "../model/note.ts";
import type { DnsEndpoint } from "./essentials.ts";
import type { HeldSegment } from "./segment-objects.ts";
import type { ClusterObject } from "./want.ts";
import type { WebhookPods } from "./webhooks.ts";
import { noteSelectorless } from "../membership/compute.ts";
import type { Service } from "../membership/inventory.ts";
import { choosesCluster, noteProblem, resolveSubjects } from "../membership/resolve.ts";
import { findService, hasSelector } from "../membership/services.ts";

/** What is special about this cluster: an enforcer that does nothing, and the essentials it can or cannot have. */
export function noteCluster(
  { workspace }: Definitions,
  cluster: Cluster,
  held: readonly HeldSegment[],
  dns: DnsEndpoint | undefined,
): readonly Note[] {
  const isolated = held
    .map(({ segment }) => segment)
    .filter(({ isolate }) => isolate.ingress === "enforce" || isolate.egress === "enforce");
  if (isolated.length === 0) return [];
  const notes: Note[] = [
    {
      severity: "info",
      code: "probes-open",
      at: cluster.at,
      summary: `builtin/probes: in cluster ${cluster.name} every pod is open to the node it runs on`,
      detail: "NetworkPolicy cannot close it: probes come that way, and so does everything else on that node.",
    },
    {
      severity: "info",
      code: "icmp-inexpressible",
      at: cluster.at,
      summary: `builtin/icmpErrors: a NetworkPolicy cannot say ICMP; in cluster ${cluster.name} its enforcer decides`,
    },
  ];
  if (workspace.essentials.dns && isolated.some((segment) => segment.isolate.egress === "enforce"))
    notes.push(...noteDns(cluster, dns));
  if (cluster.enforcer === "none") notes.push(...isolated.map((segment) => noteNoEnforcer(segment, cluster)));
  return notes;
}

/** Why names may not be resolved there: no DNS that labels name, or ports that nobody named. */
function noteDns(cluster: Cluster, dns: DnsEndpoint | undefined): readonly Note[] {
  const { namespace, name } = cluster.dns.service ?? { namespace: "kube-system", name: "kube-dns" };
  if (dns === undefined) {
    return [
      {
        severity: "info",
        code: "dns-unknown",
        at: cluster.at,
        summary: `builtin/dns: cluster ${cluster.name} has no Service ${namespace}/${name} with a selector`,
        detail:
          "Isolated pods reach NodeLocal DNS at 169.254.20.10 only. Name the Service in dns.service of the Cluster, or add a rule, if names are resolved elsewhere.",
      },
    ];
  }
  if (dns.refused.length === 0) return [];
  return [
    {
      severity: "warning",
      code: "dns-port",
      at: cluster.at,
      summary: `builtin/dns: the DNS Service of cluster ${cluster.name} leads to port ${dns.refused.join(", ")}, which is not opened`,
      detail: "DNS pods listen on 53 or 5353. If they listen there, say it in dns.ports of the Cluster.",
    },
  ];
}

function noteNoEnforcer(segment: Segment, cluster: Cluster): Note {
  return {
    severity: "warning",
    code: "unenforceable-here",
    at: segment.at,
    summary: `segment ${segment.name}: cluster ${cluster.name} has no enforcer, so the policies will not do a thing there`,
    detail: "Install a network plugin that enforces NetworkPolicy, or enforce the other end.",
  };
}

/** What labels cannot say of a segment in this cluster: who is left out, and the pods that only a service's endpoints name. */
export function noteMembers(
  definitions: Definitions,
  segment: Segment,
  cluster: Cluster,
  services: readonly Service[],
): readonly Note[] {
  const where = `segment ${segment.name} in cluster ${cluster.name}`;
  const { problem } = resolveSubjects(definitions, segment, cluster, services);
  const selectorless = segment.members.flatMap((member): readonly Note[] => {
    if (member.kind !== "service" || !choosesCluster(member.clusters, cluster)) return [];
    const service = findService(services, member.service.namespace, member.service.name);
    return service === undefined || hasSelector(service) ? [] : [noteSelectorless(where, member.at, service)];
  });
  // What is in a cluster now is no reason to refuse a definition: it is told, and closed.
  const doubts = problem === undefined ? [] : [{ ...noteProblem(where, segment, problem), severity: "warning" as const }];
  return [...doubts, ...selectorless];
}

/** A segment that needs the API server, where no way to it is opened. */
export function noteApiServer(segment: Segment, target: string, isSwitchedOn: boolean): Note {
  const why = isSwitchedOn ? "its Service default/kubernetes is not known" : "essentials.apiserver of the Workspace is false";
  return {
    severity: "warning",
    code: "apiserver-unknown",
    at: segment.at,
    summary: `builtin/apiserver: segment ${segment.name} needs the API server, and no way to it is opened in ${target}: ${why}`,
    detail: "Isolated pods of the segment cannot reach it, unless a rule says so.",
  };
}

/** Pods that the API server calls, and that are open to anybody because of it. */
export function noteWebhooks(
  webhooks: readonly WebhookPods[],
  objects: readonly ClusterObject[],
  held: ReadonlyMap<string, HeldSegment>,
): readonly Note[] {
  return webhooks.flatMap(({ namespace, ports, callers }) => {
    const opening = objects.filter(
      (object) =>
        object.namespace === namespace &&
        object.allows.some((allow) => allow.origin === "builtin/webhooks" && allow.ports === ports),
    );
    return [...new Set(opening.map(({ segment }) => segment))].flatMap((name): readonly Note[] => {
      const at = held.get(name)?.segment.at;
      if (at === undefined) return [];
      return [
        {
          severity: "info",
          code: "widened-here",
          at,
          summary: `builtin/webhooks: segment ${name} is open to any in namespace ${namespace} on the ports of ${callers.join(", ")} (widened here)`,
          detail: "The API server calls these pods, and no label or list of addresses says where it comes from.",
        },
      ];
    });
  });
}

/** A namespace that is not isolated, because the API server could not call what writes to the cluster depend on. */
export function noteSpared(segment: string, at: Position, { namespace, callers }: WebhookPods, target: string): Note {
  return {
    severity: "warning",
    code: "not-isolated-here",
    at,
    summary: `segment ${segment}: namespace ${namespace} of ${target} is not isolated in ingress, because of ${callers.join(", ")}`,
    detail:
      "Writes to the cluster fail while that cannot be called, and essentials.webhooks of the Workspace is false. What is isolated there already stays.",
  };
}
