import { anyAddress, emptySet, intersect, internetSet, isEmpty, union } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { isEndpointIn } from "../membership/endpoints.ts";
import { isHostIn, isPodIn, peerAddresses, segmentNamed } from "../membership/resolve.ts";
import type { Definitions, Host, HostFleet, Segment } from "../model/kinds.ts";
import { hostTargetId } from "../model/target.ts";
import { clusterAddresses } from "./boundary.ts";

/** One name in `from` or `to`, as workloads of the estate and as addresses. */
export interface NamedEnd {
  readonly name: string;
  /** By labels, or because an address that the workload shows is among the addresses. */
  readonly has: (workload: Workload) => boolean;
  /** What it says in addresses; those that a workload owns are that workload's. */
  readonly addresses: AddressSet;
}

/**
 * Reads names as a guardrail means them: segments, `any`, `internet`, `workloads`.
 *
 * Where labels cannot tell who is left out of a segment, whoever may be in it is: a guardrail looks at too many rather than too few.
 * A pod on the host network counts as what its labels say, because it is there and can be reached.
 */
export function endReader(definitions: Definitions, estate: Estate): (name: string) => NamedEnd {
  const known = new Map<string, NamedEnd>();
  const hosts = hostsById(definitions);
  return (name) => {
    const end = known.get(name) ?? readEnd(definitions, estate, hosts, name);
    known.set(name, end);
    return end;
  };
}

type HostsById = ReadonlyMap<string, { readonly fleet: HostFleet; readonly host: Host }>;

function readEnd(definitions: Definitions, estate: Estate, hosts: HostsById, name: string): NamedEnd {
  if (name === "any") return { name, has: () => true, addresses: anyAddress };
  if (name === "workloads") return { name, has: () => true, addresses: emptySet };
  if (name === "internet") {
    const addresses = internetSet(definitions.workspace.internal);
    return { name, has: (workload) => shares(workload, addresses), addresses };
  }
  const segment = segmentNamed(definitions, name);
  const addresses = union(peerAddresses(definitions, segment), clusterAddresses(definitions, estate, segment));
  return {
    name,
    addresses,
    has: (workload) => isMember(definitions, estate, hosts, segment, workload) || shares(workload, addresses),
  };
}

function isMember(definitions: Definitions, estate: Estate, hosts: HostsById, segment: Segment, workload: Workload): boolean {
  if (workload.kind === "external") return false; // by its addresses: a part of it may be left out, or named by others
  if (workload.kind === "host") {
    const found = hosts.get(workload.id);
    return found !== undefined && isHostIn(definitions, segment, found.fleet, found.host);
  }
  const known = estate.clusters.get(workload.target ?? "");
  if (known?.inventory === undefined) return false;
  const { services } = known.inventory;
  const { labels, namespaceLabels, namespace } = workload;
  if (isPodIn(definitions, segment, known.cluster, services, labels, namespaceLabels, "in")) return true;
  const key = `${namespace}/${workload.id.slice(workload.id.lastIndexOf("/") + 1)}`;
  return isEndpointIn(definitions, segment, known.cluster, services, { key, labels, namespaceLabels });
}

/** An address range that holds a workload holds that workload, whatever its labels. */
function shares(workload: Workload, addresses: AddressSet): boolean {
  return !isEmpty(addresses) && !isEmpty(intersect(workload.addresses, addresses));
}

function hostsById({ fleets }: Definitions): HostsById {
  return new Map(
    [...fleets.values()].flatMap((fleet) => fleet.hosts.map((host) => [hostTargetId(fleet.name, host.name), { fleet, host }])),
  );
}
