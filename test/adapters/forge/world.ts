/** The two forges that the contract is held against, with the people who work there. */
import { openForge, type ForgeOptions } from "../../../adapters/forge/open.ts";
import type { Forge } from "../../../core/forge/forge.ts";
import type { Forge as Gitea } from "../../../testbed/forge.ts";
import { until } from "../../support/until.ts";
import { startGitHubDouble, type GitHubDouble } from "../../support/github-double/server.ts";

/** A fresh repository with branch `main`, the product's own account, and people. */
export interface ForgeWorld extends AsyncDisposable {
  readonly options: ForgeOptions;
  /** As the product. */
  readonly forge: Forge;
  readonly people: {
    /** May write. */
    readonly writer: string;
    /** Has an account and no right beyond reading. */
    readonly stranger: string;
  };
  /** Commits files to a branch (made from main when it is not there), as somebody; the commit. */
  push(branch: string, files: Readonly<Record<string, string>>, as: string): Promise<string>;
  review(pull: number, verdict: "approve" | "refuse" | "comment", as: string): Promise<void>;
  merge(pull: number): Promise<void>;
  close(pull: number): Promise<void>;
  /** A pull request from a fork; its number. */
  openFromFork(branch: string): Promise<number>;
  openIssue(title: string, body: string): Promise<number>;
  comment(number: number, body: string, as: string): Promise<number>;
  deleteComment(id: number): Promise<void>;
  issues(): Promise<
    readonly { readonly number: number; readonly state: string; readonly title: string; readonly labels: readonly string[] }[]
  >;
  reviewersOf(pull: number): Promise<readonly string[]>;
  /** Everything that was said of a commit under this name, the newest last. */
  said(commit: string, name: string): Promise<readonly { readonly state: string; readonly title: string }[]>;
}

export interface DoubleWorld extends ForgeWorld {
  readonly double: GitHubDouble;
}

/** On the double of GitHub; without `credential` as a person's token. */
export async function openDoubleWorld(credential?: ForgeOptions["credential"]): Promise<DoubleWorld> {
  const double = await startGitHubDouble();
  const { state, repository, url } = double;
  const options: ForgeOptions = {
    kind: "github",
    url,
    repository,
    credential: credential ?? { token: double.token },
    isPaced: false,
  };
  for (const [name, role] of [
    ["wanda", "write"],
    ["sten", "read"],
    ["maria", "maintain"],
    ["adam", "admin"],
  ] as const)
    state.roles.set(name, role);
  const pull = (number: number) => state.pulls.find((each) => each.number === number)!;
  return {
    double,
    options,
    forge: openForge(options),
    people: { writer: "wanda", stranger: "sten" },
    push: async (branch, files, as) => await Promise.resolve(state.push(branch, files, as)),
    async review(number, verdict, as) {
      const word = ({ approve: "APPROVED", refuse: "CHANGES_REQUESTED", comment: "COMMENTED" } as const)[verdict];
      const commit = state.git.at(pull(number).head)!.sha;
      state.reviews.push({ pull: number, author: as, state: word, commit, at: state.nextTime() });
      await Promise.resolve();
    },
    async merge(number) {
      const { head, base } = pull(number);
      const mergeCommit = state.push(base, Object.fromEntries(state.git.at(head)!.files), "wanda");
      Object.assign(pull(number), { state: "closed", mergedAt: state.nextTime(), mergeCommit });
      await Promise.resolve();
    },
    async close(number) {
      pull(number).state = "closed";
      await Promise.resolve();
    },
    async openFromFork(branch) {
      const commit = state.git.commit(new Map([["fork.yaml", "a"]]), [state.git.branches.get("main")!], "fork", "sten");
      const number = state.nextNumber();
      const text = {
        title: "from a fork",
        body: "",
        author: "sten",
        draft: false,
        state: "open" as const,
        mergedAt: null,
        labels: [],
      };
      const at = { head: branch, headRepository: "sten/policies", forkHead: commit.sha, base: "main", reviewers: [] };
      state.pulls.push({ number, ...text, ...at });
      return await Promise.resolve(number);
    },
    async openIssue(title, body) {
      const number = state.nextNumber();
      state.issues.push({ number, title, body, author: "sten", state: "open", closedAt: null, labels: [] });
      return await Promise.resolve(number);
    },
    async comment(number, body, as) {
      const at = state.nextTime();
      const id = state.nextId();
      state.comments.push({ id, number, body, author: as, createdAt: at, updatedAt: at });
      return await Promise.resolve(id);
    },
    async deleteComment(id) {
      state.comments = state.comments.filter((comment) => comment.id !== id);
      await Promise.resolve();
    },
    issues: async () => await Promise.resolve(state.issues),
    reviewersOf: async (number) => await Promise.resolve(pull(number).reviewers),
    async said(commit, name) {
      const runs = state.checkRuns.filter((run) => run.head === commit && run.name === name);
      const statuses = state.statuses.filter(({ sha, context }) => sha === commit && context === name);
      return await Promise.resolve([
        ...runs.map(({ conclusion, title }) => ({ state: conclusion ?? "pending", title })),
        ...statuses.map(({ state: word, description }) => ({ state: word, title: description })),
      ]);
    },
    async [Symbol.asyncDispose]() {
      await double[Symbol.asyncDispose]();
      if (double.complaints.length > 0) throw new Error(`GitHub would not do so: ${double.complaints.join("\n")}`);
    },
  };
}

