import { isDeepStrictEqual } from "node:util";
import { listTargetRows } from "../adapters/store/index.ts";
import { overlayOrphans, type Orphan } from "../core/membership/orphans.ts";
import type { Definitions, TargetId } from "../core/model/kinds.ts";
import { findTarget, type Target } from "../core/model/target.ts";
import { acceptedRevision, notBelieved, type LoggedRevisions, type RevisionParts } from "./accepted-revision.ts";
import type { DefinitionSource } from "./definitions.ts";

/** What reading orphans takes. */
export interface OrphanParts extends RevisionParts {
  readonly definitions: DefinitionSource;
  readonly signal: AbortSignal;
  /** What it names is no orphan, whatever the store says. */
  readonly inForce?: { readonly definitions: Definitions } | undefined;
}

/**
 * The targets gone from Git that are still enforced, sorted by id.
 *
 * @throws FirebreakError STORE_CONTRADICTS_LOG for one that by the log is none, or was last named by another revision (where the log is held)
 */
export async function listOrphans(parts: OrphanParts): Promise<readonly Orphan[]> {
  const orphans = await listGone(parts);
  for (const orphan of orphans) await holdOrphan(parts, orphan);
  const isNamed = (target: TargetId): boolean =>
    parts.inForce !== undefined && findTarget(parts.inForce.definitions, target) !== undefined;
  return orphans.filter(({ target }) => parts.facts?.target(target).isReleased !== true && !isNamed(target));
}

/** The same with those whose release has not ended: nothing of them is a member any more, and they stay connected. */
export async function listGone(parts: OrphanParts): Promise<readonly Orphan[]> {
  return (await listTargetRows(parts.store)).flatMap(({ id, inGit, wantedSequence }) =>
    inGit || wantedSequence === null ? [] : [{ target: id, sequence: wantedSequence }],
  );
}

/** What was found right stays right: neither the log nor a commit changes. */
const held = new WeakMap<LoggedRevisions, Set<string>>();

/** An orphan is frozen at the last revision that named it: an older one may say less, and its workloads are members by what it says. */
async function holdOrphan({ accepted, facts, definitions, signal }: OrphanParts, { target, sequence }: Orphan): Promise<void> {
  if (accepted === undefined || facts?.target(target).isReleased === true) return;
  const known = held.get(accepted) ?? new Set();
  held.set(accepted, known);
  const names = async (number: number): Promise<boolean> => {
    const { definitions: read } = await definitions.read(accepted.commitOf(number) ?? "", signal);
    return read !== undefined && findTarget(read, target) !== undefined;
  };
  // A log of an older version does not tell of orphans: then only the next revision is asked.
  const until = facts?.target(target).orphanedBy ?? accepted.after(sequence);
  const question = `${target} ${sequence} ${until}`;
  if (known.has(question)) return;
  let last = until === undefined ? undefined : accepted.before(until);
  while (last !== undefined && last > sequence && !(await names(last))) last = accepted.before(last);
  if (last !== sequence || until === undefined || (await names(until)))
    throw notBelieved(
      `the store says that ${target} is gone from Git and was last named by revision ${sequence}, and the audit log does not`,
    );
  known.add(question);
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

/** Definitions in which these orphans are members again; see `overlayOrphans`. The same object for the same definitions and orphans. */
export async function withOrphans(parts: OrphanParts, definitions: Definitions, orphans: readonly Orphan[]): Promise<Definitions> {
  if (orphans.length === 0) return definitions;
  const targets = await readOrphans(parts, orphans);
  const last = overlaid.get(definitions);
  if (last?.targets.length === targets.length && last.targets.every((target, at) => isDeepStrictEqual(target, targets[at])))
    return last.definitions;
  const made = overlayOrphans(definitions, targets);
  overlaid.set(definitions, { targets, definitions: made });
  return made;
}

/** The last overlay of each: a worker that has it need not be sent it again. */
const overlaid = new WeakMap<Definitions, { readonly targets: readonly Target[]; readonly definitions: Definitions }>();
