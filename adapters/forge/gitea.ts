import { GITEA_CODEOWNERS } from "../../core/forge/codeowners.ts";
import type { Committed, NewCommit } from "../../core/forge/forge.ts";
import { createBranch, deleteBranch, headOf, realChanges, type RealChange } from "./branches.ts";
import { putStatus } from "./checks.ts";
import type { Client, RequestLimits } from "./client.ts";
import type { ForgeDialect } from "./dialect.ts";
import { statusOf } from "./failure.ts";
import { editedOnGitea } from "./first-texts.ts";
import { movedOnGitea } from "./moves.ts";
import { allPages, PAGE } from "./pages.ts";
import type { ToldPull } from "./pulls.ts";

/** Gitea and Forgejo: commit statuses, drafts by title, several files in one commit through the contents API. */
export function giteaDialect(client: Client): ForgeDialect {
  const { octokit, at } = client;
  const readSelf = async (request: RequestLimits): Promise<string> =>
    (await octokit.rest.users.getAuthenticated({ request })).data.login;
  return {
    kind: "gitea",
    draftPrefix: "WIP: ",
    isDraftByTitle: true,
    codeowners: GITEA_CODEOWNERS,
    readSelf,

    // The title says it.
    setDraft: async () => await Promise.resolve(),

    /** There is no filter for the head: all open ones, and every one of ours. */
    async listFrom(_branch, state, request) {
      const list = async (query: object): Promise<readonly ToldPull[]> =>
        await allPages<ToldPull>((page) => octokit.rest.pulls.list({ ...at, ...PAGE, ...query, page, request }));
      const open = await list({ state: "open" });
      if (state === "open") return open;
      const ours = await list({ state: "all", poster: await readSelf(request) });
      return [...new Map([...ours, ...open].map((pull) => [pull.number, pull])).values()];
    },

    async listOf(commit, request) {
      try {
        const { data } = await octokit.request("GET /repos/{owner}/{repo}/commits/{commit}/pull", { ...at, commit, request });
        return [data as ToldPull]; // no type of octokit's knows this route
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        await octokit.rest.repos.get({ ...at, request }); // a repository that is away says 404 as well
        return [];
      }
    },

    readMoved: async (number, request) => await movedOnGitea(client, number, request),

    findEdited: async (comments, request) => await editedOnGitea(client, comments, request),

    async putCheck(commit, name, check, request) {
      await putStatus(client, commit, name, check, request);
      return "status";
    },

    createBranch: async (branch, commit, signal) =>
      await createBranch(client, branch, commit, signal, (request) =>
        octokit.request("POST /repos/{owner}/{repo}/branches", {
          ...at,
          new_branch_name: branch,
          old_ref_name: commit,
          request,
        }),
      ),

    deleteBranch: async (branch, commit, signal) =>
      await deleteBranch(client, branch, commit, signal, (request) =>
        octokit.request("DELETE /repos/{owner}/{repo}/branches/{branch}", { ...at, branch, request }),
      ),

    async commitFiles(commit, request) {
      const found = await realChanges(client, commit, request);
      return found.kind === "changes" ? await commitContents(client, commit, found.changes, request) : found;
    },
  };
}

/**
 * One commit for all files. Each is refused when its blob is not the one that was read; a commit that somebody else made between our
 * look and our write is not overwritten, but stands below ours: that is told as moved.
 */
async function commitContents(
  client: Client,
  { branch, parent, message }: NewCommit,
  changes: readonly RealChange[],
  request: RequestLimits,
): Promise<Committed> {
  const { octokit, at } = client;
  const files = changes.map(({ path, text, sha }) => {
    const operation = text === undefined ? "delete" : sha === undefined ? "create" : "update";
    const content = text === undefined ? {} : { content: Buffer.from(text).toString("base64") };
    return { operation, path, ...content, ...(sha === undefined ? {} : { sha }) };
  });
  try {
    const { data } = await octokit.request("POST /repos/{owner}/{repo}/contents", { ...at, branch, message, files, request });
    // The cast: no type of octokit's knows Gitea's answer.
    const { commit } = data as { readonly commit: { readonly sha: string; readonly parents: readonly { readonly sha: string }[] } };
    const isOnParent = commit.parents.length === 1 && commit.parents[0]?.sha === parent;
    return isOnParent ? { kind: "committed", sha: commit.sha } : { kind: "moved", head: commit.sha };
  } catch (error) {
    if (![404, 409, 422].includes(statusOf(error) ?? 0)) throw error;
    const head = await headOf(client, branch, request);
    if (head === parent) throw error;
    return { kind: "moved", head };
  }
}
