import type { Seen } from "../../core/guardrail/world.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { listTargets } from "../../core/model/target.ts";
import { listOrphans, readOrphans } from "../orphans.ts";
import type { DriftContext } from "./context.ts";

/** Workloads and what every target enforces, as this process last saw them. */
export async function seenNow(context: DriftContext, definitions: Definitions): Promise<Seen> {
  const { clusters, seen } = context;
  const known = [...clusters.connections()].filter(([, connection]) => connection.health().everSynced);
  const orphans = await readOrphans(context, await listOrphans(context));
  const targets = [...listTargets(definitions), ...orphans].map(({ id }) => id);
  return {
    inventories: new Map(known.map(([target, connection]) => [target, connection.inventory()])),
    live: seen.live(targets),
    enforcers: seen.enforcers(),
    hosts: seen.hosts(),
    orphans,
  };
}
