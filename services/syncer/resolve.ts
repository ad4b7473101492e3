import { targetRow } from "../../adapters/store/index.ts";
import { acceptedRevision } from "../accepted-revision.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Orphan } from "../../core/membership/orphans.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { findTarget, type Target } from "../../core/model/target.ts";
import { listOrphans, withOrphans } from "../orphans.ts";
import type { SyncerContext } from "./context.ts";

/** A target and the revision that it shall enforce. */
export interface ResolvedTarget {
  readonly target: Target;
  /** Of its revision, with the orphans as members. */
  readonly definitions: Definitions;
  readonly orphans: readonly Orphan[];
  readonly sequence: number;
  readonly commit: string;
  /** Gone from Git: frozen at the last revision that named it. */
  readonly orphaned: boolean;
}

/**
 * What a target shall enforce: the revision in force, or for one gone from Git the last revision that named it.
 *
 * @throws FirebreakError NOT_FOUND when nobody ever named it, INVENTORY_INCOMPLETE before the first revision
 */
export async function resolveTarget(context: SyncerContext, id: TargetId): Promise<ResolvedTarget> {
  const { inForce, store, signal } = context;
  if (inForce === undefined) throw new FirebreakError("INVENTORY_INCOMPLETE", `no revision is in force yet; ${id} waits`);
  const named = findTarget(inForce.definitions, id);
  if (named !== undefined) {
    const orphans = await listOrphans(context);
    const definitions = await withOrphans(context, inForce.definitions, orphans);
    return { target: named, definitions, orphans, sequence: inForce.sequence, commit: inForce.commit, orphaned: false };
  }
  const row = await targetRow(store, id);
  const last = row?.wantedSequence ?? null;
  const frozen = last === null ? undefined : await acceptedRevision(context, last);
  if (frozen === undefined) throw new FirebreakError("NOT_FOUND", `no revision names ${id}`);
  const definitions = await context.definitions.accepted(frozen.commit, signal);
  const target = findTarget(definitions, id);
  if (target === undefined) throw new FirebreakError("NOT_FOUND", `revision ${frozen.sequence} does not name ${id}`);
  return { target, definitions, orphans: [], sequence: frozen.sequence, commit: frozen.commit, orphaned: true };
}
