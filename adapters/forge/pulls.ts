import type { ChangedFiles, NewPull, PullChange, PullRequest, Reviewers } from "../../core/forge/forge.ts";
import type { Client, RequestLimits } from "./client.ts";
import { isRateLimit, saidOf, statusOf } from "./failure.ts";
import { addLabels } from "./labels.ts";
import { allPages, PAGE } from "./pages.ts";

/** What both forges tell of a pull request. */
export interface ToldPull {
  readonly number: number;
  readonly node_id?: string;
  readonly title: string;
  readonly body?: string | null;
  readonly user: { readonly login: string } | null;
  readonly state: string;
  readonly draft?: boolean | undefined;
  readonly merged?: boolean;
  readonly merged_at?: string | null;
  readonly merge_commit_sha?: string | null;
  readonly updated_at?: string;
  readonly head: { readonly sha: string; readonly ref: string; readonly repo: { readonly full_name: string } | null };
  readonly base: { readonly sha: string; readonly ref: string; readonly repo: { readonly full_name: string } | null };
  readonly labels?: readonly { readonly name?: string }[] | null;
  readonly html_url: string;
}

/** Where the forges part ways. */
export interface PullDialect {
  /** Stands before the title of a draft: always on Gitea, on GitHub where a repository cannot have real drafts. */
  readonly draftPrefix: string;
  /** Only the prefix makes a draft. */
  readonly isDraftByTitle: boolean;
  /** Turns a real draft on or off. */
  setDraft(pull: ToldPull, isDraft: boolean, request: RequestLimits): Promise<void>;
  /** Pull requests from a branch, others as well, in any order. */
  listFrom(branch: string, state: "open" | "all", request: RequestLimits): Promise<readonly ToldPull[]>;
  /** Pull requests that the forge knows a commit of a branch from. */
  listOf(commit: string, request: RequestLimits): Promise<readonly ToldPull[]>;
}

/** GitHub lists no more. */
const MOST_FILES = 3_000;
const MOST_COMMITS = 250;

/** {@link Forge.listPulls} */
export async function listPulls(
  client: Client,
  dialect: PullDialect,
  base: string,
  signal: AbortSignal,
): Promise<readonly PullRequest[]> {
  return await client.call(`list pull requests into ${base}`, signal, async (request) => {
    const query = { ...client.at, ...PAGE, base, base_branch: base, state: "open" as const, request }; // Gitea: base_branch
    const told = await allPages<ToldPull>((page) => client.octokit.rest.pulls.list({ ...query, page }));
    return told.filter((pull) => pull.base.ref === base).map((pull) => pullOf(client, dialect, pull));
  });
}

/** {@link Forge.listPullsFrom} */
export async function listPullsFrom(
  client: Client,
  dialect: PullDialect,
  branch: string,
  signal: AbortSignal,
): Promise<readonly PullRequest[]> {
  return await client.call(`list pull requests from ${branch}`, signal, async (request) => {
    const told = await dialect.listFrom(branch, "all", request);
    const pulls = told.map((pull) => pullOf(client, dialect, pull));
    return pulls.filter(({ head, isFork }) => head.ref === branch && !isFork).toSorted((a, b) => b.number - a.number);
  });
}

/** {@link Forge.readPull} */
export async function readPull(
  client: Client,
  dialect: PullDialect,
  number: number,
  signal: AbortSignal,
): Promise<PullRequest | undefined> {
  return await client.call(`read pull request #${number}`, signal, async (request) => {
    try {
      return pullOf(client, dialect, await read(client, number, request));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      await client.octokit.rest.repos.get({ ...client.at, request }); // a repository that is away is no missing pull request
      return undefined;
    }
  });
}

/** {@link Forge.readMerged} */
export async function readMerged(
  client: Client,
  dialect: PullDialect,
  commit: string,
  signal: AbortSignal,
): Promise<PullRequest | undefined> {
  return await client.call(`look for the pull request of ${commit}`, signal, async (request) => {
    const pulls = (await dialect.listOf(commit, request)).map((told) => pullOf(client, dialect, told));
    return pulls.find(({ state, mergeCommit }) => state === "merged" && mergeCommit === commit);
  });
}

