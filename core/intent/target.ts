import type { Estate, Workload } from "../estate/estate.ts";
import type { Cluster, Definitions, HostFleet, TargetId } from "../model/kinds.ts";
import { clusterTargetId, hostTargetId } from "../model/target.ts";
import { sparedNamespaces } from "./essentials.ts";
import { matches, selectorKey } from "../selector/index.ts";

/** Who enforces at a workload: nobody of ours, or its target, which then is a place of that kind. */
export type Governance =
  | { readonly kind: "nobody"; readonly why: string; readonly isGone: boolean }
  /** `isSpared`: its ingress is never isolated, see `sparedNamespaces`. */
  | { readonly kind: "cluster"; readonly target: TargetId; readonly isSpared: boolean }
  | { readonly kind: "host"; readonly target: TargetId; readonly fleet: HostFleet };

/** What definitions say about who enforces where. */
export class Targets {
  readonly #clusters: ReadonlyMap<TargetId, Cluster>;
  readonly #fleets: ReadonlyMap<TargetId, HostFleet>;
  readonly #spared: ReadonlySet<string>;
  readonly #governed = new Map<string, boolean>();
  /** Equal texts: the same answers. */
  readonly text: string;

  constructor(definitions: Definitions, estate: Estate) {
    this.#spared = sparedNamespaces(definitions, estate);
    this.#clusters = new Map([...definitions.clusters.values()].map((cluster) => [clusterTargetId(cluster.name), cluster]));
    this.#fleets = new Map(
      [...definitions.fleets.values()].flatMap((fleet) =>
        fleet.hosts.map((host) => [hostTargetId(fleet.name, host.name), fleet] as const),
      ),
    );
    this.text = JSON.stringify([
      [...this.#clusters].map(([id, { mode, enforcer, governs }]) => [id, mode, enforcer, selectorKey(governs)]),
      [...this.#fleets].map(([id, { mode }]) => [id, mode]),
      [...this.#spared].sort(),
    ]);
  }

  of(workload: Workload): Governance {
    const { target } = workload;
    if (target === undefined) return nobody(`${workload.name} is not managed: nothing is enforced there`);
    if (workload.kind === "host") return this.#host(target);
    const cluster = this.#clusters.get(target);
    if (cluster === undefined) return gone(target);
    if (workload.hostNetwork) return nobody(`${workload.name} is on the host network: it is its node, and no policy selects it`);
    if (cluster.mode !== "apply") return nobody(`${target} has mode ${cluster.mode}: nothing is written there`);
    if (cluster.enforcer === "none") return nobody(`${target} has no enforcer: policies do not do a thing there`);
    if (!this.#isGoverned(cluster, workload)) return nobody(`namespace ${workload.namespace ?? ""} of ${target} is not governed`);
    return { kind: "cluster", target, isSpared: this.#spared.has(`${target} ${workload.namespace ?? ""}`) };
  }

  #host(target: TargetId): Governance {
    const fleet = this.#fleets.get(target);
    if (fleet === undefined) return gone(target);
    return fleet.mode === "apply"
      ? { kind: "host", target, fleet }
      : nobody(`${target} has mode ${fleet.mode}: nothing is written there`);
  }

  #isGoverned(cluster: Cluster, { namespace = "", namespaceLabels }: Workload): boolean {
    const key = `${cluster.name} ${namespace}`;
    const known = this.#governed.get(key) ?? matches(cluster.governs, namespaceLabels);
    this.#governed.set(key, known);
    return known;
  }
}

/** Sentences about targets whose inventory is missing or may be old, by target. */
export function staleWords(estate: Estate): ReadonlyMap<TargetId, string> {
  return new Map(
    estate.stale.map((target) => {
      const isKnown = estate.clusters.get(target)?.inventory !== undefined;
      return [target, isKnown ? `what is known of ${target} may be old` : `the workloads of ${target} are not known`];
    }),
  );
}

function nobody(why: string): Governance {
  return { kind: "nobody", why, isGone: false };
}

function gone(target: TargetId): Governance {
  return {
    kind: "nobody",
    why: `${target} is not in these definitions: what it enforces is frozen, and not looked at here`,
    isGone: true,
  };
}
