import { readMemberships, type TargetRow } from "../../adapters/store/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Memberships } from "../../core/membership/membership.ts";
import { feedersOf, relevantMemberships } from "../../core/membership/parts.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import type { SyncerContext } from "./context.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** The addresses that a target's rules take from elsewhere, as far as they are known. @throws FirebreakError INVENTORY_INCOMPLETE */
export async function membershipsFor(context: SyncerContext, { definitions, target }: ResolvedTarget): Promise<Memberships> {
  const known = context.memberships.known();
  await refuseUnknown(
    context,
    target.id,
    feedersOf(definitions, target).filter((feeder) => !known.has(feeder)),
  );
  return relevantMemberships(definitions, target, known);
}

/**
 * A store that tells of addresses which the state folder does not know is not believed, and nothing shrinks for want of them: until that cluster
 * was seen, its consumers stay as they are.
 *
 * @throws FirebreakError INVENTORY_INCOMPLETE
 */
async function refuseUnknown({ store }: SyncerContext, id: TargetId, missing: readonly TargetId[]): Promise<void> {
  if (missing.length === 0) return;
  const { memberships } = await readMemberships(store);
  const stored = missing.filter((feeder) => memberships.has(feeder));
  if (stored.length === 0) return;
  throw new FirebreakError(
    "INVENTORY_INCOMPLETE",
    `${id} needs the addresses of ${stored.join(", ")}: the store tells some, the state folder knows none, and the store alone is not ` +
      "believed. They are taken up as soon as the cluster was seen whole",
  );
}

/** Clusters whose addresses this target needs and that were never seen whole: closed, and told. */
export function notesOfMissing({ target }: ResolvedTarget, missing: readonly TargetId[]): readonly Note[] {
  return missing.map((feeder) => ({
    severity: "warning" as const,
    code: "feeder-never-seen",
    summary: `${feeder} was never seen whole: its addresses are not opened on ${target.id}`,
    detail: `Look at the connection of ${feeder}; its addresses are added as soon as it was seen.`,
  }));
}

/** Clusters whose addresses this target needs and that are not among those it gets. */
export function missingFeeders({ definitions, target }: ResolvedTarget, memberships: Memberships): readonly TargetId[] {
  return feedersOf(definitions, target).filter((feeder) => !memberships.has(feeder));
}

/**
 * Why a target that was ours before the store was lost may not shrink yet: a cluster that feeds its sets was not seen whole since
 * (docs/design/contracts.md "Store lost"). Undefined when nothing is in doubt.
 */
export function shrinkDoubt(
  id: TargetId,
  missing: readonly TargetId[],
  isOurs: boolean,
  row: TargetRow | undefined,
): FirebreakError | undefined {
  if (missing.length === 0 || !isOurs || row === undefined || row.appliedSequence !== null) return undefined;
  return new FirebreakError(
    "INVENTORY_INCOMPLETE",
    `the store was lost and ${missing.join(", ")} was not seen whole since: no set of ${id} shrinks`,
  );
}
