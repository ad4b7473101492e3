import { listTargetRows, type Store } from "../adapters/store/index.ts";
import { overlayOrphans, type Orphan } from "../core/membership/orphans.ts";
import type { Definitions } from "../core/model/kinds.ts";
import { findTarget, type Target } from "../core/model/target.ts";
import { acceptedRevision, type RevisionParts } from "./accepted-revision.ts";
import type { DefinitionSource } from "./definitions.ts";

/** What reading orphans takes. */
export interface OrphanParts extends RevisionParts {
  readonly definitions: DefinitionSource;
  readonly signal: AbortSignal;
}

/** The targets gone from Git that are still enforced, sorted by id. */
export async function listOrphans(store: Store): Promise<readonly Orphan[]> {
  const rows = await listTargetRows(store);
  return rows.flatMap(({ id, inGit, wantedSequence }) =>
    inGit || wantedSequence === null ? [] : [{ target: id, sequence: wantedSequence }],
  );
}

/** Orphans as their last revisions described them. One whose revision is not known any more is left out: it was released. */
export async function readOrphans(parts: OrphanParts, orphans: readonly Orphan[]): Promise<readonly Target[]> {
  const targets: Target[] = [];
  for (const { target, sequence } of orphans) {
    const frozen = await acceptedRevision(parts, sequence);
    if (frozen === undefined) continue;
    const found = findTarget(await parts.definitions.accepted(frozen.commit, parts.signal), target);
    if (found !== undefined) targets.push(found);
  }
  return targets;
}

/** Definitions in which these orphans are members again; see `overlayOrphans`. */
export async function withOrphans(parts: OrphanParts, definitions: Definitions, orphans: readonly Orphan[]): Promise<Definitions> {
  return orphans.length === 0 ? definitions : overlayOrphans(definitions, await readOrphans(parts, orphans));
}
