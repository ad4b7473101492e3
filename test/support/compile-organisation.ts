import { compileTarget } from "../../core/compile/inputs.ts";
import type { OperatorInputs, TargetInputs } from "../../core/compile/inputs.ts";
import { clusterStructure } from "../../core/compile/structure.ts";
import { computeMembership } from "../../core/membership/compute.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Membership } from "../../core/membership/membership.ts";
import { overlayOrphans } from "../../core/membership/orphans.ts";
import { relevantMemberships } from "../../core/membership/parts.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { clusterTargetId, listTargets } from "../../core/model/target.ts";
import type { Target } from "../../core/model/target.ts";
import { requireEquivalence } from "../../core/plan/equivalence.ts";
import type { CompiledWant } from "../../core/plan/equivalence.ts";

/** Definitions, and everything that a plan rests on besides them. */
export interface Organisation {
  readonly definitions: Definitions;
  /** What is known of each cluster; one may never have fed. */
  readonly inventories: readonly ClusterInventory[];
  /** What memberships were computed from, where that was another moment. */
  readonly fed?: readonly ClusterInventory[];
  /** What was found enforcing in each cluster. */
  readonly enforcers?: ReadonlyMap<TargetId, string>;
  readonly operator?: OperatorInputs;
  readonly resolvers?: readonly string[];
  readonly timeServers?: readonly string[];
  /** Targets gone from Git. */
  readonly orphans?: readonly Target[];
}

const NOW = Date.parse("2026-11-21T00:00:00Z");
const NOTHING_SAID: OperatorInputs = { floor: { from: [], ports: [] }, ownPaths: [] };

/** Every target that Git names, compiled as the service does. */
export function compileOrganisation(organisation: Organisation): readonly CompiledWant[] {
  const { orphans = [], operator = NOTHING_SAID, enforcers } = organisation;
  const definitions = overlayOrphans(organisation.definitions, orphans);
  const inventories = new Map(organisation.inventories.map((one) => [one.target, one]));
  const fed = new Map((organisation.fed ?? organisation.inventories).map((one) => [one.target, one]));
  const memberships = new Map(
    [...definitions.clusters.values()].flatMap((cluster): readonly (readonly [TargetId, Membership])[] => {
      const known = fed.get(clusterTargetId(cluster.name));
      return known === undefined ? [] : [[known.target, computeMembership(definitions, cluster, known, 0).membership]];
    }),
  );
  return listTargets(organisation.definitions).flatMap((target): readonly CompiledWant[] => {
    const facts = factsOf(organisation, definitions, inventories, target);
    if (facts === undefined) return [];
    const inputs: TargetInputs = {
      ...facts,
      memberships: relevantMemberships(definitions, target, memberships),
      orphans: orphans.map(({ id }) => ({ target: id, sequence: 1 })),
      now: NOW,
    };
    const { want } = compileTarget(definitions, target, inputs, operator);
    return [{ definitions, target, want, inputs, operator, inventories, enforcer: enforcers?.get(target.id) }];
  });
}

/** What the check finds wrong with any of the targets, in words; empty: nothing. */
export function differencesOf(organisation: Organisation): readonly string[] {
  return compileOrganisation(organisation).flatMap((compiled) => {
    try {
      requireEquivalence(compiled);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
}

function factsOf(
  { resolvers = [], timeServers = [] }: Organisation,
  definitions: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
  target: Target,
) {
  if (target.kind === "host") return { kind: "host" as const, resolvers, timeServers };
  const known = inventories.get(target.id);
  return known === undefined ? undefined : { kind: "cluster" as const, ...clusterStructure(definitions, target.cluster, known) };
}
