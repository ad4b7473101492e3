import type { TargetInputs } from "../../core/compile/inputs.ts";
import type { Want } from "../../core/compile/want.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import { equivalenceKey, requireEquivalence } from "../../core/plan/equivalence.ts";
import type { SyncerContext } from "./context.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** What a run compiled, and for a cluster what it was looking at. */
interface CompiledNow {
  readonly want: Want;
  readonly inputs: TargetInputs;
  readonly inventory?: ClusterInventory;
  readonly enforcer?: string;
}

interface Checked {
  readonly key: string;
  readonly notes: readonly Note[];
}

/** The last check of each target that found no difference: planning again for the same reasons asks nothing twice. */
const lastChecks = new WeakMap<SyncerContext, Map<TargetId, Checked>>();

/**
 * Stops a plan whose rendering does not mean what the definitions say.
 *
 * @returns notes on what was not compared
 * @throws FirebreakError PLAN_INVARIANT_BROKEN with a counter-example
 */
export function checkWant(context: SyncerContext, resolved: ResolvedTarget, compiled: CompiledNow): readonly Note[] {
  const { target, definitions, sequence } = resolved;
  const { want, inputs, inventory, enforcer } = compiled;
  const inventories = new Map([...context.clusters.connections()].map(([id, connection]) => [id, connection.inventory()]));
  if (inventory !== undefined) inventories.set(target.id, inventory);
  const question = { definitions, target, want, inputs, operator: context.operator, inventories, enforcer };
  const key = equivalenceKey(question, sequence);
  const checks = lastChecks.get(context) ?? new Map<TargetId, Checked>();
  lastChecks.set(context, checks);
  const last = checks.get(target.id);
  if (last?.key === key) return last.notes;
  const notes = requireEquivalence(question);
  checks.set(target.id, { key, notes });
  return notes;
}
