import { resolveRef } from "isomorphic-git";
import fs from "node:fs";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FirebreakError } from "../../core/ground/error.ts";
import type { SourceFile } from "../../core/model/source.ts";
import type { CommitInfo } from "./commit.ts";
import { asGitError, isNotFound } from "./errors.ts";
import { readFiles } from "./files.ts";
import { commonAncestors, firstParents, isInHistory, readCommitInfo } from "./history.ts";
import { objectsIn } from "./objects.ts";
import type { ObjectStore } from "./objects.ts";
import { BRANCH_LIMITS, STRANGER_LIMITS } from "./pack.ts";
import { askHead, isCached } from "./remote.ts";
import type { GitAuth, Remote, Wanted } from "./remote.ts";
import { SideCaches } from "./side.ts";
import { doGitWork, type GitWorker } from "./work.ts";

/** Where definitions are. */
export interface RepositoryOptions {
  /** `https://…` or `http://…`; `file://…` or an absolute path for a repository on this machine, which is read where it is. */
  readonly url: string;
  readonly branch: string;
  /** Folder of the definitions inside the repository; empty or `.` for all of it. */
  readonly path: string;
  /** Folder for the cache of objects; one per process. Not used for a repository on this machine. */
  readonly folder: string;
  readonly auth: GitAuth;
  /** Asked before each fetch, for a token that is rotated. Absent: `auth` stays. */
  readonly readAuth?: () => Promise<GitAuth>;
  /** Who fetches, and who reads what strangers brought: they size it. Absent: this process. */
  readonly worker?: GitWorker;
  /** Where a copy of a commit may be kept ({@link Repository.bundle}): asked before the server is, for one that is not in the cache. */
  readonly kept?: (commit: string) => Promise<Uint8Array | undefined>;
}

