import pc from "picocolors";
import { FirebreakError } from "../../core/ground/error.ts";
import { reachOf, type Reach } from "../../core/reach/matrix.ts";
import { renderMatrix, renderPairs } from "../../core/reach/render.ts";
import type { ReachFormat } from "../../core/reach/render.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { loadManifests, profileNamed } from "../manifests.ts";
import { tell } from "../output.ts";
import { writeAll } from "../write-all.ts";

/** What the command line gives. */
export interface ReachOptions {
  readonly manifests?: string;
  readonly inventory?: string;
  readonly at?: string;
  readonly live?: true;
  readonly running?: true;
  readonly config?: string;
  readonly enforcer: string;
  readonly expand?: true;
  readonly full?: true;
  readonly output?: ReachFormat;
}

/** `firebreak reach`: of plain manifests exit 1 when one holds an error, and then nothing is listed; else of definitions or what is live. */
export async function reach(dir: string | undefined, options: ReachOptions): Promise<number> {
  const found =
    options.manifests === undefined ? await ofDefinitions(dir, options) : await ofManifests(dir, options.manifests, options);
  if (found === undefined) return 1;
  const isExpanded = options.expand === true;
  const format = options.output ?? (isExpanded ? "json" : "table");
  await writeAll(isExpanded ? renderPairs(found, format) : renderMatrix(found, format));
  return 0;
}

async function ofDefinitions(dir: string | undefined, options: ReachOptions): Promise<Reach> {
  const { reachOfDefinitions } = await import("./reach-definitions.ts");
  return await reachOfDefinitions(dir, options);
}

async function ofManifests(
  dir: string | undefined,
  folder: string,
  { full, ...options }: ReachOptions,
): Promise<Reach | undefined> {
  if (dir !== undefined || [options.inventory, options.at, options.live, options.running].some((other) => other !== undefined)) {
    throw new FirebreakError("USAGE", "--manifests is another question than DIR, --at, --inventory, --live and --running; ask one");
  }
  const profile = profileNamed(options.enforcer);
  const manifests = await loadManifests(folder);
  if (manifests === undefined) return undefined;
  const found = reachOf(manifests, profile, full === true ? Number.MAX_SAFE_INTEGER : undefined);
  if (found.notes.length > 0) tell(formatNotes(found.notes, { color: pc.isColorSupported && process.stderr.isTTY }));
  return found;
}
