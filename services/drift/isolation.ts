import { listFindings } from "../../adapters/store/index.ts";
import { findLeftIsolation, isolatedPods, rememberIsolation, type IsolatedPods } from "../../core/drift/left-isolation.ts";
import { findEntered, rememberSealed, sealedMembers, type SealedMemory } from "../../core/drift/sealed.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { findTarget, type Target } from "../../core/model/target.ts";
import { runLoop } from "../loop.ts";
import type { DriftContext } from "./context.ts";
import { respond } from "./respond.ts";

/** Pods come and go all the time; once a second is soon enough to tell people. */
const EVERY_MS = 1_000;

interface Memory {
  /** A new revision starts anew: what it un-isolates was judged by its limits. */
  readonly sequence: number;
  readonly isolated: IsolatedPods;
}

/**
 * Watches for what labels do without a commit: pods that leave isolation by changing their own, and identities that enter a sealed
 * segment. It remembers what it saw since it started, and which entries people were told of.
 */
export class IsolationWatch {
  readonly #context: DriftContext;
  readonly #changed = new Set<TargetId>();
  readonly #memories = new Map<TargetId, Memory>();
  readonly #sealed = new Map<TargetId, { readonly memory: SealedMemory; readonly told: string }>();

  constructor(context: DriftContext) {
    this.#context = context;
  }

  /** To be called when the inventory of a cluster changed. */
  markChanged(target: TargetId): void {
    this.#changed.add(target);
  }

  /** Runs until the detector stops. */
  async run(): Promise<void> {
    const { log, signal } = this.#context;
    await runLoop({ name: "isolation", log, signal, everyMs: () => EVERY_MS }, async () => {
      for (const target of this.#changed) {
        this.#changed.delete(target);
        try {
          await this.#look(target);
        } catch (error) {
          this.#changed.add(target); // what could not be recorded is looked at again
          throw error;
        }
      }
    });
  }

  async #look(id: TargetId): Promise<void> {
    const { inForce, clusters } = this.#context;
    const target = inForce === undefined ? undefined : findTarget(inForce.definitions, id);
    const connection = clusters.connections().get(id);
    if (inForce === undefined || target?.kind !== "cluster" || connection === undefined) return;
    const inventory = connection.inventory();
    // Half a picture has pods missing, not pods that left; the watch rings again when it is whole.
    if (!inventory.complete || target.mode !== "apply") return;
    await this.#lookAtSealed(inForce.definitions, target, inventory);
    const now = isolatedPods(inForce.definitions, target.cluster, inventory);
    const memory = this.#memories.get(id);
    const before = memory?.sequence === inForce.sequence ? memory.isolated : new Map();
    const remembered = rememberIsolation(before, now, inventory.pods);
    this.#memories.set(id, { sequence: inForce.sequence, isolated: remembered });
    const findings = findLeftIsolation(id, remembered, now, inventory.pods);
    if (findings.length === 0 && memory === undefined) return;
    await respond(this.#context, { id, target, kinds: ["left-isolation"], findings });
  }

  async #lookAtSealed(definitions: Definitions, target: ClusterTarget, inventory: ClusterInventory): Promise<void> {
    const { id } = target;
    const now = sealedMembers(definitions, target.cluster, inventory);
    const before = this.#sealed.get(id);
    const asked = { open: true, target: id, kinds: ["sealed-entered"], limit: 10_000 } as const;
    const open = before === undefined ? await listFindings(this.#context.store, asked) : [];
    const known = new Set(open.map(({ subject }) => subject));
    const memory = rememberSealed(before?.memory ?? new Map(), now, known);
    const findings = findEntered(id, memory, now);
    const told = findings.map(({ fingerprint }) => fingerprint).join();
    // Pods come and go all the time; who is in sealed segments seldom changes.
    if (told !== (before?.told ?? (known.size === 0 ? "" : undefined)))
      await respond(this.#context, { id, target, kinds: ["sealed-entered"], findings });
    this.#sealed.set(id, { memory, told });
  }
}

type ClusterTarget = Extract<Target, { kind: "cluster" }>;
