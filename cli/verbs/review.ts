import { existsSync } from "node:fs";
import { allowOf, lifelineFloor } from "../../core/config/operator.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import type { SourceFile } from "../../core/model/source.ts";
import { reviewCandidate } from "../../core/review/candidate.ts";
import { verdictOf, type Reviewed } from "../../core/review/reviewed.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { reviewAnswer } from "../../core/text/review-json.ts";
import { reviewMarkdown } from "../../core/text/review.ts";
import { folderOf } from "../definitions.ts";
import { commitNamed, filesAt, findClone, isShallow, mergeBases } from "../git-clone.ts";
import { loadSettings } from "../settings.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";

/** How a review is printed. */
export type ReviewFormat = "markdown" | "json";

/** What `firebreak review` takes. */
export interface ReviewOptions {
  readonly output: ReviewFormat;
  readonly definitions?: string;
  readonly config?: string;
  readonly detailedExitcode?: true;
}

/**
 * `firebreak review`: exit 1 when what comes out of the merge would be refused, or cannot be planned; with `--detailed-exitcode` 2 when it is not
 * `fine` either.
 */
export async function review(base: string, head: string, options: ReviewOptions): Promise<number> {
  const reviewed = await reviewIn(base, head, options);
  const text = options.output === "json" ? JSON.stringify(reviewAnswer(reviewed), undefined, 2) : reviewMarkdown(reviewed);
  process.stdout.write(`${text}\n`);
  const verdict = verdictOf(reviewed);
  if (verdict === "blocked") return 1;
  return options.detailedExitcode === true && verdict !== "fine" ? 2 : 0;
}

async function reviewIn(base: string, head: string, { definitions, config }: ReviewOptions): Promise<Reviewed> {
  const file = config ?? DEFAULT_SETTINGS_FILE;
  const settings = config !== undefined || existsSync(file) ? await loadSettings(file) : undefined;
  const folder = definitions ?? folderOf(settings) ?? "policies";
  const clone = await findClone(folder);
  if (clone === undefined) throw new FirebreakError("USAGE", `${folder} is in no clone; run it in one`);
  const [baseCommit, commit] = [await commitNamed(clone, base), await commitNamed(clone, head)];
  const [common, ...others] = await mergeBases(clone, baseCommit, commit);
  if (common === undefined || others.length > 0)
    return { kind: "unplannable", why: (await isShallow(clone)) ? SHALLOW : NO_COMMON };
  const baseFiles = await filesAt(clone, baseCommit);
  return reviewCandidate({
    common: await filesAt(clone, common),
    base: baseFiles,
    head: await filesAt(clone, commit),
    allow: settings && allowOf(settings),
    before: definitionsOf(base, baseFiles),
    now: Date.now(),
    operator: operatorOf(settings),
    live: undefined,
  });
}

const SHALLOW = "this clone is shallow, and the commit that the two parted at is not in it; `git fetch --unshallow` brings it";
const NO_COMMON = "it and the branch have no single commit in common that they parted at; merge the branch into it";

/** Undefined where the base has no definitions yet. @throws FirebreakError DEFINITION_INVALID */
function definitionsOf(base: string, files: readonly SourceFile[]): Definitions | undefined {
  if (files.length === 0) return undefined;
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions !== undefined) return definitions;
  const errors = notes.filter(({ severity }) => severity === "error");
  throw new FirebreakError("DEFINITION_INVALID", `the definitions of ${base} hold errors:\n${formatNotes(errors)}`);
}

function operatorOf(settings: SettingsFile | undefined) {
  return { floor: settings === undefined ? { from: [], ports: [] } : lifelineFloor(settings), ownPaths: [] };
}
