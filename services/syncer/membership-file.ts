import { open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { publishMembership, readMemberships } from "../../adapters/store/index.ts";
import { decodeMembership, encodeMembership } from "../../core/membership/codec.ts";
import type { Membership, Memberships } from "../../core/membership/membership.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { SyncerContext } from "./context.ts";

/**
 * The last known memberships as a file of the state folder, fsynced: the embedded store is not.
 *
 * When the store is lost and a cluster does not answer, this is what keeps its addresses in the sets of others: stale is not empty.
 */
export function membershipFile(stateFolder: string): string {
  return join(stateFolder, "memberships.json");
}

/** Writes all memberships, atomically. */
export async function saveMemberships(context: SyncerContext): Promise<void> {
  const file = membershipFile(context.settings.stateFolder);
  const { memberships } = await readMemberships(context.store);
  const handle = await open(`${file}.next`, "w", 0o600);
  try {
    await handle.writeFile(JSON.stringify([...memberships.values()].map(encodeMembership)));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.next`, file);
  const folder = await open(dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Gives a store that lost them the memberships of the file, marked incomplete: the next whole look replaces them.
 *
 * @returns what the file has
 */
export async function restoreMemberships(context: SyncerContext): Promise<Memberships> {
  const saved = new Map<TargetId, Membership>();
  const text = await readIfThere(membershipFile(context.settings.stateFolder));
  if (text === undefined) return saved;
  const { memberships } = await readMemberships(context.store);
  for (const encoded of JSON.parse(text) as readonly unknown[]) {
    const membership = decodeMembership(encoded);
    saved.set(membership.target, membership);
    if (memberships.has(membership.target)) continue;
    await publishMembership(context.store, { ...membership, complete: false });
    context.log.warn(
      { target: membership.target, observedAt: new Date(membership.observedAt).toISOString() },
      "membership restored from its file",
    );
  }
  return saved;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
