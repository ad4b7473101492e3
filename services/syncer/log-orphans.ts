import { listTargetRows } from "../../adapters/store/index.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { listTargets } from "../../core/model/target.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";

/** A target that a revision no longer names stays enforced; that it is nobody's any more is worth an entry of its own. */
export async function logOrphans({ store, trail }: SyncerContext, next: Definitions, sequence: number): Promise<void> {
  const named = new Set(listTargets(next).map(({ id }) => id));
  const orphans = (await listTargetRows(store)).filter((row) => row.inGit && !named.has(row.id));
  await trail.append(
    orphans.map((row) => ({
      id: `orphaned-${row.id}-${sequence}`,
      type: "target.orphaned" as const,
      target: auditTarget(row.id, row.identity ?? undefined),
      revision: sequence,
    })),
  );
}
