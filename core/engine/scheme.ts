import { boundarySides, canHoldPods } from "../membership/compute.ts";
import { ingressControllers, loadBalancers } from "../membership/boundary.ts";
import { cellList, cellsBySegment, cellText, cellValues, sameKeys } from "../membership/cells.ts";
import { endpointPods, isEndpointIn, namedEndpoints, rawEndpoints } from "../membership/endpoints.ts";
import type { Platform, Service } from "../membership/inventory.ts";
import { boundaryKey, endpointsKey } from "../membership/membership.ts";
import { cellKey, subjectsIn } from "../membership/resolve.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster, Definitions, Segment } from "../model/kinds.ts";
import type { Labels } from "../selector/index.ts";
import type { CellPlace } from "./cell-counts.ts";
import { SubjectIndex } from "./subject-index.ts";

/** What a pod is asked by: see {@link Scheme.keysOf}. */
export interface PodQuestion {
  /** `namespace/name`; only looked at where `isNamed` says so. */
  readonly key: string;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
}

/** Everything that definitions and services say about one cluster's memberships, and no workload: which keys there are, and who is under which. */
export class Scheme {
  readonly definitions: Definitions;
  readonly cluster: Cluster;
  readonly services: readonly Service[];
  readonly platform: Platform | undefined;
  /** Label keys that rules compare. */
  readonly sameKeys: readonly string[];
  /** Keys that are there whoever is under them: segments, boundary sides, endpoints. */
  readonly standing: ReadonlySet<string>;
  /** Addresses under a key that no pod or node brings. */
  readonly fixed: ReadonlyMap<string, AddressSet>;
  /** Addresses under which services are published; part of the ingress boundary where that is asked for. */
  readonly published: readonly string[];
  readonly asksIngress: boolean;
  readonly asksEgress: boolean;
  readonly #index: SubjectIndex;
  readonly #controllers: SubjectIndex;
  readonly #cells: ReturnType<typeof cellsBySegment>;
  /** Segments that hold a pod because a service without a selector names it, by the pod's key. */
  readonly #named: ReadonlyMap<string, readonly Segment[]>;
  readonly #podKeys: ReadonlySet<string>;

  constructor(definitions: Definitions, cluster: Cluster, services: readonly Service[], platform: Platform | undefined) {
    this.definitions = definitions;
    this.cluster = cluster;
    this.services = services;
    this.platform = platform;
    const held = [...definitions.segments.values()].filter((segment) => canHoldPods(definitions, segment, cluster));
    const subjects = held.flatMap((segment) =>
      subjectsIn(definitions, segment, cluster, services).map((subject) => [segment.name, subject] as const),
    );
    const sides = boundarySides(definitions, cluster);
    const endpoints = namedEndpoints(definitions, cluster, services);
    this.asksIngress = sides.includes("ingress");
    this.asksEgress = sides.includes("egress");
    this.published = this.asksIngress ? loadBalancers(services) : [];
    this.fixed = new Map(endpoints.map((service) => [endpointsKey(service), rawEndpoints(service)]));
    this.standing = new Set([...held.map(({ name }) => name), ...sides.map(boundaryKey), ...this.fixed.keys()]);
    this.sameKeys = sameKeys(definitions);
    this.#index = new SubjectIndex(subjects);
    const controllers = this.asksIngress ? ingressControllers(cluster, platform) : [];
    this.#controllers = new SubjectIndex(controllers.map((subject) => ["controller", subject]));
    this.#cells = cellsBySegment(definitions);
    this.#named = endpoints.length === 0 ? new Map() : namedPods(definitions, cluster, services, held);
    this.#podKeys = new Set([...this.#index.podKeys, ...this.#controllers.podKeys, ...this.sameKeys]);
  }

  /** The labels that make a difference: pods of one namespace that agree on these are under the same keys. */
  project(labels: Labels): Labels {
    const kept: Record<string, string> = {};
    for (const key of Object.keys(labels).sort()) if (this.#podKeys.has(key)) kept[key] = labels[key] ?? "";
    return kept;
  }

  /** True when the pod is somewhere by its name, not by its labels. */
  isNamed(key: string): boolean {
    return this.#named.has(key);
  }

  /** The segments and cells that a pod's shown addresses are under, and the same cells as they are counted. */
  keysOf(pod: PodQuestion): { readonly keys: readonly string[]; readonly cells: readonly CellPlace[] } {
    const { labels, namespaceLabels } = pod;
    const segments = new Set(this.#index.match(labels, namespaceLabels));
    for (const segment of this.#named.get(pod.key) ?? []) {
      if (isEndpointIn(this.definitions, segment, this.cluster, this.services, pod)) segments.add(segment.name);
    }
    const keys: string[] = [...segments];
    const cells: CellPlace[] = [];
    for (const name of segments) {
      for (const compared of this.#cells.get(name) ?? []) {
        const values = cellValues(compared, labels);
        if (values === undefined) continue;
        keys.push(cellKey(name, values));
        cells.push({ list: cellList(name, compared), text: cellText(compared, values) });
      }
    }
    return { keys, cells };
  }

  /** True for a pod of an ingress controller, where the boundary is asked for. */
  isController({ labels, namespaceLabels }: PodQuestion): boolean {
    return this.#controllers.match(labels, namespaceLabels).size > 0;
  }
}

function namedPods(
  definitions: Definitions,
  cluster: Cluster,
  services: readonly Service[],
  segments: readonly Segment[],
): ReadonlyMap<string, readonly Segment[]> {
  const named = new Map<string, Segment[]>();
  for (const segment of segments) {
    for (const key of endpointPods(definitions, segment, cluster, services)) {
      const known = named.get(key);
      if (known === undefined) named.set(key, [segment]);
      else known.push(segment);
    }
  }
  return named;
}
