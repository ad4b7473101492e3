import { findLeftIsolation, isolatedPods, rememberIsolation, type IsolatedPods } from "../../core/drift/left-isolation.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { findTarget } from "../../core/model/target.ts";
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

/** Watches for pods that leave isolation by changing their own labels. It remembers what it saw since it started, and nothing else. */
export class IsolationWatch {
  readonly #context: DriftContext;
  readonly #changed = new Set<TargetId>();
  readonly #memories = new Map<TargetId, Memory>();

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
        await this.#look(target);
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
    const now = isolatedPods(inForce.definitions, target.cluster, inventory);
    const memory = this.#memories.get(id);
    const before = memory?.sequence === inForce.sequence ? memory.isolated : new Map();
    const remembered = rememberIsolation(before, now, inventory.pods);
    this.#memories.set(id, { sequence: inForce.sequence, isolated: remembered });
    const findings = findLeftIsolation(id, remembered, now, inventory.pods);
    if (findings.length === 0 && memory === undefined) return;
    await respond(this.#context, { id, target, kinds: ["left-isolation"], findings });
  }
}
