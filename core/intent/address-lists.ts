import { emptySet, fromAddressTexts, isEmpty, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { wholeBoundary } from "../membership/boundary.ts";
import { endpointPods, isEndpointIn, rawEndpoints } from "../membership/endpoints.ts";
import { choosesCluster, segmentNamed } from "../membership/resolve.ts";
import { findService, hasSelector } from "../membership/services.ts";
import type { Cluster, Definitions, Direction, External, Member, TargetId } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";
import { matches } from "../selector/index.ts";

/** Addresses that a segment means at one place, and whether a part of them is not known. */
interface Known {
  readonly addresses: AddressSet;
  readonly isUnknown: boolean;
}

const NOTHING: Known = { addresses: emptySet, isUnknown: false };

/**
 * What segments mean by address: externals, addresses, boundaries, and what stands behind services without a selector. In its own
 * cluster such a service is the addresses of its endpoints; elsewhere those that are pods count as these pods, see `podsBehind`.
 */
export class AddressLists {
  readonly #definitions: Definitions;
  readonly #estate: Estate;
  readonly #clusters: readonly { readonly id: TargetId; readonly cluster: Cluster }[];
  readonly #known = new Map<string, Known>();
  readonly #boundaries = new Map<string, Known>();
  #byId: ReadonlyMap<string, Workload> | undefined;

  constructor(definitions: Definitions, estate: Estate) {
    this.#definitions = definitions;
    this.#estate = estate;
    this.#clusters = [...definitions.clusters.values()].map((cluster) => ({ id: clusterTargetId(cluster.name), cluster }));
  }

  /** @param local the cluster at whose end the segment is named; undefined: a host, or no place in particular */
  at(segment: string, local: TargetId | undefined): AddressSet {
    return this.#segmentAt(segment, local).addresses;
  }

  /** Clusters in which the segment names a service without a selector, be it to leave it out. */
  placesOf(segment: string): ReadonlySet<TargetId> {
    const { members, not } = segmentNamed(this.#definitions, segment);
    const places = [...members, ...not].flatMap((member): readonly TargetId[] => {
      if (member.kind === "segments") return member.segments.flatMap((name) => [...this.placesOf(name)]);
      if (member.kind !== "service") return [];
      return this.#chosen(member.clusters).flatMap(({ id }) => (this.#selectorless(id, member) === undefined ? [] : [id]));
    });
    return new Set(places);
  }

  /** Pods that services without a selector name for the segment, by cluster; none of them on the host network. */
  podsBehind(segment: string): readonly { readonly cluster: TargetId; readonly pods: readonly Workload[] }[] {
    const body = segmentNamed(this.#definitions, segment);
    return this.#clusters.flatMap(({ id, cluster }) => {
      const services = this.#estate.clusters.get(id)?.inventory?.services ?? [];
      const keys = [...endpointPods(this.#definitions, body, cluster, services)];
      const pods = keys.flatMap((key): readonly Workload[] => {
        const pod = this.#workload(`${id}/${key}`);
        if (pod === undefined || pod.hostNetwork) return [];
        const seen = { key, labels: pod.labels, namespaceLabels: pod.namespaceLabels };
        return isEndpointIn(this.#definitions, body, cluster, services, seen) ? [pod] : [];
      });
      return pods.length === 0 ? [] : [{ cluster: id, pods }];
    });
  }

  /** Externals that the segment chooses by their labels. */
  externalsOf(segment: string): readonly External[] {
    return [...this.#definitions.externals.values()].filter((external) => this.#holds(segment, external));
  }

  #holds(segment: string, external: External): boolean {
    const { members, not } = segmentNamed(this.#definitions, segment);
    const isChosen = (member: Member): boolean => {
      if (member.kind === "segments") return member.segments.some((name) => this.#holds(name, external));
      return member.kind === "externals" && matches(member.externals, external.labels);
    };
    return members.some(isChosen) && !not.some(isChosen);
  }

  #workload(id: string): Workload | undefined {
    this.#byId ??= new Map(this.#estate.workloads.map((workload) => [workload.id, workload]));
    return this.#byId.get(id);
  }

  #segmentAt(name: string, local: TargetId | undefined): Known {
    const key = `${name} ${local ?? ""}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { members, not } = segmentNamed(this.#definitions, name);
    const chosen = join(members.map((member) => this.#chosenAt(member, local)));
    const found = not.length === 0 || isEmpty(chosen.addresses) ? chosen : this.#without(chosen, not, local);
    this.#known.set(key, found);
    return found;
  }

  /** What shall be left out and is not known cannot be told from the rest: then nothing is left. */
  #without(chosen: Known, not: readonly Member[], local: TargetId | undefined): Known {
    const out = join(not.map((member) => this.#chosenAt(member, local)));
    const addresses = out.isUnknown ? emptySet : subtract(chosen.addresses, out.addresses);
    return { addresses, isUnknown: chosen.isUnknown || out.isUnknown };
  }

  #chosenAt(member: Member, local: TargetId | undefined): Known {
    switch (member.kind) {
      case "addresses":
        return { addresses: member.addresses, isUnknown: false };
      case "externals": {
        const found = [...this.#definitions.externals.values()].filter(({ labels }) => matches(member.externals, labels));
        return { addresses: unionAll(found.map(({ addresses }) => addresses)), isUnknown: false };
      }
      case "boundary":
        return join(this.#chosen(member.clusters).map((one) => this.#boundary(one, member.side)));
      case "service":
        return join(this.#chosen(member.clusters).map(({ id }) => this.#behind(id, member, local)));
      case "segments":
        return join(member.segments.map((name) => this.#segmentAt(name, local)));
      case "pods":
      case "hosts":
        return NOTHING;
      default:
        return member satisfies never;
    }
  }

  #chosen(clusters: Extract<Member, { kind: "pods" }>["clusters"]) {
    return this.#clusters.filter(({ cluster }) => choosesCluster(clusters, cluster));
  }

  #boundary({ id, cluster }: { readonly id: TargetId; readonly cluster: Cluster }, side: Direction): Known {
    const key = `${id} ${side}`;
    const inventory = this.#estate.clusters.get(id)?.inventory;
    const found = this.#boundaries.get(key) ?? {
      addresses: inventory === undefined ? emptySet : wholeBoundary(cluster, inventory, side),
      isUnknown: inventory === undefined,
    };
    this.#boundaries.set(key, found);
    return found;
  }

  #behind(id: TargetId, member: Extract<Member, { kind: "service" }>, local: TargetId | undefined): Known {
    if (this.#estate.clusters.get(id)?.inventory === undefined) return { addresses: emptySet, isUnknown: true };
    const service = this.#selectorless(id, member);
    if (service === undefined) return NOTHING;
    const all = fromAddressTexts((service.endpoints ?? []).map(({ address }) => address)).set;
    return { addresses: id === local ? all : rawEndpoints(service), isUnknown: false };
  }

  #selectorless(id: TargetId, { service: { namespace, name } }: Extract<Member, { kind: "service" }>) {
    const service = findService(this.#estate.clusters.get(id)?.inventory?.services ?? [], namespace, name);
    return service === undefined || hasSelector(service) ? undefined : service;
  }
}

function join(parts: readonly Known[]): Known {
  const [only = NOTHING] = parts;
  if (parts.length <= 1) return only;
  return { addresses: unionAll(parts.map(({ addresses }) => addresses)), isUnknown: parts.some(({ isUnknown }) => isUnknown) };
}
