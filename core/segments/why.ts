import { formatSet, intersect, isEmpty } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { NamedEnd } from "../guardrail/ends.ts";
import { choosesCluster, plainSubjects } from "../membership/resolve.ts";
import { findService } from "../membership/services.ts";
import type { Definitions, HostFleet, Member } from "../model/kinds.ts";
import { hostTargetId } from "../model/target.ts";
import { matches, type LabelSelector, type Labels } from "../selector/index.ts";

/** Where it is looked up. */
export interface LookedUp {
  readonly definitions: Definitions;
  readonly estate: Estate;
  /** Who is in a segment, by its name. */
  readonly read: (name: string) => NamedEnd;
}

/** What of a workload one member of a segment names: `app=web`, `namespace team=shop`; empty when it does not choose it. */
export function whyIn({ definitions, estate, read }: LookedUp, member: Member, workload: Workload): readonly string[] {
  switch (member.kind) {
    case "pods":
      return whyPod(estate, member, workload);
    case "service":
      return whyService(estate, member, workload);
    case "hosts":
      return whyHost(definitions, member, workload);
    case "externals":
      return workload.kind === "external" && matches(member.externals, workload.labels)
        ? said(member.externals, workload.labels)
        : [];
    case "addresses": {
      const shared = intersect(workload.addresses, member.addresses);
      return isEmpty(shared) ? [] : [`address ${formatSet(shared)}`];
    }
    case "segments":
      return member.segments.filter((name) => read(name).has(workload)).map((name) => `segment ${name}`);
    case "boundary":
      return []; // by address: said where nothing else is
    default:
      return member satisfies never;
  }
}

function whyPod(estate: Estate, member: Extract<Member, { kind: "pods" }>, workload: Workload): readonly string[] {
  const cluster = estate.clusters.get(workload.target ?? "")?.cluster;
  if (workload.kind !== "pod" || cluster === undefined || !choosesCluster(member.clusters, cluster)) return [];
  const { labels, namespaceLabels } = workload;
  if (!matches(member.pods, labels) || !matches(member.namespaces, namespaceLabels)) return [];
  const by = [...said(member.pods, labels), ...said(member.namespaces, namespaceLabels, "namespace ")];
  return by.length > 0 ? by : ["every pod"];
}

function whyService(estate: Estate, member: Extract<Member, { kind: "service" }>, workload: Workload): readonly string[] {
  const known = estate.clusters.get(workload.target ?? "");
  if (workload.kind !== "pod" || known?.inventory === undefined || !choosesCluster(member.clusters, known.cluster)) return [];
  const { namespace, name } = member.service;
  const { services } = known.inventory;
  const subjects = plainSubjects(member, known.cluster, services) ?? [];
  const byLabels = subjects.some(
    ({ pods, namespaces }) => matches(pods, workload.labels) && matches(namespaces, workload.namespaceLabels),
  );
  const endpoints = findService(services, namespace, name)?.endpoints ?? [];
  const byEndpoint = endpoints.some(({ pod }) => workload.id === `${workload.target}/${namespace}/${pod}`);
  return byLabels || byEndpoint ? [`service ${namespace}/${name}`] : [];
}

function whyHost({ fleets }: Definitions, member: Extract<Member, { kind: "hosts" }>, workload: Workload): readonly string[] {
  if (workload.kind !== "host") return [];
  const fleet = [...fleets.values()].find((one) => isOf(one, workload));
  if (fleet === undefined || !matches(member.hosts, workload.labels)) return [];
  if (member.fleets !== undefined && !matches(member.fleets, fleet.labels)) return [];
  const ofFleet = member.fleets === undefined ? [] : said(member.fleets, fleet.labels, "fleet ");
  const by = [...said(member.hosts, workload.labels), ...ofFleet];
  return by.length > 0 ? by : ["every host"];
}

function isOf({ name, hosts }: HostFleet, { id }: Workload): boolean {
  return hosts.some((host) => hostTargetId(name, host.name) === id);
}

/** Labels that a selector looks at, as the object has them; one that it asks to be away is `no KEY`. */
function said(selector: LabelSelector, labels: Labels, before = ""): readonly string[] {
  const keys = [...Object.keys(selector.matchLabels ?? {}), ...(selector.matchExpressions ?? []).map(({ key }) => key)];
  return [...new Set(keys)].map((key) => (Object.hasOwn(labels, key) ? `${before}${key}=${labels[key]}` : `${before}no ${key}`));
}
