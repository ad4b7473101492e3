import type { ClusterConnection } from "../../adapters/kubernetes/connection.ts";
import { ClusterEngine } from "../../core/engine/cluster-engine.ts";
import type { LiveAddresses } from "../../core/membership/clashes.ts";
import type { InventoryEvent } from "../../core/membership/event.ts";
import type { Membership } from "../../core/membership/membership.ts";
import type { Cluster, Definitions } from "../../core/model/kinds.ts";
import { structureDigest } from "./structure.ts";

/** More than this, and reading the inventory whole is cheaper. */
const MAX_PENDING = 50_000;

/** One cluster's engine, and the events it has not seen yet: they are gathered until somebody wants to publish. */
export class TrackedCluster {
  #engine: ClusterEngine | undefined;
  #pending: Exclude<InventoryEvent, { kind: "services" | "whole" }>[] = [];
  #isWhole = true;
  #structure: string | undefined;
  #isPublished = false;

  /** To be called for every event of the cluster's watches. */
  tell(event: InventoryEvent): void {
    if (event.kind === "whole" || this.#pending.length >= MAX_PENDING) {
      this.#isWhole = true;
      this.#pending = [];
    } else if (event.kind !== "services" && !this.#isWhole) this.#pending.push(event);
  }

  /**
   * Takes what was told since.
   *
   * @returns whether addresses may differ from what was published last, and whether what the cluster's own rendering rests on does
   */
  follow(
    connection: ClusterConnection,
    definitions: Definitions,
    cluster: Cluster,
  ): { readonly changed: boolean; readonly restructured: boolean } {
    const { services, webhooks = [], platform } = connection.services();
    if (this.#engine === undefined) {
      this.#engine = new ClusterEngine(definitions, cluster, connection.inventory());
    } else {
      this.#engine.redefine(definitions, cluster, services, platform);
      if (this.#isWhole) this.#engine.replace(connection.inventory());
      else for (const event of this.#pending) this.#engine.apply(event);
    }
    this.#isWhole = false;
    this.#pending = [];
    if (this.#engine.take().length > 0) this.#isPublished = false;
    const structure = structureDigest(definitions, cluster, {
      namespaces: connection.namespaces(),
      services,
      webhooks,
      ...(platform === undefined ? {} : { platform }),
      cells: this.#engine.presentCells(),
    });
    const restructured = this.#structure !== undefined && this.#structure !== structure;
    this.#structure = structure;
    return { changed: !this.#isPublished, restructured };
  }

  /** The membership as followed; undefined before the first `follow`. */
  membership(complete: boolean, observedAt: number): Membership | undefined {
    return this.#engine?.membership(complete, observedAt);
  }

  liveAddresses(): LiveAddresses | undefined {
    return this.#engine?.liveAddresses();
  }

  /** What was followed is known to everybody now. */
  published(): void {
    this.#isPublished = true;
  }
}
