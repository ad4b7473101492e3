import type { Client, RequestLimits } from "./client.ts";

/** What happened to a pull request that makes earlier reviews say nothing of it: another base, or a head that was put back. */
const MOVES = [
  "BASE_REF_CHANGED_EVENT",
  "AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT",
  "BASE_REF_FORCE_PUSHED_EVENT",
  "HEAD_REF_FORCE_PUSHED_EVENT",
] as const;

const QUERY = `query($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) { pullRequest(number: $number) {
    timelineItems(last: 100, itemTypes: [${MOVES.join(", ")}]) { nodes {
      ... on BaseRefChangedEvent { createdAt }
      ... on AutomaticBaseChangeSucceededEvent { createdAt }
      ... on BaseRefForcePushedEvent { createdAt }
      ... on HeadRefForcePushedEvent { createdAt }
    } }
  } }
}`;

interface ToldMoves {
  readonly repository: {
    readonly pullRequest: { readonly timelineItems: { readonly nodes: readonly { readonly createdAt: string }[] } };
  };
}

/** When the last of them happened, on GitHub. */
export async function movedOnGitHub({ octokit, at }: Client, number: number, request: RequestLimits): Promise<string | undefined> {
  const told = await octokit.graphql<ToldMoves>(QUERY, { ...at, number, request });
  return latest(told.repository.pullRequest.timelineItems.nodes.map(({ createdAt }) => createdAt));
}

interface ToldEvent {
  readonly type: string;
  /** Of a push: JSON with `is_force_push`. */
  readonly body: string;
  readonly created_at: string;
}

/** Gitea tells no total of this list: it ends with an empty page. */
const MOST_PAGES = 200;

/**
 * When the last of them happened, on Gitea and Forgejo. Other pushes do not matter, because a review names its head; and their time is when Gitea
 * came to them, which may be after somebody has reviewed them.
 */
export async function movedOnGitea({ octokit, at }: Client, number: number, request: RequestLimits): Promise<string | undefined> {
  const times: string[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const query = { ...at, index: number, page, limit: 50, request };
    const { data } = await octokit.request("GET /repos/{owner}/{repo}/issues/{index}/timeline", query);
    // The cast: no type of octokit's knows Gitea's answer. Gitea says null for none.
    const events = (data ?? []) as readonly ToldEvent[];
    if (events.length === 0) return latest(times);
    times.push(...events.filter(isMove).map((one) => one.created_at));
  }
  throw new Error(`more than ${MOST_PAGES} pages of a timeline`);
}

function isMove({ type, body }: ToldEvent): boolean {
  return type === "change_target_branch" || (type === "pull_push" && !body.includes('"is_force_push":false'));
}

function latest(times: readonly string[]): string | undefined {
  return times.toSorted((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
}
