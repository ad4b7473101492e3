import type { SegmentChange } from "../../core/membership/change.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { runLoop } from "../loop.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";

/** At most one entry per target in this time (docs/design/contracts.md "Churn"). */
const EVERY_MS = 60_000;
const LOOK_MS = 5_000;

interface Gathered {
  readonly from: number;
  /** When the first of them came, by `elapsed`. */
  readonly since: number;
  until: number;
  readonly plan: string;
  readonly sets: Map<string, SegmentChange>;
}

/**
 * Logs address set updates: the first of a target at once, those that follow within a minute together.
 *
 * They happen under the plan in force, whose intent covers them; gathering keeps a rolling deployment from filling the log.
 */
export class MemberLog {
  readonly #context: SyncerContext;
  readonly #gathered = new Map<TargetId, Gathered>();
  readonly #lastAt = new Map<TargetId, number>();

  constructor(context: SyncerContext) {
    this.#context = context;
  }

  /** Address sets of a target were updated under this plan. */
  async add(target: TargetId, plan: string, changes: readonly SegmentChange[]): Promise<void> {
    const now = this.#context.now();
    const since = this.#context.elapsed();
    const entry = this.#gathered.get(target) ?? { from: now, since, until: now, plan, sets: new Map() };
    entry.until = now;
    for (const change of changes) {
      const before = entry.sets.get(change.name);
      entry.sets.set(change.name, {
        ...change,
        added: change.added + (before?.added ?? 0),
        removed: change.removed + (before?.removed ?? 0),
      });
    }
    this.#gathered.set(target, entry);
    if (since - (this.#lastAt.get(target) ?? -EVERY_MS) >= EVERY_MS) await this.#flush(target);
  }

  /** Runs until the syncer stops, then logs what is left. */
  async run(): Promise<void> {
    const { log, signal, elapsed } = this.#context;
    await runLoop({ name: "member log", log, signal, everyMs: () => LOOK_MS }, async () => {
      for (const [target, { since }] of this.#gathered) if (elapsed() - since >= EVERY_MS) await this.#flush(target);
    });
    for (const target of this.#gathered.keys()) await this.#flush(target);
  }

  async #flush(target: TargetId): Promise<void> {
    const gathered = this.#gathered.get(target);
    if (gathered === undefined) return;
    const sets = [...gathered.sets.values()];
    await this.#context.trail.append([
      {
        id: `members-${target}-${gathered.from}-${gathered.plan.slice(0, 16)}`,
        type: "members.updated",
        target: auditTarget(target, undefined),
        plan: gathered.plan,
        members: {
          from: new Date(gathered.from).toISOString(),
          until: new Date(gathered.until).toISOString(),
          added: sets.reduce((sum, { added }) => sum + added, 0),
          removed: sets.reduce((sum, { removed }) => sum + removed, 0),
          sets,
        },
      },
    ]);
    this.#gathered.delete(target);
    this.#lastAt.set(target, this.#context.elapsed());
  }
}
