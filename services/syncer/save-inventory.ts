import pLimit from "p-limit";
import type { InventoryFile, SavedCluster } from "../../core/observed/inventory-file.ts";
import { listTargets } from "../../core/model/target.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import type { SyncerContext } from "./context.ts";

/** Looks at every target and answers with what was seen whole; the others are left out, never written as empty. */
export async function saveInventory(context: SyncerContext): Promise<InventoryFile> {
  const { inForce, signal, instance, now, log, settings } = context;
  const clusters: Record<string, SavedCluster> = {};
  const hosts: Record<string, HostObservation> = {};
  const limit = pLimit(settings.concurrency);
  const looks = (inForce === undefined ? [] : listTargets(inForce.definitions)).map((target) =>
    limit(async () => {
      try {
        if (target.kind === "cluster") {
          const connection = context.clusters.connection(target.id);
          const { policies } = await connection.readObservation(signal);
          const inventory = connection.inventory();
          const { enforcer: named } = target.cluster;
          const enforcer = named === "auto" ? await connection.detectEnforcer(signal) : named;
          if (inventory.complete) clusters[target.id] = { inventory, policies, enforcer };
        } else {
          const observation = await (await context.hosts.connection(target)).observe(signal);
          if (observation.completeness === "complete") hosts[target.id] = observation;
        }
      } catch (error) {
        log.info({ target: target.id, error }, "left out of the inventory");
      }
    }),
  );
  await Promise.all(looks);
  return { version: 1, savedAt: new Date(now()).toISOString(), instance, clusters, hosts };
}
