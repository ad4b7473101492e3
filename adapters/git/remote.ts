import { addRemote, fetch as fetchPack, init, listServerRefs } from "isomorphic-git";
import fs from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FirebreakError } from "../../core/ground/error.ts";
import { asGitError } from "./errors.ts";
import { hasCommit, readCommitInfo } from "./history.ts";
import { abortableHttp } from "./http.ts";
import { objectsIn, readRaw } from "./objects.ts";
import type { FetchLimits } from "./pack.ts";

/** How the server knows us. */
export type GitAuth =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** A forge's token; sent as the password, which GitHub, GitLab and Gitea all take. */
  | { readonly kind: "token"; readonly token: string };

/** A branch on an HTTP(S) server, and the bare folder that caches its objects. */
export interface Remote {
  readonly url: string;
  readonly branch: string;
  readonly auth: GitAuth;
  readonly gitdir: string;
}

/** A fetch, as data: it may be carried out by another process. */
export interface FetchRequest {
  /** Its `gitdir` is where the objects go. */
  readonly remote: Remote;
  readonly wanted: Wanted;
  readonly limits: FetchLimits;
}

/** Asking where a branch points is small; fetching may bring a whole history. */
const ASK_TIMEOUT_MS = 20_000;
const FETCH_TIMEOUT_MS = 300_000;

/** What to fetch: the branch, a commit by its id, or the head of a pull request, whichever repository it comes from. */
export type Wanted = { readonly commit?: string } | { readonly pull: number };

/** The commit the branch points at on the server, asked once. */
export async function askHead(remote: Remote, signal: AbortSignal): Promise<string> {
  const full = `refs/heads/${remote.branch}`;
  const doing = `ask where branch ${remote.branch} points`;
  try {
    const refs = await listServerRefs({
      http: abortableHttp(AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])),
      url: remote.url,
      headers: headersFor(remote.auth),
      prefix: full,
    });
    const found = refs.find(({ ref }) => ref === full);
    if (found === undefined) throw new FirebreakError("GIT_UNREACHABLE", `the repository has no branch ${remote.branch}`);
    return found.oid;
  } catch (cause) {
    signal.throwIfAborted();
    throw asGitError(doing, cause);
  }
}

/**
 * Brings a commit and its whole history into the cache: of the branch, by its id (servers that allow it), or of a pull request
 * (`refs/pull/NUMBER/head`, on GitHub and Gitea), and returns the commit that came. A cache that cannot be used is replaced by a fresh one, but only once the fresh one is complete: the old one
 * may hold commits that the server forgot.
 */
export async function fetchInto(request: FetchRequest, signal: AbortSignal): Promise<string> {
  const { gitdir } = request.remote;
  await prepare(request.remote, gitdir);
  try {
    return await fetchAndCheck(request, gitdir, signal);
  } catch (error) {
    if (!(error instanceof CacheDamaged)) throw error;
  }
  const fresh = `${gitdir}.new`;
  await rm(fresh, { recursive: true, force: true });
  await prepare(request.remote, fresh);
  const commit = await fetchAndCheck(request, fresh, signal);
  await rm(gitdir, { recursive: true, force: true });
  await rename(fresh, gitdir);
  return commit;
}

class CacheDamaged extends Error {}

/** Makes the folder a bare repository, unless it is one. */
export async function prepare(remote: Remote, gitdir: string): Promise<void> {
  if (fs.existsSync(join(gitdir, "config"))) return;
  await rm(gitdir, { recursive: true, force: true });
  await mkdir(gitdir, { recursive: true, mode: 0o700 });
  await init({ fs, gitdir, bare: true, defaultBranch: remote.branch });
  await addRemote({ fs, gitdir, remote: "origin", url: remote.url, force: true });
}

async function fetchAndCheck({ remote, wanted, limits }: FetchRequest, gitdir: string, signal: AbortSignal): Promise<string> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  const { doing, ref } = sourceOf(remote, wanted);
  let commit: string | null;
  try {
    const result = await fetchPack({
      fs,
      http: abortableHttp(deadline, limits),
      gitdir,
      url: remote.url,
      remote: "origin",
      // What we have: isomorphic-git offers only this ref to the server, and a name it cannot find means fetching everything.
      ref: `refs/remotes/origin/${remote.branch}`,
      remoteRef: ref,
      singleBranch: true,
      tags: false,
      headers: headersFor(remote.auth),
      cache: {},
    });
    commit = result.fetchHead;
  } catch (cause) {
    signal.throwIfAborted();
    const error = asGitError(doing, cause);
    // Neither the network nor the server: then it is the folder.
    if (error.code === "GIT_UNREACHABLE" && isLocalFailure(cause)) throw new CacheDamaged(String(cause), { cause });
    throw error;
  }
  if (commit === null) throw new FirebreakError("GIT_UNREACHABLE", "the repository is empty");
  await checkReadable(gitdir, commit);
  return commit;
}

function sourceOf({ branch }: Remote, wanted: Wanted): { readonly doing: string; readonly ref: string } {
  if ("pull" in wanted) return { doing: `fetch pull request #${wanted.pull}`, ref: `refs/pull/${wanted.pull}/head` };
  if (wanted.commit !== undefined) return { doing: `fetch commit ${wanted.commit}`, ref: wanted.commit };
  return { doing: `fetch branch ${branch}`, ref: `refs/heads/${branch}` };
}

/** The commit and its tree must be readable: a process that was killed while fetching may have left half a pack. */
async function checkReadable(gitdir: string, commit: string): Promise<void> {
  try {
    const store = objectsIn(gitdir);
    const { tree } = await readCommitInfo(store, commit);
    await readRaw(store, tree, "tree");
  } catch (cause) {
    throw new CacheDamaged(`commit ${commit} cannot be read`, { cause });
  }
}

function isLocalFailure(cause: unknown): boolean {
  if (cause instanceof FirebreakError) return false;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return (
    !["HttpError", "SmartHttpError", "NotFoundError", "EmptyServerResponseError", "UserCanceledError", "GitPushError"].includes(
      code,
    ) && !isNetwork(cause)
  );
}

/** The platform's fetch fails with a TypeError, its body with one too; our deadline with an abort. */
function isNetwork(cause: unknown): boolean {
  return cause instanceof TypeError || (cause instanceof Error && (cause.name === "AbortError" || cause.name === "TimeoutError"));
}

/** True when the commit can be read from the cache. A cache that fails in any way does not have it. */
export async function isCached(gitdir: string, commit: string): Promise<boolean> {
  return hasCommit(objectsIn(gitdir), commit).catch(() => false);
}

function headersFor(auth: GitAuth): Record<string, string> {
  switch (auth.kind) {
    case "none":
      return {};
    case "basic":
      return { Authorization: basic(auth.username, auth.password) };
    case "token":
      return { Authorization: basic("x-access-token", auth.token) };
    default:
      return auth satisfies never;
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
