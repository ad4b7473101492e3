import type { Forge } from "../../core/forge/forge.ts";
import { blobAt, listCommits, readBranch } from "./branches.ts";
import { openClient, type Client, type ForgeOptions } from "./client.ts";
import { listComments, putComment } from "./comments.ts";
import type { ForgeDialect } from "./dialect.ts";
import { giteaDialect } from "./gitea.ts";
import { githubDialect } from "./github.ts";
import { putIssue } from "./issues.ts";
import * as pulls from "./pulls.ts";
import { listReviews, readPermission } from "./reviews.ts";

export type { ForgeCredential, ForgeOptions } from "./client.ts";

/** A forge to work with; makes no request yet. @throws FirebreakError CONFIG_INVALID when the repository is not `owner/name` */
export function openForge(options: ForgeOptions): Forge {
  const client = openClient(options);
  const dialect = options.kind === "github" ? githubDialect(client) : giteaDialect(client);
  return forgeOf(client, dialect);
}

function forgeOf(client: Client, dialect: ForgeDialect): Forge {
  let self: Promise<string | undefined> | undefined;
  const readSelf = async (signal: AbortSignal): Promise<string | undefined> => {
    self ??= client.call("ask who we are", signal, async (request) => await dialect.readSelf(request));
    try {
      return await self;
    } catch (error) {
      self = undefined; // asked again the next time
      throw error;
    }
  };
  const writeComment: Forge["putComment"] = async (number, comment, signal) =>
    await putComment(client, await readSelf(signal), number, comment, signal);
  return {
    kind: dialect.kind,
    repository: client.repository,
    readSelf,
    readPermission: async (user, signal) => await readPermission(client, user, signal),
    listPulls: async (base, signal) => await pulls.listPulls(client, dialect, base, signal),
    listPullsFrom: async (branch, signal) => await pulls.listPullsFrom(client, dialect, branch, signal),
    readPull: async (number, signal) => await pulls.readPull(client, dialect, number, signal),
    readMerged: async (commit, signal) => await pulls.readMerged(client, dialect, commit, signal),
    countCommits: async (number, signal) => await pulls.countCommits(client, number, signal),
    readChangedFiles: async (number, signal) => await pulls.readChangedFiles(client, number, signal),
    openPull: async (pull, signal) => await pulls.openPull(client, dialect, pull, signal),
    updatePull: async (number, change, signal) => await pulls.updatePull(client, dialect, number, change, signal),
    async closePull(number, why, signal) {
      await writeComment(number, why, signal);
      await pulls.closePull(client, number, signal);
    },
    listReviews: async (number, signal) => await listReviews(client, number, signal),
    readMoved: async (number, signal) =>
      await client.call(`read the timeline of #${number}`, signal, async (request) => await dialect.readMoved(number, request)),
    requestReviewers: async (number, reviewers, signal) => await pulls.requestReviewers(client, number, reviewers, signal),
    putComment: writeComment,
    listComments: async (number, since, signal) => await listComments(client, dialect, number, since, signal),
    async putCheck(commit, name, check, signal) {
      const put = client.call(
        `write check ${name}`,
        signal,
        async (request) => await dialect.putCheck(commit, name, check, request),
      );
      return { kind: await put };
    },
    readBranch: async (branch, signal) => await readBranch(client, branch, signal),
    createBranch: dialect.createBranch,
    deleteBranch: dialect.deleteBranch,
    listCommits: async (base, head, signal) => await listCommits(client, base, head, signal),
    commitFiles: async (commit, signal) =>
      await client.call(`commit to ${commit.branch}`, signal, async (request) => await dialect.commitFiles(commit, request)),
    readFile: async (path, ref, signal) =>
      await client.call(`read ${path}`, signal, async (request) => (await blobAt(client, path, ref, request))?.text),
    readCodeowners: async (ref, signal) =>
      await client.call("read CODEOWNERS", signal, async (request) => {
        for (const path of dialect.codeowners) {
          const found = await blobAt(client, path, ref, request);
          if (found !== undefined) return found.text;
        }
        return undefined;
      }),
    putIssue: async (known, marker, issue, signal) => await putIssue(client, await readSelf(signal), known, marker, issue, signal),
  };
}
