import type { StoredProposal } from "../../../adapters/store/index.ts";
import type { FileEdit } from "../../../core/adopt/file.ts";
import type { PullRequest } from "../../../core/forge/forge.ts";
import { branchOf, type ProposalContext } from "./context.ts";

/** What the branch says after it was looked after. */
export type Written =
  | {
      readonly kind: "written";
      readonly paths: readonly string[];
      readonly commits: readonly string[];
      readonly isChanged: boolean;
    }
  /** Others committed to it: nothing was written. */
  | { readonly kind: "touched" }
  /** Somebody moved it while it was written; look again. */
  | { readonly kind: "moved" };

/**
 * Makes the branch say the edit of this base, in one more commit where it says something else. Nothing is ever overwritten: a commit is
 * made on top of a head that was looked at, and only where all commits are ours.
 *
 * @param pull the open pull request; without one a branch of ours that is left from before begins anew
 */
export async function writeBranch(
  context: ProposalContext,
  { cause, memory }: StoredProposal,
  pull: PullRequest | undefined,
  baseCommit: string,
  edits: readonly FileEdit[],
): Promise<Written> {
  const { forge, signal } = context;
  const branch = branchOf(cause);
  let { head, isNew } = await forge.createBranch(branch, baseCommit, signal);
  let commits = [...(memory.commits ?? [])];
  if (!isNew) {
    if (await hasOthers(context, cause, commits)) return { kind: "touched" };
    if (pull === undefined && head !== baseCommit) {
      if (!(await forge.deleteBranch(branch, head, signal))) return { kind: "moved" };
      ({ head, isNew } = await forge.createBranch(branch, baseCommit, signal));
      if (!isNew) return { kind: "moved" };
      commits = [];
    }
  }
  const before = pull === undefined ? [] : (await forge.readChangedFiles(pull.number, signal)).paths;
  const paths = [
    ...new Set([...(pull === undefined ? [] : (memory.paths ?? [])), ...before, ...edits.map(({ path }) => path)]),
  ].sort();
  const files = await Promise.all(
    paths.map(async (path) => {
      const edit = edits.find((one) => one.path === path);
      // A file that an earlier edit touched is again what the base says.
      const text = edit === undefined ? await forge.readFile(path, baseCommit, signal) : edit.after === "" ? undefined : edit.after;
      return { path, text };
    }),
  );
  const message = `Adopt a live change\n\n${edits.map(({ path, what }) => `${path}: ${what}`).join("\n")}\n`;
  const done = await forge.commitFiles({ branch, parent: head, message, files }, signal);
  if (done.kind === "moved") return { kind: "moved" };
  const isChanged = done.kind === "committed";
  return { kind: "written", paths, commits: isChanged ? [...commits, done.sha] : commits, isChanged };
}

/** True when somebody else committed to the branch. */
export async function hasOthers(
  { forge, signal, base }: ProposalContext,
  cause: string,
  ours: readonly string[],
): Promise<boolean> {
  const self = await forge.readSelf(signal);
  const commits = await forge.listCommits(base, branchOf(cause), signal);
  return commits.some(({ sha, authorLogin }) => !ours.includes(sha) && (self === undefined || authorLogin !== self));
}

/** Deletes the branch of a proposal that is over, unless somebody else committed to it. */
export async function cleanBranch(context: ProposalContext, { cause, memory }: StoredProposal): Promise<void> {
  const { forge, signal } = context;
  const head = await forge.readBranch(branchOf(cause), signal);
  if (head === undefined || (await hasOthers(context, cause, memory.commits ?? []))) return;
  await forge.deleteBranch(branchOf(cause), head, signal);
}
