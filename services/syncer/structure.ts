import { createHash } from "node:crypto";
import type { PresentCellsByList } from "../../core/membership/cells.ts";
import {
  livingNamespaces,
  type Namespace,
  type Platform,
  type Service,
  type WebhookBackend,
} from "../../core/membership/inventory.ts";
import { relevantServices } from "../../core/membership/relevant.ts";
import type { Cluster, Definitions } from "../../core/model/kinds.ts";

/** What there is of a cluster beside its pods and nodes. */
export interface Structure {
  readonly namespaces: readonly Namespace[];
  readonly services: readonly Service[];
  readonly webhooks: readonly WebhookBackend[];
  readonly platform?: Platform;
  readonly cells: PresentCellsByList;
}

/** Digest of what a cluster's own rendering rests on. A change of it is a plan for that cluster; its pods come and go without. */
export function structureDigest(definitions: Definitions, cluster: Cluster, structure: Structure): string {
  const { namespaces, webhooks, cells } = structure;
  const hash = createHash("sha256");
  const sorted = [...livingNamespaces(namespaces)].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, labels } of sorted)
    hash.update(JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]));
  hash.update(JSON.stringify(relevantServices(definitions, cluster, structure)));
  hash.update(JSON.stringify(webhooks.map((webhook) => JSON.stringify(webhook)).sort()));
  hash.update(JSON.stringify([cells, structure.platform ?? null]));
  return hash.digest("hex");
}
