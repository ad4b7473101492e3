/** GitHub's endpoints that the forge adapter calls, and what they do to the double's state. */
import { blobSha, type StoredCommit } from "./git.ts";
import type { DoubleCheckRun, DoubleComment, DoubleIssue, DoublePull, GitHubState } from "./state.ts";

export interface Caller {
  readonly login: string;
  /** An App's installation: may make check runs. */
  readonly isApp: boolean;
}

export interface Call {
  readonly state: GitHubState;
  /** `owner/name` */
  readonly repository: string;
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Held to GitHub's schema before. */
  readonly body: Body;
}

/** The fields that any of the routes read. */
interface Body {
  readonly [key: string]: unknown;
  readonly title?: string;
  readonly body?: string;
  readonly state?: "open" | "closed";
  readonly head?: string;
  readonly base?: string;
  readonly draft?: boolean;
  readonly labels?: readonly string[];
  readonly reviewers?: readonly string[];
  readonly team_reviewers?: readonly string[];
  readonly name?: string;
  readonly head_sha?: string;
  readonly external_id?: string;
  readonly conclusion?: string;
  readonly output?: {
    readonly title?: string;
    readonly summary?: string;
    readonly annotations?: readonly { readonly path: string; readonly start_line: number; readonly message: string }[];
  };
  readonly context?: string;
  readonly description?: string;
  readonly target_url?: string;
  readonly ref?: string;
  readonly sha?: string;
  readonly force?: boolean;
  readonly message?: string;
  readonly parents?: readonly string[];
  readonly base_tree?: string;
  readonly tree?: unknown;
}

export class Refusal extends Error {
  readonly status: number;
  readonly errors: readonly unknown[] | undefined;

