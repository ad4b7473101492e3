import { sortedTexts } from "../membership/order.ts";
import { choosesCluster } from "../membership/resolve.ts";
import { serviceKey } from "../membership/services.ts";
import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import type { Cluster, Definitions, Member } from "../model/kinds.ts";
import { selectorKeys } from "../selector/index.ts";

/** What in a cluster decides who is in which segment, and can be changed there. Everything sorted. */
export interface RestsOn {
  /** Keys of the labels of namespaces; the name of a namespace is none, nobody can change it. */
  readonly namespaceLabels: readonly string[];
  /** Keys of the labels of pods. */
  readonly podLabels: readonly string[];
  /** Services whose selector or endpoints say who is a member: `namespace/name`. */
  readonly services: readonly string[];
}

/**
 * What the segments, the rules with `same`, the edge and the governed namespaces of a cluster rest on. A segment counts whether or not
 * it is isolated: its members may be peers.
 */
export function restsOn(definitions: Definitions, cluster: Cluster): RestsOn {
  const members = [...definitions.segments.values()].flatMap((segment) => [...segment.members, ...segment.not]);
  const chosen = members.filter((member) => isHere(member, cluster));
  const pods = chosen.filter((member) => member.kind === "pods");
  const same = [...definitions.policies.values(), ...definitions.guardrails.values()].flatMap(({ rules }) =>
    rules.flatMap((rule) => rule.same),
  );
  return {
    namespaceLabels: sortedTexts(
      [cluster.governs, ...pods.map(({ namespaces }) => namespaces)]
        .flatMap(selectorKeys)
        .filter((key) => key !== NAMESPACE_NAME_LABEL),
    ),
    podLabels: sortedTexts([
      ...[...pods, ...cluster.boundaries.ingress.controllers].flatMap(({ pods: selector }) => selectorKeys(selector)),
      ...same,
    ]),
    services: sortedTexts(chosen.flatMap((member) => (member.kind === "service" ? [serviceKey(member.service)] : []))),
  };
}

function isHere(member: Member, cluster: Cluster): member is Extract<Member, { kind: "pods" | "service" }> {
  return (member.kind === "pods" || member.kind === "service") && choosesCluster(member.clusters, cluster);
}