/** {@link Forge.countCommits} */
export async function countCommits(client: Client, number: number, signal: AbortSignal): Promise<number> {
  return await client.call(`list commits of pull request #${number}`, signal, async (request) => {
    const query = { ...client.at, ...PAGE, pull_number: number, request };
    const commits = await allPages<{ readonly sha: string }>((page) => client.octokit.rest.pulls.listCommits({ ...query, page }));
    return Math.min(commits.length, MOST_COMMITS);
  });
}

/** {@link Forge.readChangedFiles} */
export async function readChangedFiles(client: Client, number: number, signal: AbortSignal): Promise<ChangedFiles> {
  return await client.call(`list files of pull request #${number}`, signal, async (request) => {
    const files = await allPages<{ filename: string; previous_filename?: string }>((page) =>
      client.octokit.rest.pulls.listFiles({ ...client.at, ...PAGE, pull_number: number, page, request }),
    );
    const paths = files.flatMap(({ filename, previous_filename: before }) => (before ? [before, filename] : [filename]));
    return { paths: [...new Set(paths)], isWhole: files.length < MOST_FILES };
  });
}

/** {@link Forge.openPull} */
export async function openPull(
  client: Client,
  dialect: PullDialect,
  pull: NewPull,
  signal: AbortSignal,
): Promise<{ readonly pull: PullRequest; readonly isNew: boolean }> {
  return await client.call(`open a pull request from ${pull.head}`, signal, async (request) => {
    const before = await findOpen(client, dialect, pull, request);
    const told = before ?? (await create(client, dialect, pull, request));
    const opened = pullOf(client, dialect, told.pull);
    await addLabels(client, opened.number, opened.labels, pull.labels, request);
    return { pull: { ...opened, labels: [...new Set([...opened.labels, ...pull.labels])] }, isNew: told.isNew };
  });
}

/** {@link Forge.updatePull} */
export async function updatePull(
  client: Client,
  dialect: PullDialect,
  number: number,
  change: PullChange,
  signal: AbortSignal,
): Promise<PullRequest> {
  return await client.call(`write pull request #${number}`, signal, async (request) => {
    const told = await read(client, number, request);
    const now = pullOf(client, dialect, told);
    const isPrefixed = await settleDraft(dialect, told, change.isDraft ?? now.isDraft, request);
    const title = titleOf(dialect, change.title ?? now.title, isPrefixed);
    const body = change.body ?? now.body;
    // Only what changes: a title sent back as it was read undoes what a person made of it in the meantime ("WIP: " taken away).
    const changed = { ...(title !== told.title && { title }), ...(body !== now.body && { body }) };
    if (Object.keys(changed).length > 0)
      await client.octokit.rest.pulls.update({ ...client.at, pull_number: number, ...changed, request });
    await addLabels(client, number, now.labels, change.labels ?? [], request);
    return pullOf(client, dialect, await read(client, number, request));
  });
}

/** The second half of {@link Forge.closePull}. */
export async function closePull(client: Client, number: number, signal: AbortSignal): Promise<void> {
  await client.call(`close pull request #${number}`, signal, async (request) => {
    const told = await read(client, number, request);
    if (told.state === "open")
      await client.octokit.rest.pulls.update({ ...client.at, pull_number: number, state: "closed", request });
  });
}

/** {@link Forge.requestReviewers}: one by one, since one refusal refuses all. */
export async function requestReviewers(
  client: Client,
  number: number,
  { users, teams }: Reviewers,
  signal: AbortSignal,
): Promise<{ readonly refused: readonly string[] }> {
  return await client.call(`ask for reviews of #${number}`, signal, async (request) => {
    const wishes = [
      ...users.map((name) => ({ name, wish: { reviewers: [name] } })),
      ...teams.map((name) => ({ name, wish: { team_reviewers: [name] } })),
    ];
    const refused: string[] = [];
    for (const { name, wish } of wishes) {
      try {
        await client.octokit.rest.pulls.requestReviewers({ ...client.at, pull_number: number, ...wish, request });
      } catch (error) {
        if (isRateLimit(error) || ![403, 404, 422].includes(statusOf(error) ?? 0)) throw error;
        refused.push(name);
      }
    }
    return { refused };
  });
}

