import { posix } from "node:path";
import { FirebreakError } from "../core/ground/error.ts";
import { commentMarker, hasMarker, markedBody } from "../core/forge/comment.ts";
import type { Forge, PullRequest } from "../core/forge/forge.ts";
import { visible } from "../core/ground/visible.ts";
import { authorOf, type ImportedFile } from "../core/import/write.ts";
import { openForgeOf } from "../services/forge.ts";
import type { WriteFilesOptions } from "./import-files.ts";
import { loadSettings } from "./settings.ts";

/** What an import proposes. */
export interface ImportProposal {
  /** The folder of the import: it names the branch, so that the same import finds its pull request again. */
  readonly folder: string;
  /** Paths as in the repository. */
  readonly files: readonly ImportedFile[];
  /** The branch that is followed. */
  readonly base: string;
  readonly title: string;
  /** What the import said, for people: plain text. */
  readonly said: string;
  /** Replace files of an import that were edited since. */
  readonly force: boolean;
}

/** The pull request, and whether it is new or says something else now; undefined where the branch that is followed says it already. */
export interface ImportPull {
  readonly pull: Pick<PullRequest, "number" | "url">;
  readonly how: "new" | "changed" | "the same";
}

/**
 * The same with the forge and the branch that the settings name; undefined where it was not asked for, or only tried.
 *
 * @throws FirebreakError CONFIG_INVALID when they name no forge
 */
export async function pullRequestOf(
  { files, folder, title, said }: Pick<ImportProposal, "files" | "folder" | "title" | "said">,
  { pullRequest, dryRun, config, force }: WriteFilesOptions,
): Promise<ImportPull | "nothing to change" | undefined> {
  if (pullRequest !== true || dryRun === true) return undefined;
  const settings = await loadSettings(config);
  const forge = await openForgeOf(settings, process.env);
  if (forge === undefined) throw new FirebreakError("CONFIG_INVALID", `${config} names no forge: --pull-request needs \`forge\``);
  const { path: folderOfDefinitions, branch: base } = settings.repository;
  const inRepository = files.map(({ path, text }) => ({ path: posix.join(folderOfDefinitions, path), text }));
  const proposal = { folder, files: inRepository, base, title, said, force: force === true };
  return (await proposeImport(forge, proposal, AbortSignal.timeout(PATIENCE_MS))) ?? "nothing to change";
}

const PATIENCE_MS = 120_000;

/** A line about it. */
export function pullLine(pull: ImportPull | "nothing to change" | undefined): readonly string[] {
  if (pull === undefined) return [];
  if (pull === "nothing to change") return ["the branch that is followed says this already: no pull request"];
  return [`pull request #${pull.pull.number} (${pull.how}): ${visible(pull.pull.url)}`];
}

const LABELS = ["firebreak"];

/**
 * Opens a pull request with what an import made, or brings the open one up to it. A file that an import did not write is never replaced,
 * neither on the branch that is followed nor on that of the pull request.
 *
 * @throws FirebreakError USAGE for such a file, and for a branch of this name that no pull request of ours is open for
 */
export async function proposeImport(forge: Forge, proposal: ImportProposal, signal: AbortSignal): Promise<ImportPull | undefined> {
  const { folder, files, base, title } = proposal;
  const branch = `firebreak/import-${folder}`;
  const marker = commentMarker("import", folder);
  const baseCommit = await forge.readBranch(base, signal);
  if (baseCommit === undefined) throw new FirebreakError("FORGE_FAILED", `there is no branch ${base} on the forge`);
  if (!(await changes(forge, proposal, baseCommit, signal))) return undefined;
  const { head, isNew } = await forge.createBranch(branch, baseCommit, signal);
  const pulls = isNew ? [] : await forge.listPullsFrom(branch, signal);
  const open = pulls.find(({ state, body, base: into }) => state === "open" && into.ref === base && hasMarker(body, marker));
  if (!isNew && open === undefined && head !== baseCommit)
    throw new FirebreakError(
      "USAGE",
      `branch ${branch} is there already, without an open pull request of an import: delete it, or merge what it has`,
    );
  if (open !== undefined) await changes(forge, proposal, head, signal);
  const message = `${title}\n`;
  const done = await forge.commitFiles(
    { branch, parent: head, message, files: files.map(({ path, text }) => ({ path, text })) },
    signal,
  );
  if (done.kind === "moved")
    throw new FirebreakError("FORGE_FAILED", `somebody committed to ${branch} meanwhile: run the import again`);
  const body = markedBody(marker, bodyOf(proposal));
  if (open === undefined) {
    const { pull } = await forge.openPull({ title, body, head: branch, base, isDraft: false, labels: LABELS }, signal);
    return { pull, how: "new" };
  }
  if (done.kind !== "committed") return { pull: open, how: "the same" };
  return { pull: await forge.updatePull(open.number, { title, body }, signal), how: "changed" };
}

/** True when some file is another one at this commit. @throws FirebreakError USAGE for a file that is not the import's to replace */
async function changes(forge: Forge, { files, force }: ImportProposal, commit: string, signal: AbortSignal): Promise<boolean> {
  let isChanged = false;
  for (const { path, text } of files) {
    const before = await forge.readFile(path, commit, signal);
    if (before === text) continue;
    isChanged = true;
    const author = before === undefined ? "import" : authorOf(before);
    if (author === "other")
      throw new FirebreakError("USAGE", `${path} of the repository: not written by an import, so it is not replaced`);
    if (author === "edited" && !force)
      throw new FirebreakError(
        "USAGE",
        `${path} of the repository: edited since an import wrote it; replace it with what was edited by --force`,
      );
  }
  return isChanged;
}

/** The words of a terminal, in a block that nothing in them ends. */
function bodyOf({ said }: ImportProposal): string {
  const fence = "`".repeat(Math.max(3, ...[...said.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `Definitions that \`firebreak import\` wrote. Nothing is enforced by merging them: see what they say below.\n\n${fence}text\n${said}\n${fence}\n`;
}
