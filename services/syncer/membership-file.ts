import { open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { decodeMembership, encodeMembership } from "../../core/membership/codec.ts";
import type { Membership } from "../../core/membership/membership.ts";
import type { SyncerContext } from "./context.ts";

/**
 * The last known memberships as a file of the state folder, fsynced. It is what a start believes: the embedded store is not fsynced, and
 * whoever writes to a database must not choose addresses for the sets of others.
 *
 * When a cluster does not answer, this is what keeps its addresses in the sets of others: stale is not empty.
 */
export function membershipFile(stateFolder: string): string {
  return join(stateFolder, "memberships.json");
}

/** Writes these memberships, atomically. */
export async function saveMemberships(stateFolder: string, memberships: Iterable<Membership>): Promise<void> {
  const file = membershipFile(stateFolder);
  const handle = await open(`${file}.next`, "w", 0o600);
  try {
    await handle.writeFile(JSON.stringify([...memberships].map(encodeMembership)));
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

/** The memberships of the file, marked incomplete: the next whole look replaces them. */
export async function loadMemberships({ settings, log }: Pick<SyncerContext, "settings" | "log">): Promise<readonly Membership[]> {
  const text = await readIfThere(membershipFile(settings.stateFolder));
  if (text === undefined) return [];
  return (JSON.parse(text) as readonly unknown[]).map((encoded) => {
    const membership = decodeMembership(encoded);
    const observedAt = new Date(membership.observedAt).toISOString();
    log.info({ target: membership.target, observedAt }, "membership taken from its file");
    return { ...membership, complete: false };
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
