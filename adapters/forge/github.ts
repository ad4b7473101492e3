import { GITHUB_CODEOWNERS } from "../../core/forge/codeowners.ts";
import type { Committed, NewCommit } from "../../core/forge/forge.ts";
import { createBranch, deleteBranch, headOf, realChanges, type RealChange } from "./branches.ts";
import { putCheckRun, putStatus } from "./checks.ts";
import type { Client, RequestLimits } from "./client.ts";
import type { ForgeDialect } from "./dialect.ts";
import { isRateLimit, statusOf } from "./failure.ts";
import { movedOnGitHub } from "./moves.ts";
import { allPages, PAGE } from "./pages.ts";
import type { ToldPull } from "./pulls.ts";

/** Nodes that one query may ask for. */
const MOST_NODES = 100;

interface ToldNodes {
  readonly nodes: readonly ({ readonly id: string; readonly lastEditedAt: string | null } | null)[];
}

/** GitHub, and GitHub Enterprise: check runs, real drafts, commits as Git objects. */
export function githubDialect(client: Client): ForgeDialect {
  const { octokit, at } = client;
  return {
    kind: "github",
    draftPrefix: "Draft: ",
    isDraftByTitle: false,
    codeowners: GITHUB_CODEOWNERS,

    async readSelf(request) {
      if ("app" in client.credential) {
        const { data } = await octokit.rest.apps.getAuthenticated({ request });
        return data?.slug === undefined ? undefined : `${data.slug}[bot]`;
      }
      try {
        return (await octokit.rest.users.getAuthenticated({ request })).data.login;
      } catch (error) {
        // The token of a workflow may not ask who it is.
        if (statusOf(error) === 403 && !isRateLimit(error)) return undefined;
        throw error;
      }
    },

    async setDraft(pull, isDraft, request) {
      // REST cannot.
      const verb = isDraft ? "convertPullRequestToDraft" : "markPullRequestReadyForReview";
      const mutation = `mutation($id: ID!) { ${verb}(input: {pullRequestId: $id}) { pullRequest { id isDraft } } }`;
      await octokit.graphql(mutation, { id: pull.node_id, request });
    },

    async listFrom(branch, state, request) {
      const query = { ...at, ...PAGE, head: `${at.owner}:${branch}`, state, request };
      return await allPages<ToldPull>((page) => octokit.rest.pulls.list({ ...query, page }));
    },

    async listOf(commit, request) {
      const query = { ...at, ...PAGE, commit_sha: commit, request };
      try {
        return await allPages<ToldPull>((page) => octokit.rest.repos.listPullRequestsAssociatedWithCommit({ ...query, page }));
      } catch (error) {
        if (statusOf(error) !== 422) throw error; // the forge has no such commit
        return [];
      }
    },

    readMoved: async (number, request) => await movedOnGitHub(client, number, request),

    /** REST tells times in seconds: an edit within the second in which a comment was made does not show there. */
    async findEdited(comments, request) {
      const query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { id lastEditedAt } } }";
      const edited = new Set<number>();
      for (let at = 0; at < comments.length; at += MOST_NODES) {
        const some = comments.slice(at, at + MOST_NODES);
        const ids = some.map(({ node_id: id = "" }) => id);
        const { nodes } = await octokit.graphql<ToldNodes>(query, { ids, request });
        const untouched = new Set(nodes.flatMap((node) => (node?.lastEditedAt === null ? [node.id] : [])));
        for (const { id, node_id: node = "" } of some) if (!untouched.has(node)) edited.add(id);
      }
      return edited;
    },

    async putCheck(commit, name, check, request) {
      if (await putCheckRun(client, commit, name, check, request)) return "check";
      await putStatus(client, commit, name, check, request);
      return "status";
    },

    createBranch: async (branch, commit, signal) =>
      await createBranch(client, branch, commit, signal, (request) =>
        octokit.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: commit, request }),
      ),

    deleteBranch: async (branch, commit, signal) =>
      await deleteBranch(client, branch, commit, signal, (request) =>
        octokit.rest.git.deleteRef({ ...at, ref: `heads/${branch}`, request }),
      ),

    async commitFiles(commit, request) {
      const found = await realChanges(client, commit, request);
      return found.kind === "changes" ? await commitTree(client, commit, found.changes, request) : found;
    },
  };
}

/** Tree, commit, then the branch forward: the last step is refused when the branch has moved. */
async function commitTree(
  client: Client,
  { branch, parent, message }: NewCommit,
  changes: readonly RealChange[],
  request: RequestLimits,
): Promise<Committed> {
  const { octokit, at } = client;
  const { data: base } = await octokit.rest.git.getCommit({ ...at, commit_sha: parent, request });
  const tree = changes.map(({ path, text }) => {
    const entry = { path, mode: "100644", type: "blob" } as const;
    return text === undefined ? { ...entry, sha: null } : { ...entry, content: text };
  });
  const { data: made } = await octokit.rest.git.createTree({ ...at, base_tree: base.tree.sha, tree, request });
  const { data: commit } = await octokit.rest.git.createCommit({ ...at, message, tree: made.sha, parents: [parent], request });
  try {
    await octokit.rest.git.updateRef({ ...at, ref: `heads/${branch}`, sha: commit.sha, force: false, request });
  } catch (error) {
    if (statusOf(error) !== 422 && statusOf(error) !== 409) throw error;
    const head = await headOf(client, branch, request);
    if (head === parent) throw error; // refused for another reason, a rule for the branch
    return { kind: "moved", head };
  }
  return { kind: "committed", sha: commit.sha };
}