/** The repository that says who may talk to whom. Only ever read. */
export interface Repository {
  /** The commit the branch points at now: the name is resolved once, and that commit's objects are here when this returns. */
  fetchHead(signal: AbortSignal): Promise<string>;
  /**
   * Brings the head of a pull request here, also from a fork, as objects only; see `readDefinitions`.
   *
   * @throws LIMIT_EXCEEDED when it brings too much, GIT_UNREACHABLE also when its head is another one by now
   */
  fetchPull(number: number, head: string, signal: AbortSignal): Promise<void>;
  /** Brings a commit here that somebody names, by its id, under the limits of a stranger. @throws as `fetchPull` */
  fetchAsked(commit: string, signal: AbortSignal): Promise<void>;
  /** Removes what all pull requests but these brought. */
  keepPulls(numbers: readonly number[]): Promise<void>;
  /** Where two histories parted: one commit, but for none (nothing in common) and criss-cross merges. Both commits must be here. */
  mergeBases(a: string, b: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Every file below the path; empty when the path is not there. See `readFiles`, also for `standIn`. */
  readDefinitions(commit: string, signal: AbortSignal, standIn?: string): Promise<readonly SourceFile[]>;
  /** The commit and the files below the path, to be kept elsewhere and read back by {@link RepositoryOptions.kept}. @throws LIMIT_EXCEEDED */
  bundle(commit: string, signal: AbortSignal): Promise<Uint8Array>;
  commitInfo(commit: string, signal: AbortSignal): Promise<CommitInfo>;
  /** True when `ancestor` is `commit` or in its history: false for a rewritten branch. */
  isAncestor(ancestor: string, commit: string, signal: AbortSignal): Promise<boolean>;
  /** The branch's own line (first parents) from `to` back to `from`, without `from`, newest first, at most `limit` (100). */
  log(from: string | undefined, to: string, signal: AbortSignal, limit?: number): Promise<readonly CommitInfo[]>;
}

/**
 * Opens the repository; nothing is fetched yet. Every function throws GIT_UNREACHABLE (with the cause), AUTH_DENIED or
 * LIMIT_EXCEEDED.
 *
 * @throws CONFIG_INVALID for a URL that is neither HTTP(S) nor a local repository
 */
export function openRepository(options: RepositoryOptions): Repository {
  const local = localPath(options.url);
  if (local !== undefined) return localRepository(gitdirOf(local), options);
  const scheme = /^(https?):\/\//.exec(options.url)?.[1];
  if (scheme === undefined) {
    throw new FirebreakError(
      "CONFIG_INVALID",
      "the repository's URL must start with https://, http:// or file://, or be an absolute path",
    );
  }
  return remoteRepository(withCredentialsApart(options), options);
}

/** Where commits are kept that a reader of the API names. */
const ASKED = "asked";

function remoteRepository(remote: Remote, { path, folder, readAuth, worker = doGitWork, kept }: RepositoryOptions): Repository {
  const asNow = async (to: Remote): Promise<Remote> => {
    const auth = await readAuth?.();
    return auth === undefined || auth.kind === "none" ? to : { ...to, auth };
  };
  const sides = new SideCaches(remote, join(folder, "pulls"));
  /** Commits that are only in a side cache, and in which. */
  const beside = new Map<string, string>();
  const fetchOwn = async (wanted: Wanted, signal: AbortSignal): Promise<string> =>
    // The cast: what a fetch gives.
    (await worker(
      { kind: "fetch", isStrangers: false, remote: await asNow(remote), wanted, limits: BRANCH_LIMITS },
      signal,
    )) as string;
  /** Into a side cache, unless the branch or that cache has it. */
  const fetchBeside = async (name: string, wanted: Wanted, commit: string, signal: AbortSignal): Promise<string> => {
    beside.delete(commit);
    if (await isCached(remote.gitdir, commit)) return commit;
    const side = await sides.open(name);
    if (!(await isCached(side.gitdir, commit))) {
      const work = { kind: "fetch", isStrangers: true, remote: await asNow(side), wanted, limits: STRANGER_LIMITS } as const;
      const came = await worker(work, signal);
      await sides.trim(name);
      if (came !== commit) return String(came);
    }
    beside.set(commit, name);
    return commit;
  };
  const gitdirBeside = (commit: string): string | undefined => {
    const name = beside.get(commit);
    return name === undefined ? undefined : join(folder, "pulls", name);
  };
  // One fetch at a time: two would write the same cache.
  let last: Promise<unknown> = Promise.resolve();
  const oneByOne = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined); // whoever asked for it is told
    return mine;
  };
  /** Brings what is kept of a commit, if anything is; a spoiled copy is none. */
  const bringKept = async (commit: string, signal: AbortSignal): Promise<boolean> => {
    const bundle = await kept?.(commit).catch(() => undefined); // the server is left
    if (bundle === undefined) return false;
    const isWhole = await worker({ kind: "unbundle", remote, bundle }, signal).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    return isWhole;
  };
  /** Reads; what is missing or damaged is brought once from where a copy is kept, then from the server, and read again. */
  const read = async <T>(
    commit: string,
    doing: string,
    signal: AbortSignal,
    work: (store: ObjectStore) => Promise<T>,
  ): Promise<T> => {
    const ways = [
      async () => await Promise.resolve(true),
      async () => await oneByOne(() => bringKept(commit, signal)),
      async () => (await oneByOne(() => fetchOwn({ commit }, signal))) !== "",
    ];
    let last: unknown;
    for (const bring of ways) {
      signal.throwIfAborted();
      if (!(await bring())) continue;
      try {
        return await work(objectsIn(remote.gitdir));
      } catch (cause) {
        if (cause instanceof FirebreakError) throw cause;
        last = cause;
      }
    }
    signal.throwIfAborted();
    throw asGitError(doing, last);
  };
  const own = readers(path, read, worker);
  const besideOr = async <T>(commit: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      signal.throwIfAborted();
      throw asGitError(`read what ${commit} brings`, cause);
    }
  };
  return {
    fetchHead: (signal) =>
      oneByOne(async () => {
        const head = await askHead(await asNow(remote), signal);
        return (await isCached(remote.gitdir, head)) ? head : fetchOwn({}, signal);
      }),
    fetchPull: (number, head, signal) =>
      oneByOne(async () => {
        const came = await fetchBeside(String(number), { pull: number }, head, signal);
        if (came !== head) throw new FirebreakError("GIT_UNREACHABLE", `pull request #${number} is at ${came}, not at ${head}`);
      }),
    fetchAsked: (commit, signal) => oneByOne(async () => void (await fetchBeside(ASKED, { commit }, commit, signal))),
    keepPulls: (numbers) =>
      oneByOne(async () => {
        const names = new Set([...numbers.map(String), ASKED]);
        for (const [commit, name] of beside) if (!names.has(name)) beside.delete(commit);
        await sides.keep(names);
      }),
    ...own,
    readDefinitions: async (commit, signal, standIn) => {
      const gitdir = gitdirBeside(commit);
      if (gitdir === undefined) return await own.readDefinitions(commit, signal, standIn);
      // The cast: what reading gives.
      return await besideOr(
        commit,
        signal,
        async () => (await worker({ kind: "read", gitdir, path, commit, standIn }, signal)) as readonly SourceFile[],
      );
    },
    mergeBases: async (a, b, signal) => {
      const gitdir = gitdirBeside(b) ?? gitdirBeside(a);
      if (gitdir === undefined) return await own.mergeBases(a, b, signal);
      // The cast: what the walk gives.
      return await besideOr(b, signal, async () => (await worker({ kind: "parted", gitdir, a, b }, signal)) as readonly string[]);
    },
  };
}