function pullOf({ repository }: Client, dialect: PullDialect, told: ToldPull): PullRequest {
  const isPrefixed = hasPrefix(dialect, told.title);
  const from = told.head.repo?.full_name;
  const isMerged = told.merged === true || typeof told.merged_at === "string";
  return {
    number: told.number,
    title: isPrefixed ? told.title.slice(dialect.draftPrefix.trim().length).trimStart() : told.title,
    body: told.body ?? "",
    author: told.user?.login ?? "",
    state: isMerged ? "merged" : told.state === "open" ? "open" : "closed",
    isDraft: told.draft === true || isPrefixed,
    head: { sha: told.head.sha, ref: told.head.ref, repository: from },
    base: { sha: told.base.sha, ref: told.base.ref },
    isFork: from?.toLowerCase() !== (told.base.repo?.full_name ?? repository).toLowerCase(),
    labels: (told.labels ?? []).flatMap(({ name }) => name ?? []),
    // GitHub tells of an open one the merge that it tried.
    mergeCommit: isMerged ? (told.merge_commit_sha ?? undefined) : undefined,
    updatedAt: told.updated_at ?? "",
    url: told.html_url,
  };
}

async function read({ octokit, at }: Client, number: number, request: RequestLimits): Promise<ToldPull> {
  const { data } = await octokit.rest.pulls.get({ ...at, pull_number: number, request });
  return data;
}

interface Found {
  readonly pull: ToldPull;
  readonly isNew: boolean;
}

async function findOpen(client: Client, dialect: PullDialect, wish: NewPull, request: RequestLimits): Promise<Found | undefined> {
  const told = await dialect.listFrom(wish.head, "open", request);
  const pull = told.find((each) => {
    const { state, isFork, head } = pullOf(client, dialect, each);
    return state === "open" && !isFork && head.ref === wish.head && each.base.ref === wish.base;
  });
  return pull && { pull, isNew: false };
}

async function create(client: Client, dialect: PullDialect, wish: NewPull, request: RequestLimits): Promise<Found> {
  const send = async (draft: boolean): Promise<Found> => {
    const title = titleOf(dialect, wish.title, wish.isDraft && !draft);
    const { head, base, body } = wish;
    const { data } = await client.octokit.rest.pulls.create({ ...client.at, title, body, head, base, draft, request });
    return { pull: data, isNew: true };
  };
  try {
    return await send(wish.isDraft && !dialect.isDraftByTitle);
  } catch (error) {
    const status = statusOf(error);
    if (status !== 409 && status !== 422) throw error;
    // Somebody else was faster, or our own earlier call was done without an answer.
    const found = await findOpen(client, dialect, wish, request);
    if (found !== undefined) return found;
    if (wish.isDraft && !dialect.isDraftByTitle && /draft pull requests are not supported/i.test(saidOf(error)))
      return await send(false);
    throw error;
  }
}

/** Makes it a draft or not, as far as that is no matter of the title. @returns whether the title has to say it */
async function settleDraft(dialect: PullDialect, told: ToldPull, wantsDraft: boolean, request: RequestLimits): Promise<boolean> {
  if (dialect.isDraftByTitle) return wantsDraft;
  const isReal = told.draft === true;
  if (wantsDraft && !isReal && hasPrefix(dialect, told.title)) return true;
  if (isReal !== wantsDraft) await dialect.setDraft(told, wantsDraft, request);
  return false;
}

function hasPrefix(dialect: PullDialect, title: string): boolean {
  return title.toLowerCase().startsWith(dialect.draftPrefix.trim().toLowerCase());
}

function titleOf(dialect: PullDialect, title: string, isPrefixed: boolean): string {
  return isPrefixed ? `${dialect.draftPrefix}${title}` : title;
}