interface Account {
  readonly name: string;
  readonly token: string;
}

/** The accounts of one Gitea. */
export interface GiteaPeople {
  readonly bot: Account;
  readonly writer: string;
  readonly stranger: string;
}

export async function createPeople(gitea: Gitea): Promise<GiteaPeople> {
  const bot = await gitea.createUser("firebreak-bot");
  await gitea.createUser("wanda");
  await gitea.createUser("sten");
  return { bot, writer: "wanda", stranger: "sten" };
}

let count = 0;

/** On a real Gitea. The product's account administers the repository: only such a one may ask for the rights of others. */
export async function openGiteaWorld(gitea: Gitea, { bot, writer, stranger }: GiteaPeople): Promise<ForgeWorld> {
  count += 1;
  const { owner, name } = await gitea.createRepo(`contract-${count}`);
  const at = `/repos/${owner}/${name}`;
  await gitea.call("PUT", `${at}/collaborators/${bot.name}`, { permission: "admin" });
  await gitea.call("PUT", `${at}/collaborators/${writer}`, { permission: "write" });
  const options: ForgeOptions = {
    kind: "gitea",
    url: gitea.baseUrl,
    repository: `${owner}/${name}`,
    credential: { token: bot.token },
  };
  const push = async (where: string, branch: string, files: Readonly<Record<string, string>>, as: string): Promise<string> => {
    const branches = (await gitea.call("GET", `${where}/branches`)) as { name: string }[];
    const target = branches.some((each) => each.name === branch) ? { branch } : { branch: "main", new_branch: branch };
    const changes: object[] = [];
    for (const [path, text] of Object.entries(files)) {
      const there = (await gitea.call("GET", `${where}/contents/${path}?ref=${target.branch}`).catch(() => undefined)) as
        | { sha: string }
        | undefined;
      const content = Buffer.from(text).toString("base64");
      changes.push(
        there === undefined ? { operation: "create", path, content } : { operation: "update", path, content, sha: there.sha },
      );
    }
    const made = await gitea.call("POST", `${where}/contents`, { ...target, message: "by hand", files: changes }, as);
    return (made as { commit: { sha: string } }).commit.sha;
  };
  return {
    options,
    forge: openForge(options),
    people: { writer, stranger },
    push: async (branch, files, as) => await push(at, branch, files, as),
    async review(pull, verdict, as) {
      const event = { approve: "APPROVED", refuse: "REQUEST_CHANGES", comment: "COMMENT" }[verdict];
      await gitea.call("POST", `${at}/pulls/${pull}/reviews`, { event, body: "looked at it" }, as);
    },
    merge: async (pull) => await mergeOnGitea(gitea, `${at}/pulls/${pull}`, "merge", writer),
    close: async (pull) => void (await gitea.call("PATCH", `${at}/pulls/${pull}`, { state: "closed" }, writer)),
    async openFromFork(branch) {
      await gitea.call("POST", `${at}/forks`, { name: `${name}-fork` }, stranger);
      await push(`/repos/${stranger}/${name}-fork`, branch, { "fork.yaml": "a" }, stranger);
      const wish = { title: "from a fork", head: `${stranger}/${name}-fork:${branch}`, base: "main" };
      return ((await gitea.call("POST", `${at}/pulls`, wish, stranger)) as { number: number }).number;
    },
    async openIssue(title, body) {
      return ((await gitea.call("POST", `${at}/issues`, { title, body }, stranger)) as { number: number }).number;
    },
    async comment(number, body, as) {
      return ((await gitea.call("POST", `${at}/issues/${number}/comments`, { body }, as)) as { id: number }).id;
    },
    deleteComment: async (id) => void (await gitea.call("DELETE", `${at}/issues/comments/${id}`)),
    async issues() {
      const list = (await gitea.call("GET", `${at}/issues?state=all&type=issues&limit=50`)) as {
        number: number;
        state: string;
        title: string;
        labels: { name: string }[];
      }[];
      return list.map((issue) => ({ ...issue, labels: issue.labels.map((label) => label.name) }));
    },
    async reviewersOf(pull) {
      const told = (await gitea.call("GET", `${at}/pulls/${pull}`)) as { requested_reviewers: { login: string }[] | null };
      return (told.requested_reviewers ?? []).map(({ login }) => login);
    },
    async said(commit, check) {
      const list = (await gitea.call("GET", `${at}/commits/${commit}/statuses?sort=oldest`)) as {
        context: string;
        status: string;
        description: string;
      }[];
      return list
        .filter(({ context }) => context === check)
        .map(({ status, description }) => ({ state: status, title: description }));
    },
    // The whole forge goes at the end.
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  };
}

/** Gitea looks in the background whether a pull request can be merged; until then it asks for patience. */
export async function mergeOnGitea(gitea: Gitea, at: string, how: "merge" | "squash" | "rebase", as: string): Promise<void> {
  await until(async () => {
    try {
      await gitea.call("POST", `${at}/merge`, { Do: how }, as);
      return true;
    } catch (error) {
      if (/try again later/i.test(String(error))) return false;
      throw error;
    }
  }, 30_000);
}