function localRepository(gitdir: string, { branch, path, worker = doGitWork }: RepositoryOptions): Repository {
  const read = async <T>(
    _commit: string,
    doing: string,
    signal: AbortSignal,
    work: (store: ObjectStore) => Promise<T>,
  ): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await work(objectsIn(gitdir));
    } catch (cause) {
      signal.throwIfAborted();
      throw asGitError(doing, cause);
    }
  };
  return {
    async fetchHead(signal) {
      signal.throwIfAborted();
      try {
        return await resolveRef({ fs, gitdir, ref: `refs/heads/${branch}` });
      } catch (cause) {
        if (isNotFound(cause)) throw new FirebreakError("GIT_UNREACHABLE", `the repository has no branch ${branch}`, { cause });
        throw asGitError(`read branch ${branch}`, cause);
      }
    },
    async fetchPull(_number, head, signal) {
      await read(head, `read commit ${head}`, signal, (store) => readCommitInfo(store, head));
    },
    async fetchAsked(commit, signal) {
      await read(commit, `read commit ${commit}`, signal, (store) => readCommitInfo(store, commit));
    },
    async keepPulls() {
      await Promise.resolve(); // nothing was brought here
    },
    ...readers(path, read, worker),
  };
}

type Read = <T>(commit: string, doing: string, signal: AbortSignal, work: (store: ObjectStore) => Promise<T>) => Promise<T>;

function readers(
  path: string,
  read: Read,
  worker: GitWorker,
): Omit<Repository, "fetchHead" | "fetchPull" | "fetchAsked" | "keepPulls"> {
  return {
    bundle: (commit, signal) =>
      read(
        commit,
        `make a copy of ${commit}`,
        signal,
        // The cast: what making one gives.
        async ({ gitdir }) => (await worker({ kind: "bundle", gitdir, path, commit }, signal)) as Uint8Array,
      ),
    readDefinitions: (commit, signal, standIn) =>
      read(commit, `read the definitions of ${commit}`, signal, (store) => readFiles(store, commit, path, signal, standIn)),
    commitInfo: (commit, signal) => read(commit, `read commit ${commit}`, signal, (store) => readCommitInfo(store, commit)),
    isAncestor: (ancestor, commit, signal) =>
      read(commit, `look for ${ancestor} in the history of ${commit}`, signal, (store) =>
        isInHistory(store, ancestor, commit, signal),
      ),
    mergeBases: (a, b, signal) =>
      read(b, `find where ${a} and ${b} parted`, signal, (store) => commonAncestors(store, a, b, signal)),
    log: (from, to, signal, limit = 100) =>
      read(to, `read the history of ${to}`, signal, (store) => firstParents(store, from, to, limit, signal)),
  };
}

/** Credentials inside the URL are used, and kept out of every message and of the cache's configuration. */
function withCredentialsApart({ url, branch, auth, folder }: RepositoryOptions): Remote {
  const parsed = new URL(url);
  const { username, password } = parsed;
  parsed.username = "";
  parsed.password = "";
  const found: GitAuth =
    auth.kind === "none" && password !== ""
      ? { kind: "basic", username: decodeURIComponent(username), password: decodeURIComponent(password) }
      : auth;
  return { url: parsed.href, branch, auth: found, gitdir: join(folder, "git") };
}

function localPath(url: string): string | undefined {
  if (url.startsWith("file://")) return fileURLToPath(url);
  return isAbsolute(url) ? url : undefined;
}

function gitdirOf(path: string): string {
  const inside = join(path, ".git");
  return fs.existsSync(inside) ? inside : path;
}
