/** A repository on the forge, used as people use it: commits are pushed over HTTP by an account, merges are the forge's. */
import { command } from "./command.ts";
import type { Forge } from "./forge.ts";
import { createRepository, GIT_ENV, git, headOf, writeCommit, type Change } from "./git-repository.ts";
import type { GitRemote } from "./git-server.ts";
import type { Run } from "./run.ts";
import { waitFor } from "./wait.ts";

/** Who does something on the forge. */
export interface Account {
  readonly name: string;
  readonly token: string;
}

/** A pull request as the forge lists it; what tests read of it. */
export interface HostedPull {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: "open" | "closed";
  readonly merged: boolean;
  readonly head: { readonly ref: string; readonly sha: string };
  readonly user: { readonly login: string };
}

export interface HostedRepository extends GitRemote {
  readonly owner: string;
  readonly name: string;
  /** `/repos/OWNER/NAME`, for {@link Forge.call}. */
  readonly api: string;
  /** Makes the branch what it is in another repository, history and all. */
  takeOver(repository: string): Promise<void>;
  /** What a branch changes, as a text diff. */
  diff(branch: string): Promise<string>;
  /** An account that may push, comment and approve; an "admin" may also read the rights of others, which Firebreak must. */
  addAccount(name: string, permission?: "write" | "admin"): Promise<Account>;
  openPull(pull: { readonly title: string; readonly branch: string; readonly as: Account }): Promise<HostedPull>;
  pulls(): Promise<readonly HostedPull[]>;
  approve(pull: number, as: Account): Promise<void>;
  /** Makes a draft one that can be merged. */
  markReady(pull: HostedPull, as: Account): Promise<void>;
  /** Merges as a person would with the button; returns the new head of the branch. */
  merge(pull: number, as: Account): Promise<string>;
  comment(number: number, body: string, as: Account): Promise<void>;
  comments(
    number: number,
  ): Promise<readonly { readonly id: number; readonly body: string; readonly user: { readonly login: string } }[]>;
  /** Tells a URL of every push, pull request, comment and review, signed. */
  addWebhook(url: string, secret: string): Promise<void>;
}

const EVENTS = ["push", "pull_request", "pull_request_sync", "pull_request_review", "issue_comment"];

/** Commits are made under the address that the forge knows the account by, as people's are. */
function identityOf({ name }: Account): string {
  return `${name} <${name}@firebreak.test>`;
}

/** Creates a repository on the forge; the account that the tests write as by default is the forge's administrator. */
export async function createHostedRepository(run: Run, forge: Forge, name: string): Promise<HostedRepository> {
  const { owner, cloneUrl } = await forge.createRepo(name);
  const api = `/repos/${owner}/${name}`;
  const branch = "main";
  const path = `${run.makeFolder(`clone-${name}`)}/${name}.git`;
  await createRepository(path, branch);
  const admin: Account = { name: owner, token: forge.token };
  const urlAs = ({ name: user, token }: Account): string => cloneUrl.replace("://", `://${user}:${token}@`);
  const fetch = async (): Promise<void> =>
    void (await git(path, ["fetch", "--quiet", "--prune", urlAs(admin), "+refs/heads/*:refs/heads/*"]));
  const commit = async (change: Omit<Change, "parent">, to: string, author: string | undefined, as: Account): Promise<string> => {
    await fetch();
    const parent = (await headOf(path, to)) ?? (await headOf(path, branch));
    const sha = await writeCommit(path, { ...change, parent }, author);
    await command(["git", "-C", path, "push", "--quiet", urlAs(as), `${sha}:refs/heads/${to}`], { env: GIT_ENV });
    return sha;
  };
  const head = async (of = branch): Promise<string | undefined> => {
    await fetch();
    return await headOf(path, of);
  };
  return {
    owner,
    name,
    api,
    url: cloneUrl,
    branch,
    username: owner,
    token: forge.token,
    pushFiles: async (files, message, { branch: to = branch, author, as = admin } = {}) =>
      await commit({ files, remove: [], message }, to, author ?? identityOf(as), as),
    deleteFiles: async (remove, message, { branch: to = branch, author, as = admin } = {}) =>
      await commit({ files: {}, remove, message }, to, author ?? identityOf(as), as),
    head,
    async takeOver(repository) {
      await command(["git", "-C", repository, "push", "--quiet", "--force", urlAs(admin), `${branch}:${branch}`], { env: GIT_ENV });
    },
    async diff(of) {
      await fetch();
      return await git(path, ["diff", `${branch}...${of}`]);
    },
    async addAccount(user, permission = "write") {
      const account = await forge.createUser(user);
      await forge.call("PUT", `${api}/collaborators/${user}`, { permission });
      return account;
    },
    openPull: async ({ title, branch: from, as }) =>
      (await forge.call("POST", `${api}/pulls`, { title, head: from, base: branch }, as.name)) as HostedPull,
    pulls: async () => (await forge.call("GET", `${api}/pulls?state=all`)) as readonly HostedPull[],
    async approve(pull, as) {
      await forge.call("POST", `${api}/pulls/${pull}/reviews`, { event: "APPROVED", body: "" }, as.name);
    },
    async markReady({ number, title }, as) {
      await forge.call("PATCH", `${api}/pulls/${number}`, { title: title.replace(/^(WIP|Draft): */i, "") }, as.name);
    },
    async merge(pull, as) {
      // Whether it can be merged is worked out in the background; until then the forge says 405, "try again later".
      const isMerged = async (): Promise<boolean> => {
        await forge.call("POST", `${api}/pulls/${pull}/merge`, { Do: "merge" }, as.name);
        return true;
      };
      await waitFor(isMerged, { what: `pull request ${pull} is merged`, timeoutMs: 30_000, everyMs: 200 });
      return (await head()) ?? "";
    },
    async comment(number, body, as) {
      await forge.call("POST", `${api}/issues/${number}/comments`, { body }, as.name);
    },
    comments: async (number) =>
      (await forge.call("GET", `${api}/issues/${number}/comments`)) as Awaited<ReturnType<HostedRepository["comments"]>>,
    async addWebhook(url, secret) {
      const config = { url, secret, content_type: "json" };
      await forge.call("POST", `${api}/hooks`, { type: "gitea", active: true, events: EVENTS, config });
    },
  };
}
