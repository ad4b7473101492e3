import { createHash } from "node:crypto";
import { livingNamespaces, type ClusterInventory } from "../../core/membership/inventory.ts";

/** Digest of what a cluster's own rendering rests on: namespaces with their labels, and the essential services. Not its pods. */
export function structureDigest({ namespaces, services }: Pick<ClusterInventory, "namespaces" | "services">): string {
  const hash = createHash("sha256");
  const sorted = [...livingNamespaces(namespaces)].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, labels } of sorted)
    hash.update(JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]));
  for (const service of [...services].sort((a, b) => (a.name < b.name ? -1 : 1))) hash.update(JSON.stringify(service));
  return hash.digest("hex");
}