  constructor(status: number, message: string, errors?: readonly unknown[]) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

/** A list is paged by the server. */
type Route = (call: Call) => readonly [status: number, data: unknown];

const R = "/repos/{owner}/{repo}";

export const ROUTES: Readonly<Record<string, Route>> = {
  "GET /user": ({ caller }) => {
    if (caller.isApp) throw new Refusal(403, "Resource not accessible by integration");
    return [200, { login: caller.login, id: 1, type: "User" }];
  },
  "GET /app": () => [200, { id: 7, slug: "firebreak-app", name: "Firebreak" }],
  "POST /app/installations/{installation_id}/access_tokens": () => [
    201,
    { token: "installation-token", expires_at: new Date(Date.now() + 3_600_000).toISOString() },
  ],
  [`GET ${R}`]: ({ repository }) => [200, { id: 1, name: repository.split("/")[1], full_name: repository }],
  [`GET ${R}/collaborators/{username}/permission`]: ({ state, params }) => {
    const role = state.roles.get(params["username"] ?? "");
    if (role === undefined) throw new Refusal(404, `${params["username"]} is not a user`);
    const permission = role === "maintain" ? "write" : role === "triage" ? "read" : role;
    return [200, { permission, role_name: role, user: null }];
  },

  [`GET ${R}/pulls`]: ({ state, query, repository }) => {
    const wanted = query.get("state") ?? "open";
    const [, branch] = (query.get("head") ?? "").split(":");
    const found = state.pulls.filter(
      (pull) =>
        (wanted === "all" || pull.state === wanted) &&
        (branch === undefined || (pull.head === branch && pull.headRepository === repository)) &&
        (query.get("base") ?? pull.base) === pull.base,
    );
    return [200, found.toReversed().map((pull) => simplePull(state, repository, pull))];
  },
  [`GET ${R}/commits/{commit_sha}/pulls`]: ({ state, params, repository }) => {
    if (state.git.at(params["commit_sha"] ?? "") === undefined) throw new Refusal(422, "No commit found for SHA");
    const found = state.pulls.filter(({ mergeCommit }) => mergeCommit === params["commit_sha"]);
    return [200, found.map((pull) => simplePull(state, repository, pull))];
  },
  [`POST ${R}/pulls`]: ({ state, body, caller, repository }) => {
    const { title = "", body: text = "", head = "", base = "", draft = false } = body;
    if (draft && !state.hasDrafts) throw new Refusal(422, "Draft pull requests are not supported in this repository.");
    const at = state.git.at(head);
    const onto = state.git.at(base);
    if (at === undefined || onto === undefined) throw new Refusal(422, "Validation Failed", [{ field: "head", code: "invalid" }]);
    if (state.git.between(onto.sha, at.sha).length === 0)
      throw new Refusal(422, "Validation Failed", [{ message: `No commits between ${base} and ${head}` }]);
    const isSame = (pull: DoublePull): boolean => pull.head === head && pull.headRepository === repository && pull.base === base;
    if (state.pulls.some((pull) => pull.state === "open" && isSame(pull)))
      throw new Refusal(422, "Validation Failed", [{ message: `A pull request already exists for ${head}.` }]);
    const pull: DoublePull = {
      number: state.nextNumber(),
      title,
      body: text,
      author: caller.login,
      draft,
      state: "open",
      mergedAt: null,
      head,
      headRepository: repository,
      base,
      labels: [],
      reviewers: [],
    };
    state.pulls.push(pull);
    return [201, wholePull(state, repository, pull)];
  },
  [`GET ${R}/pulls/{pull_number}`]: (call) => [200, wholePull(call.state, call.repository, pullOf(call))],
  [`PATCH ${R}/pulls/{pull_number}`]: (call) => {
    const pull = pullOf(call);
    Object.assign(pull, picked(call.body, ["title", "body", "state"]));
    return [200, wholePull(call.state, call.repository, pull)];
  },
  [`GET ${R}/pulls/{pull_number}/commits`]: (call) => {
    const { head, base, forkHead } = pullOf(call);
    return [
      200,
      call.state.git.between(call.state.git.at(base)?.sha ?? "", forkHead ?? call.state.git.at(head)?.sha ?? "").map(commitData),
    ];
  },
  [`GET ${R}/pulls/{pull_number}/files`]: (call) => {
    const pull = pullOf(call);
    const before = call.state.git.at(pull.base)?.files ?? new Map<string, string>();
    const after = call.state.git.at(pull.head)?.files ?? new Map<string, string>();
    const paths = [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
    return [200, paths.map((filename) => ({ filename, status: before.has(filename) ? "modified" : "added" }))];
  },
  [`GET ${R}/pulls/{pull_number}/reviews`]: (call) => [
    200,
    call.state.reviews
      .filter(({ pull }) => pull === pullOf(call).number)
      .map(({ author, state, commit, at }) => ({ user: user(author), state, commit_id: commit, submitted_at: at })),
  ],
  [`POST ${R}/pulls/{pull_number}/requested_reviewers`]: (call) => {
    const pull = pullOf(call);
    for (const name of [...(call.body.reviewers ?? []), ...(call.body.team_reviewers ?? [])]) {
      if (name === pull.author) throw new Refusal(422, "Review cannot be requested from pull request author.");
      if (!call.state.roles.has(name)) throw new Refusal(422, "Reviews may only be requested from collaborators.");
      if (!pull.reviewers.includes(name)) pull.reviewers.push(name);
    }
    return [201, simplePull(call.state, call.repository, pull)];
  },

  [`GET ${R}/issues`]: ({ state, query }) => {
    const wanted = query.get("state") ?? "open";
    const issues = [...state.issues, ...state.pulls].filter((issue) => wanted === "all" || issue.state === wanted);
    return [200, issues.toSorted((a, b) => b.number - a.number).map(issueData)];
  },
  [`POST ${R}/issues`]: ({ state, body, caller }) => {
    const { title = "", body: text = "" } = body;
    const number = state.nextNumber();
    const issue: DoubleIssue = { number, title, body: text, author: caller.login, state: "open", closedAt: null, labels: [] };
    state.issues.push(issue);
    return [201, issueData(issue)];
  },
  [`GET ${R}/issues/{issue_number}`]: (call) => [200, issueData(issueOf(call))],
  [`PATCH ${R}/issues/{issue_number}`]: (call) => {
    const issue = issueOf(call);
    const wasOpen = issue.state === "open";
    Object.assign(issue, picked(call.body, ["title", "body", "state"]));
    if ("closedAt" in issue && wasOpen !== (issue.state === "open")) issue.closedAt = wasOpen ? new Date().toISOString() : null;
    return [200, issueData(issue)];
  },
  [`POST ${R}/issues/{issue_number}/labels`]: (call) => {
    const issue = issueOf(call);
    issue.labels = [...new Set([...issue.labels, ...(call.body.labels ?? [])])];
    return [200, issue.labels.map((name) => ({ name }))];
  },
  [`PUT ${R}/issues/{issue_number}/labels`]: (call) => {
    const issue = issueOf(call);
    issue.labels = [...(call.body.labels ?? [])];
    return [200, issue.labels.map((name) => ({ name }))];
  },
  [`GET ${R}/labels`]: ({ state }) => [200, state.labels.map((name) => ({ name }))],
  [`POST ${R}/labels`]: ({ state, body: { name = "" } }) => {
    if (state.labels.includes(name)) throw new Refusal(422, "Validation Failed", [{ code: "already_exists" }]);
    state.labels.push(name);
    return [201, { name }];
  },
  [`GET ${R}/issues/{issue_number}/comments`]: (call) => {
    const { number } = issueOf(call);
    const since = call.query.get("since") ?? "";
    const found = call.state.comments.filter((comment) => comment.number === number && comment.updatedAt >= since);
    return [200, found.map((comment) => commentData(call, comment))];
  },
  [`POST ${R}/issues/{issue_number}/comments`]: (call) => {
    const { state, caller } = call;
    const { body = "" } = call.body;
    if (body.length > 65_536)
      throw new Refusal(422, "Validation Failed", [{ message: "body is too long (maximum is 65536 characters)" }]);
    const now = state.nextTime();
    const made = { id: state.nextId(), number: issueOf(call).number, body, author: caller.login, createdAt: now, updatedAt: now };
    state.comments.push(made);
    return [201, commentData(call, made)];
  },
  [`GET ${R}/issues/comments/{comment_id}`]: (call) => [200, commentData(call, commentOf(call))],
  [`PATCH ${R}/issues/comments/{comment_id}`]: (call) => {
    const comment = commentOf(call);
    const at = call.state.nextTime();
    Object.assign(comment, { body: call.body.body ?? "", updatedAt: at, editedAt: at });
    return [200, commentData(call, comment)];
  },

  [`POST ${R}/check-runs`]: ({ state, caller, body }) => {
    onlyApps(caller);
    const { name = "", head_sha: head = "", external_id: externalId = "", conclusion = null } = body;
    const { title = "", summary = "" } = body.output ?? {};
    const run: DoubleCheckRun = { id: state.nextId(), name, head, externalId, conclusion, title, summary, annotations: [] };
    state.checkRuns.push(run);
    annotate(run, body);
    return [201, runData(run)];
  },
  [`PATCH ${R}/check-runs/{check_run_id}`]: ({ state, caller, params, body }) => {
    onlyApps(caller);
    const run = state.checkRuns.find(({ id }) => id === Number(params["check_run_id"]));
    if (run === undefined) throw new Refusal(404, "Not Found");
    Object.assign(run, picked(body, ["conclusion"]), picked(body.output ?? {}, ["title", "summary"]));
    run.externalId = body.external_id ?? run.externalId;
    annotate(run, body);
    return [200, runData(run)];
  },
  [`GET ${R}/commits/{ref}/check-runs`]: ({ state, params, query }) => {
    const runs = state.checkRuns.filter(({ head, name }) => head === params["ref"] && name === query.get("check_name"));
    return [200, { total_count: runs.length, check_runs: runs.slice(-1).map(runData) }];
  },
  [`POST ${R}/statuses/{sha}`]: ({ state, params, body }) => {
    const {
      context = "default",
      state: word = "",
      description = "",
      target_url: target = null,
    } = body as Body & { state?: string };
    if (description.length > 140) throw new Refusal(422, "Validation Failed", [{ message: "description is too long" }]);
    const status = { sha: params["sha"] ?? "", context, state: word, description, target };
    state.statuses.push(status);
    return [201, statusData(status)];
  },
  [`GET ${R}/commits/{ref}/status`]: ({ state, params }) => {
    const latest = new Map(state.statuses.filter(({ sha }) => sha === params["ref"]).map((status) => [status.context, status]));
    return [200, { sha: params["ref"], total_count: latest.size, statuses: [...latest.values()].map(statusData) }];
  },

  [`GET ${R}/branches/{branch}`]: ({ state, params }) => {
    const branch = params["branch"] ?? "";
    const head = state.git.branches.get(branch);
    if (head === undefined) throw new Refusal(404, "Branch not found");
    return [200, { name: branch, commit: { sha: head } }];
  },
  [`POST ${R}/git/refs`]: ({ state, body: { ref = "", sha = "" } }) => {
    const branch = ref.replace("refs/heads/", "");
    if (state.git.branches.has(branch)) throw new Refusal(422, "Reference already exists");
    if (!state.git.commits.has(sha)) throw new Refusal(422, "Object does not exist");
    state.git.branches.set(branch, sha);
    return [201, { ref, object: { type: "commit", sha } }];
  },
  [`DELETE ${R}/git/refs/{ref}`]: ({ state, params }) => {
    if (!state.git.branches.delete(branchOf(params))) throw new Refusal(422, "Reference does not exist");
    return [204, undefined];
  },
  [`PATCH ${R}/git/refs/{ref}`]: ({ state, params, body: { sha = "", force = false } }) => {
    const branch = branchOf(params);
    const head = state.git.branches.get(branch);
    if (head === undefined) throw new Refusal(422, "Reference does not exist");
    if (!force && !state.git.ancestors(sha).has(head)) throw new Refusal(422, "Update is not a fast forward");
    state.git.branches.set(branch, sha);
    return [200, { ref: `refs/heads/${branch}`, object: { type: "commit", sha } }];
  },
  [`GET ${R}/git/commits/{commit_sha}`]: ({ state, params }) => {
    const commit = state.git.commits.get(params["commit_sha"] ?? "");
    if (commit === undefined) throw new Refusal(404, "Not Found");
    return [200, { sha: commit.sha, message: commit.message, tree: { sha: state.git.treeOf(commit.files) } }];
  },
  [`POST ${R}/git/trees`]: ({ state, body }) => {
    const files = new Map(state.git.trees.get(body.base_tree ?? "") ?? []);
    for (const { path, content } of body.tree as { path: string; content?: string }[]) {
      if (content !== undefined) files.set(path, content);
      else if (!files.delete(path)) throw new Refusal(422, "GitRPC::BadObjectState");
    }
    return [201, { sha: state.git.treeOf(files) }];
  },
  [`POST ${R}/git/commits`]: ({ state, body, caller }) => {
    const files = state.git.trees.get(String(body.tree));
    if (files === undefined) throw new Refusal(422, "Tree SHA does not exist");
    const commit = state.git.commit(files, body.parents ?? [], body.message ?? "", caller.login);
    return [201, { sha: commit.sha, message: commit.message }];
  },
  [`GET ${R}/git/blobs/{file_sha}`]: ({ state, params }) => {
    const texts = [...state.git.commits.values()].flatMap(({ files }) => [...files.values()]);
    const text = texts.find((each) => blobSha(each) === params["file_sha"]);
    if (text === undefined) throw new Refusal(404, "Not Found");
    return [200, { sha: params["file_sha"], content: Buffer.from(text).toString("base64"), encoding: "base64" }];
  },
  [`GET ${R}/compare/{basehead}`]: ({ state, params }) => {
    const [base, head] = (params["basehead"] ?? "").split("...").map((ref) => state.git.at(ref)?.sha);
    if (base === undefined || head === undefined) throw new Refusal(404, "Not Found");
    const commits = state.git.between(base, head);
    return [200, { status: "ahead", total_commits: commits.length, commits: commits.map(commitData) }];
  },
  [`GET ${R}/contents/{path}`]: ({ state, params, query }) => {
    const path = params["path"] ?? "";
    const files = state.git.at(query.get("ref") ?? "main")?.files;
    if (files === undefined) throw new Refusal(404, `No commit found for the ref ${query.get("ref")}`);
    const text = files.get(path);
    if (text === undefined) throw new Refusal(404, "Not Found");
    const isBig = text.length > 1_000_000;
    const content = isBig
      ? { encoding: "none", content: "" }
      : { encoding: "base64", content: Buffer.from(text).toString("base64").replaceAll(/.{60}/g, "$&\n") };
    return [200, { type: "file", path, name: path, sha: blobSha(text), size: text.length, ...content }];
  },
  [`GET ${R}/commits/{ref}`]: ({ state, params }) => {
    const commit = state.git.at(params["ref"] ?? "");
    if (commit === undefined) throw new Refusal(422, `No commit found for SHA: ${params["ref"]}`);
    return [200, commitData(commit)];
  },
};

/** GraphQL: only drafts, which REST cannot turn on and off. */
export function graphql(
  state: GitHubState,
  body: {
    readonly query: string;
    readonly variables: { readonly id: string; readonly ids?: readonly string[]; readonly number?: number };
  },
): unknown {
  const { ids, number: asked } = body.variables;
  if (body.query.includes("lastEditedAt")) {
    const found = (ids ?? []).map((id) => state.comments.find((comment) => `IC_${comment.id}` === id));
    return {
      data: { nodes: found.map((one) => (one === undefined ? null : { id: `IC_${one.id}`, lastEditedAt: one.editedAt ?? null })) },
    };
  }
  if (body.query.includes("timelineItems")) {
    const moves = state.pulls.find(({ number }) => number === asked)?.moves ?? [];
    return { data: { repository: { pullRequest: { timelineItems: { nodes: moves.map((createdAt) => ({ createdAt })) } } } } };
  }
  const pull = state.pulls.find(({ number }) => `PR_${number}` === body.variables.id);
  if (pull === undefined) return { data: null, errors: [{ type: "NOT_FOUND", message: "Could not resolve to a node" }] };
  const [verb = ""] = /convertPullRequestToDraft|markPullRequestReadyForReview/.exec(body.query) ?? [];
  pull.draft = verb === "convertPullRequestToDraft";
  return { data: { [verb]: { pullRequest: { id: body.variables.id, isDraft: pull.draft } } } };
}

function pullOf({ state, params }: Call): DoublePull {
  const found = state.pulls.find(({ number }) => number === Number(params["pull_number"]));
  if (found === undefined) throw new Refusal(404, "Not Found");
  return found;
}

/** A pull request is an issue, too. */
function issueOf({ state, params }: Call): DoubleIssue | DoublePull {
  const found = [...state.issues, ...state.pulls].find(({ number }) => number === Number(params["issue_number"]));
  if (found === undefined) throw new Refusal(404, "Not Found");
  return found;
}

function commentOf({ state, params }: Call): DoubleComment {
  const found = state.comments.find(({ id }) => id === Number(params["comment_id"]));
  if (found === undefined) throw new Refusal(404, "Not Found");
  return found;
}

function branchOf(params: Readonly<Record<string, string>>): string {
  return (params["ref"] ?? "").replace("heads/", "");
}

function onlyApps({ isApp }: Caller): void {
  if (!isApp) throw new Refusal(403, "You must authenticate via a GitHub App.");
}

function annotate(run: DoubleCheckRun, { output }: Body): void {
  const annotations = output?.annotations ?? [];
  if (annotations.length > 50) throw new Refusal(422, "Invalid request. No more than 50 items are allowed");
  run.annotations.push(...annotations);
}

function picked(body: Readonly<Record<string, unknown>>, keys: readonly string[]): object {
  return Object.fromEntries(keys.filter((key) => body[key] !== undefined).map((key) => [key, body[key]]));
}

function user(login: string): object {
  return { login, type: login.endsWith("[bot]") ? "Bot" : "User" };
}

function simplePull(state: GitHubState, repository: string, pull: DoublePull): object {
  const { number, title, body, author, draft, mergedAt, head, headRepository, base } = pull;
  return {
    number,
    node_id: `PR_${number}`,
    title,
    body,
    user: user(author),
    state: pull.state,
    draft,
    merged_at: mergedAt,
    merge_commit_sha: pull.mergeCommit ?? null,
    updated_at: state.updatedAt(number),
    head: {
      ref: head,
      sha: pull.forkHead ?? state.git.at(head)?.sha ?? "",
      repo: headRepository === null ? null : { full_name: headRepository },
    },
    base: { ref: base, sha: state.git.at(base)?.sha ?? "", repo: { full_name: repository } },
    labels: pull.labels.map((name) => ({ name })),
    html_url: `https://github.test/${repository}/pull/${number}`,
  };
}

function wholePull(state: GitHubState, repository: string, pull: DoublePull): object {
  return { ...simplePull(state, repository, pull), merged: pull.mergedAt !== null };
}

function issueData(issue: DoubleIssue | DoublePull): object {
  const { number, title, body, author, state, labels } = issue;
  const link = { url: "", html_url: "", diff_url: "", patch_url: "" };
  const shared = { number, title, body, user: user(author), state, labels: labels.map((name) => ({ name })) };
  return "head" in issue ? { ...shared, pull_request: link } : { ...shared, closed_at: issue.closedAt };
}

function commentData({ repository }: Call, { id, number, body, author, createdAt, updatedAt }: DoubleComment): object {
  const url = `https://api.github.test/repos/${repository}/issues/${number}`;
  return { id, node_id: `IC_${id}`, body, user: user(author), created_at: createdAt, updated_at: updatedAt, issue_url: url };
}

function runData({ id, name, head, externalId, conclusion, title, summary, annotations }: DoubleCheckRun): object {
  const output = { title, summary, annotations_count: annotations.length };
  const status = conclusion === null ? "in_progress" : "completed";
  return { id, name, head_sha: head, external_id: externalId, status, conclusion, output };
}

function statusData({ context, state, description, target }: GitHubState["statuses"][number]): object {
  return { context, state, description, target_url: target };
}

function commitData({ sha, message, author, parents }: StoredCommit): object {
  const who = { name: author, email: `${author}@example.org` };
  return {
    sha,
    commit: { message, author: who },
    author: { login: author },
    committer: { login: author },
    parents: parents.map((parent) => ({ sha: parent })),
  };
}
