import { compileOffline } from "../../../core/plan/offline.ts";
import type { OfflineWorld } from "../../../core/plan/offline.ts";
import type { RenderedTarget } from "../../../core/enforced/target.ts";
import { estateOf } from "../../../core/estate/build.ts";
import type { Estate } from "../../../core/estate/estate.ts";
import type { ClusterInventory } from "../../../core/membership/inventory.ts";
import type { Definitions, TargetId } from "../../../core/model/kinds.ts";
import { listTargets } from "../../../core/model/target.ts";
import type { Target } from "../../../core/model/target.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import { observationOf } from "../../support/nft-kernel.ts";

const MARK = { instance: "fb-test", sequence: 1, digest: "0123456789abcdef" };

/** An organisation at one moment, compiled and rendered. */
export interface RenderedWorld {
  readonly definitions: Definitions;
  readonly estate: Estate;
  readonly rendered: ReadonlyMap<TargetId, RenderedTarget>;
}

/** Compiles and renders every target that applies, as the offline plan does. */
export function renderAll(definitions: Definitions, inventories: readonly ClusterInventory[]): RenderedWorld {
  const world = offlineWorld(definitions, inventories);
  const targets = listTargets(definitions).filter(({ mode }) => mode === "apply");
  return {
    definitions,
    estate: estateOf(definitions, new Map(inventories.map((inventory) => [inventory.target, inventory]))),
    rendered: new Map(targets.map((target) => [target.id, renderOne(world, target)])),
  };
}

function renderOne(world: OfflineWorld, target: Target): RenderedTarget {
  const { want } = compileOffline(world, target);
  if (want.kind === "cluster") return { kind: "cluster", policies: renderNetworkPolicies(want, MARK) };
  return { kind: "host", ruleset: renderRuleset(want, MARK, { generation: 1, phase: "final" }) };
}

/** What an inventory file would hold: no policies, no rulesets. */
export function offlineWorld(definitions: Definitions, inventories: readonly ClusterInventory[]): OfflineWorld {
  const hosts = listTargets(definitions).filter(({ kind }) => kind === "host");
  return {
    definitions,
    seen: {
      version: 1,
      savedAt: "2026-11-21T00:00:00.000Z",
      instance: "fb-test",
      clusters: Object.fromEntries(inventories.map((inventory) => [inventory.target, { inventory, policies: [] }])),
      hosts: Object.fromEntries(hosts.map(({ id }) => [id, observationOf([], id)])),
    },
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
  };
}
