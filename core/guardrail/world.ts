import type { InventoryFile } from "../observed/inventory-file.ts";
import type { OperatorInputs } from "../compile/inputs.ts";
import { liveSource } from "../enforced/source.ts";
import type { LiveTarget } from "../enforced/target.ts";
import { estateOf } from "../estate/build.ts";
import type { Estate } from "../estate/estate.ts";
import type { Basis, Overlapping } from "./report.ts";
import { overlapInventories } from "./overlaps.ts";
import { placed } from "./made-up-places.ts";
import { symbolicInventories } from "./symbolic.ts";
import { intentOf, type HostFacts } from "../intent/intent.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import { definitionsAt } from "../model/expiry.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import type { Target } from "../model/target.ts";
import type { Source } from "../reach/source.ts";

/** Everything that a question about connections is answered from, at one moment. */
export interface ConnectivityWorld {
  readonly basis: Basis;
  /** As they hold at the moment; expired rules are out. */
  readonly definitions: Definitions;
  readonly estate: Estate;
  /** Who was meant to, by identity. */
  readonly approved: Source;
  /** The same of made-up workloads that stand in several segments at once; undefined where workloads are real. */
  readonly overlapping?: (() => Overlapping) | undefined;
  /** The same as enforcers can know it. */
  readonly enforceable: Source;
  /** What is enforced; undefined when nobody looked. */
  readonly live: Source | undefined;
  /** What other definitions would mean to the same workloads, read as `approved` was. */
  readonly intentOf: (definitions: Definitions) => Source;
  /** The same, read as `enforceable` was. */
  readonly enforceableOf: (definitions: Definitions) => Source;
  /** Clusters in which nothing was found that enforces policies: what is denied passes there. */
  readonly idle: ReadonlySet<TargetId>;
  /** What cannot be answered here, each a sentence. */
  readonly gaps: readonly string[];
}

/** What was seen of all targets. */
export interface Seen {
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  /** Undefined: nobody looked at what is enforced. */
  readonly live: ReadonlyMap<TargetId, LiveTarget> | undefined;
  readonly enforcers: ReadonlyMap<TargetId, string>;
  readonly hosts: ReadonlyMap<TargetId, HostFacts>;
  readonly orphans?: readonly Target[];
}

const NO_OPERATOR: OperatorInputs = { floor: { from: [], ports: [] }, ownPaths: [] };

/** The world as it was seen. @param now ms since the epoch: which policies have expired */
export function seenWorld(
  definitions: Definitions,
  seen: Seen,
  now: number,
  operator: OperatorInputs = NO_OPERATOR,
  basis: Basis = "live",
): ConnectivityWorld {
  const at = definitionsAt(definitions, now).definitions;
  const estate = estateOf(at, seen.inventories, seen.orphans ?? []);
  const facts = { hosts: seen.hosts, operator, enforcers: seen.enforcers };
  const approvedOf = (what: Definitions): Source => intentOf(what, estate, { as: "approved", ...facts });
  const enforceableOf = (what: Definitions): Source => intentOf(what, estate, { as: "enforceable", ...facts });
  return {
    basis,
    definitions: at,
    estate,
    approved: approvedOf(at),
    enforceable: enforceableOf(at),
    intentOf: approvedOf,
    enforceableOf,
    live: seen.live === undefined ? undefined : liveSource(estate, seen.live, seen.enforcers),
    idle: new Set(
      [...estate.clusters].flatMap(([target, { cluster }]) =>
        cluster.enforcer === "auto" && seen.enforcers.get(target) === "none" ? [target] : [],
      ),
    ),
    gaps: estate.stale.map((target) => `the workloads of ${target} are not known whole`),
  };
}

/** The world of a saved inventory, live policies and rulesets included. */
export function savedWorld(
  definitions: Definitions,
  saved: InventoryFile,
  now: number,
  operator?: OperatorInputs,
): ConnectivityWorld {
  const clusters = Object.entries(saved.clusters);
  const hosts = Object.entries(saved.hosts);
  const live = new Map<TargetId, LiveTarget>([
    ...clusters.map(([id, { policies }]) => [id, { kind: "cluster", completeness: "complete", policies }] as const),
    ...hosts,
  ]);
  const enforcers = clusters.flatMap(([id, { enforcer }]) => (enforcer === undefined ? [] : [[id, enforcer] as const]));
  const seen: Seen = {
    inventories: new Map(clusters.map(([id, { inventory }]) => [id, inventory])),
    live,
    enforcers: new Map(enforcers),
    hosts: new Map(hosts.map(([id, { resolvers }]) => [id, { resolvers, timeServers: [] }])),
  };
  return seenWorld(definitions, seen, now, operator, "inventory");
}

/** A world without anybody to ask: made-up workloads, every target as if it were applied. */
export function madeUpWorld(definitions: Definitions, now: number, operator: OperatorInputs = NO_OPERATOR): ConnectivityWorld {
  const at = asIfApplied(definitionsAt(definitions, now).definitions);
  const made = symbolicInventories(at.definitions);
  const { gaps } = made;
  const estate = estateOf(at.definitions, placed(made.inventories));
  const approvedOf = (what: Definitions): Source => intentOf(what, estate, { as: "approved", operator });
  const enforceableOf = (what: Definitions): Source => intentOf(what, estate, { as: "enforceable", operator });
  return {
    basis: "definitions",
    definitions: at.definitions,
    estate,
    approved: approvedOf(at.definitions),
    overlapping: () => {
      const overlaps = overlapInventories(at.definitions, made);
      const together = estateOf(at.definitions, overlaps.inventories);
      return { source: intentOf(at.definitions, together, { as: "approved", operator }), gaps: overlaps.gaps };
    },
    intentOf: approvedOf,
    enforceable: enforceableOf(at.definitions),
    enforceableOf,
    live: undefined,
    idle: new Set(),
    gaps: [...(at.planned.length === 0 ? [] : [`${at.planned.join(", ")}: mode plan, checked as if it were applied`]), ...gaps],
  };
}

/** A repository that is still in `mode: plan` is checked for what it will do. */
export function asIfApplied(definitions: Definitions): { readonly definitions: Definitions; readonly planned: readonly string[] } {
  const planned = [...definitions.clusters.values(), ...definitions.fleets.values()]
    .filter(({ mode }) => mode === "plan")
    .map(({ kind, name }) => `${kind} ${name}`);
  const applied = <T extends { readonly mode: string }>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...map].map(([name, target]) => [name, { ...target, mode: "apply" }]));
  if (planned.length === 0) return { definitions, planned };
  return { definitions: { ...definitions, clusters: applied(definitions.clusters), fleets: applied(definitions.fleets) }, planned };
}

/**
 * Two revisions for what the second does to the first: targets in `mode: plan` count as applied on both sides, but where the second begins
 * to apply one. There the first enforces nothing, for that is what begins.
 */
export function asIfAppliedPair(before: Definitions, after: Definitions): readonly [Definitions, Definitions] {
  const applied = asIfApplied(before).definitions;
  const asBefore = <T extends { readonly name: string; readonly mode: string }>(
    was: ReadonlyMap<string, T>,
    will: ReadonlyMap<string, T>,
    counted: ReadonlyMap<string, T>,
  ): ReadonlyMap<string, T> =>
    new Map([...counted].map(([name, target]) => [name, will.get(name)?.mode === "apply" ? (was.get(name) ?? target) : target]));
  const first = {
    ...applied,
    clusters: asBefore(before.clusters, after.clusters, applied.clusters),
    fleets: asBefore(before.fleets, after.fleets, applied.fleets),
  };
  return [first, asIfApplied(after).definitions];
}
