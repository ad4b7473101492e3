import { hostsOf, podsMembersIn } from "../membership/select.ts";
import type { Cluster, Definitions, Direction, Member, Rule, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { conjunction, matches } from "../selector/index.ts";
import { segmentNamed } from "./ends.ts";
import type { DnsEndpoint } from "./essentials.ts";
import { listRules, peerEnds, subjectEnds } from "./rules.ts";

/** Rules that nothing enforces yet, whatever the inventory: neither end is isolated in a target that is written. */
export function noteIneffective(definitions: Definitions): readonly Note[] {
  return listRules(definitions).flatMap((rule) => noteRule(definitions, rule));
}

/** What is special about this cluster: an enforcer that does nothing, and the essentials it can or cannot have. */
export function noteCluster(definitions: Definitions, cluster: Cluster, dns: readonly DnsEndpoint[]): readonly Note[] {
  const isolated = [...definitions.segments.values()].filter((segment) => isIsolatedIn(segment, cluster));
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
  if (dns.length === 0 && isolated.some((segment) => segment.isolate.egress === "enforce")) {
    notes.push({
      severity: "info",
      code: "dns-unknown",
      at: cluster.at,
      summary: `builtin/dns: cluster ${cluster.name} has no Service kube-system/kube-dns with a selector`,
      detail: "Isolated pods reach NodeLocal DNS at 169.254.20.10 only. Add a rule if names are resolved elsewhere.",
    });
  }
  if (cluster.enforcer === "none") notes.push(...isolated.map((segment) => noteNoEnforcer(segment, cluster)));
  return notes;
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

function isIsolatedIn(segment: Segment, cluster: Cluster): boolean {
  const isEnforced = segment.isolate.ingress === "enforce" || segment.isolate.egress === "enforce";
  return isEnforced && podsMembersIn(segment.members, cluster).length > 0;
}

function noteRule(definitions: Definitions, rule: Rule): readonly Note[] {
  // Nobody can ever enforce it: the parser has said so.
  if (areUnmanaged(definitions, rule.from) && areUnmanaged(definitions, rule.to)) return [];
  if (hasEffect(definitions, rule, "ingress") || hasEffect(definitions, rule, "egress")) return [];
  return [
    {
      severity: "info",
      code: "no-effect-yet",
      at: rule.at,
      summary: `rule ${rule.id} has no effect yet: neither end is isolated in a target with mode apply`,
      detail: "It counts as soon as one end is enforced; until then everything it allows is open anyway.",
    },
  ];
}

/** True when every end is addresses only: nothing of ours stands there. `any` has managed workloads in it. */
function areUnmanaged(definitions: Definitions, names: readonly string[]): boolean {
  return names.every((name) => {
    if (name === "any") return false;
    if (name === "internet") return true;
    return segmentNamed(definitions, name).members.every((member) => member.kind === "externals" || member.kind === "addresses");
  });
}

/** True when some workload that the rule is enforced at can be isolated in an applying target. */
function hasEffect(definitions: Definitions, rule: Rule, direction: Direction): boolean {
  if (peerEnds(rule, direction).length === 0) return false;
  const enforced = [...definitions.segments.values()].filter((segment) => segment.isolate[direction] === "enforce");
  return subjectEnds(rule, direction).some((name) => {
    if (name === "internet") return false;
    return enforced.some((segment) => sharesWorkloads(definitions, segment, name));
  });
}

/** True unless the segment and the rule end provably share no workload of an applying target. */
function sharesWorkloads(definitions: Definitions, segment: Segment, name: string): boolean {
  const others = name === "any" ? segment.members : segmentNamed(definitions, name).members;
  return segment.members.some((member) => others.some((other) => overlapsApplied(definitions, member, other)));
}

function overlapsApplied(definitions: Definitions, a: Member, b: Member): boolean {
  if (a.kind === "pods" && b.kind === "pods") {
    if (conjunction(a.pods, b.pods) === "none" || conjunction(a.namespaces, b.namespaces) === "none") return false;
    return [...definitions.clusters.values()].some(
      (cluster) =>
        cluster.mode === "apply" &&
        cluster.enforcer !== "none" &&
        [a, b].every(({ clusters }) => clusters === undefined || matches(clusters, cluster.labels)),
    );
  }
  if (a.kind !== "hosts" || b.kind !== "hosts") return false;
  const applied = new Set(
    [...definitions.fleets.values()].filter((fleet) => fleet.mode === "apply").flatMap((fleet) => fleet.hosts),
  );
  const inB = new Set(hostsOf(definitions, b));
  return hostsOf(definitions, a).some((host) => applied.has(host) && inB.has(host));
}
