import type { BranchCommit, Committed } from "../../core/forge/forge.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Client, RequestLimits } from "./client.ts";
import { statusOf } from "./failure.ts";
import { allPages, PAGE } from "./pages.ts";

/** {@link Forge.readBranch} */
export async function readBranch(client: Client, branch: string, signal: AbortSignal): Promise<string | undefined> {
  return await client.call(`read branch ${branch}`, signal, async (request) => await headOf(client, branch, request));
}

/** Head of a branch inside a call. */
export async function headOf({ octokit, at }: Client, branch: string, request: RequestLimits): Promise<string | undefined> {
  try {
    const { data } = await octokit.rest.repos.getBranch({ ...at, branch, request });
    const commit: { readonly sha?: string; readonly id?: string } = data.commit; // Gitea calls it id
    const head = commit.sha ?? commit.id;
    if (head === undefined) throw new Error("a branch without a commit");
    return head;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    await octokit.rest.repos.get({ ...at, request }); // a repository that is away is no missing branch
    return undefined;
  }
}

/** {@link Forge.createBranch}; `make` sends the forge's own request. */
export async function createBranch(
  client: Client,
  branch: string,
  commit: string,
  signal: AbortSignal,
  make: (request: RequestLimits) => Promise<unknown>,
): Promise<{ readonly head: string; readonly isNew: boolean }> {
  return await client.call(`create branch ${branch}`, signal, async (request) => {
    const before = await headOf(client, branch, request);
    if (before !== undefined) return { head: before, isNew: false };
    try {
      await make(request);
      return { head: commit, isNew: true };
    } catch (error) {
      if (statusOf(error) !== 409 && statusOf(error) !== 422) throw error;
      const head = await headOf(client, branch, request);
      if (head === undefined) throw error;
      return { head, isNew: false };
    }
  });
}

/** {@link Forge.deleteBranch}; `remove` sends the forge's own request. */
export async function deleteBranch(
  client: Client,
  branch: string,
  commit: string,
  signal: AbortSignal,
  remove: (request: RequestLimits) => Promise<unknown>,
): Promise<boolean> {
  return await client.call(`delete branch ${branch}`, signal, async (request) => {
    const head = await headOf(client, branch, request);
    if (head === undefined) return true;
    if (head !== commit) return false;
    try {
      await remove(request);
    } catch (error) {
      if ((await headOf(client, branch, request)) !== undefined) throw error;
    }
    return true;
  });
}

interface ToldCommit {
  readonly sha: string;
  readonly commit: { readonly message: string; readonly author: { readonly name?: string; readonly email?: string } | null };
  readonly author: { readonly login?: string } | null;
  readonly committer?: { readonly login?: string } | null;
}

/** {@link Forge.listCommits} */
export async function listCommits(
  client: Client,
  base: string,
  head: string,
  signal: AbortSignal,
): Promise<readonly BranchCommit[]> {
  return await client.call(`compare ${base} with ${head}`, signal, async (request) => {
    const { octokit, at } = client;
    const commits = await allPages<ToldCommit>(async (page) => {
      const query = { ...at, ...PAGE, basehead: `${base}...${head}`, files: false, verification: false, page, request };
      const { data, headers } = await octokit.rest.repos.compareCommitsWithBasehead(query);
      return { data: data.commits, headers };
    });
    const oldestFirst = client.kind === "github" ? commits : commits.toReversed();
    return oldestFirst.map(({ sha, commit, author, committer }) => ({
      sha,
      subject: commit.message.split("\n")[0] ?? "",
      authorName: commit.author?.name ?? "",
      authorEmail: commit.author?.email ?? "",
      authorLogin: author?.login || undefined,
      committerLogin: committer?.login || undefined,
    }));
  });
}

/** What is at a path: a file's blob and text. */
export interface ReadBlob {
  readonly sha: string;
  readonly text: string;
}

/** A file at a ref inside a call; undefined when it is not there or is no plain file. */
export async function blobAt(client: Client, path: string, ref: string, request: RequestLimits): Promise<ReadBlob | undefined> {
  const { octokit, at } = client;
  try {
    const { data } = await octokit.rest.repos.getContent({ ...at, path, ref, request });
    if (Array.isArray(data) || data.type !== "file") return undefined;
    const isHere = "content" in data && data.encoding === "base64" && (data.content !== "" || data.size === 0);
    if (isHere) return { sha: data.sha, text: textOf(data.content, path) };
    // Beyond 1 MB the content is left out.
    const { data: blob } = await octokit.rest.git.getBlob({ ...at, file_sha: data.sha, request });
    return { sha: data.sha, text: textOf(blob.content, path) };
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    await checkRef(client, ref, request);
    return undefined;
  }
}

/** Neither a repository nor a ref that is away is a missing file. */
async function checkRef({ kind, octokit, at }: Client, ref: string, request: RequestLimits): Promise<void> {
  if (kind === "github") await octokit.rest.repos.getCommit({ ...at, ref, request });
  else await octokit.rest.git.getCommit({ ...at, commit_sha: ref, request }); // Gitea takes any ref here
}

/** What is to be written that is not there yet; `sha` is the blob that stands in its place now. */
export interface RealChange {
  readonly path: string;
  readonly text: string | undefined;
  readonly sha: string | undefined;
}

/** The branch is where it was, and something would change: the changes; else the answer. */
export async function realChanges(
  client: Client,
  {
    branch,
    parent,
    files,
  }: { readonly branch: string; readonly parent: string; readonly files: readonly Omit<RealChange, "sha">[] },
  request: RequestLimits,
): Promise<Committed | { readonly kind: "changes"; readonly changes: readonly RealChange[] }> {
  const head = await headOf(client, branch, request);
  if (head !== parent) return { kind: "moved", head };
  const changes: RealChange[] = [];
  for (const { path, text } of files) {
    const there = await blobAt(client, path, parent, request);
    if (there?.text !== text) changes.push({ path, text, sha: there?.sha });
  }
  return changes.length === 0 ? { kind: "unchanged" } : { kind: "changes", changes };
}

function textOf(base64: string, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, "base64"));
  } catch (cause) {
    throw new FirebreakError("FORGE_FAILED", `read ${path}: it is not UTF-8`, { cause });
  }
}
