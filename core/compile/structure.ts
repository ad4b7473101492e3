import type { PresentCellsByList } from "../membership/cells.ts";
import { livingNamespaces } from "../membership/inventory.ts";
import type { ClusterInventory, Namespace, Platform, Service, WebhookBackend } from "../membership/inventory.ts";
import { presentCells } from "../membership/present-cells.ts";
import { relevantServices } from "../membership/relevant.ts";
import type { Cluster, Definitions } from "../model/kinds.ts";

/** What a cluster's own rendering rests on besides Git: not its pods, but for the label values of those that rules compare. */
export interface ClusterStructure {
  /** Those that are there to stay. */
  readonly namespaces: readonly Namespace[];
  /** Only those that the rendering looks at, sorted. */
  readonly services: readonly Service[];
  readonly webhooks: readonly WebhookBackend[];
  /** Absent: plain Kubernetes, or not known. */
  readonly platform?: Platform;
  /** Which cells the pods at both ends of rules with `same` are in. */
  readonly cells: PresentCellsByList;
}

/** The structure of a cluster, as these definitions look at it: a change of it is a plan, whatever else changes is none. */
export function clusterStructure(definitions: Definitions, cluster: Cluster, inventory: ClusterInventory): ClusterStructure {
  return {
    namespaces: livingNamespaces(inventory.namespaces),
    services: relevantServices(definitions, cluster, inventory),
    webhooks: inventory.webhooks ?? [],
    ...(inventory.platform === undefined ? {} : { platform: inventory.platform }),
    cells: presentCells(definitions, cluster, inventory),
  };
}
