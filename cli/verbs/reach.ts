import pc from "picocolors";
import { reachOf } from "../../core/reach/matrix.ts";
import { renderMatrix, renderPairs } from "../../core/reach/render.ts";
import type { ReachFormat } from "../../core/reach/render.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { loadManifests, profileNamed } from "../manifests.ts";
import { tell } from "../output.ts";
import { writeAll } from "../write-all.ts";

/** What the command line gives. */
export interface ReachOptions {
  readonly manifests: string;
  readonly enforcer: string;
  readonly expand?: true;
  readonly output?: ReachFormat;
}

/** `firebreak reach --manifests DIR`: exit 1 when a manifest holds an error, and then nothing is listed. */
export async function reach({ manifests: folder, enforcer, expand, output }: ReachOptions): Promise<number> {
  const profile = profileNamed(enforcer);
  const manifests = await loadManifests(folder);
  if (manifests === undefined) return 1;
  const found = reachOf(manifests, profile);
  if (found.notes.length > 0) tell(formatNotes(found.notes, { color: pc.isColorSupported && process.stderr.isTTY }));
  const isExpanded = expand === true;
  const format = output ?? (isExpanded ? "json" : "table");
  await writeAll(isExpanded ? renderPairs(found, format) : renderMatrix(found, format));
  return 0;
}
