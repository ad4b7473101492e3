import type { Client, RequestLimits } from "./client.ts";

/** What a comment is compared by. */
export interface ComparedComment {
  readonly id: number;
  readonly body?: string | undefined;
  readonly created_at: string;
}

interface ToldActivity {
  readonly op_type: string;
  readonly comment_id?: number;
  /** Of a comment: `NUMBER|TEXT`, the text as it was first written; cut after some 200 characters, with an ellipsis. */
  readonly content?: string;
  readonly created: string;
}

/** Newest first, 50 a page: what lies further back is not known. */
const MOST_PAGES = 20;
/** An entry is written after its comment, and times are seconds. */
const SLACK_MS = 60_000;

/**
 * Comments that do not say what they first said, on Gitea and Forgejo, whose times are seconds: an edit within the second of the comment shows in
 * none of them. The repository's activity keeps the text that a comment was made with, and no edit changes it.
 *
 * A comment that is not found there counts as edited: its author may keep his activity private, or it is too old.
 */
export async function editedOnGitea(
  { octokit, at }: Client,
  comments: readonly ComparedComment[],
  request: RequestLimits,
): Promise<ReadonlySet<number>> {
  const open = new Map(comments.map((comment) => [comment.id, comment.body ?? ""]));
  const edited = new Set(open.keys());
  const oldest = Math.min(...comments.map((comment) => Date.parse(comment.created_at)));
  for (let page = 1; page <= MOST_PAGES && open.size > 0; page++) {
    const { data } = await octokit.request("GET /repos/{owner}/{repo}/activities/feeds", { ...at, page, limit: 50, request });
    // The cast: no type of octokit's knows Gitea's answer. Gitea says null for none.
    const activities = (data ?? []) as readonly ToldActivity[];
    for (const { op_type: kind, comment_id: id = 0, content = "" } of activities) {
      const body = open.get(id);
      if (body === undefined || (kind !== "comment_pull" && kind !== "comment_issue")) continue;
      if (isFirstText(content.slice(content.indexOf("|") + 1), body)) edited.delete(id);
      open.delete(id);
    }
    const last = activities.at(-1);
    if (last === undefined || Date.parse(last.created) < oldest - SLACK_MS) break;
  }
  return edited;
}

/** Of a text that was cut only whole lines count, and no command may stand in what is not known. */
function isFirstText(first: string, body: string): boolean {
  const [known, now] = [first, body].map((text) => text.replaceAll("\r\n", "\n"));
  if (known === undefined || now === undefined) return false;
  if (known === now) return true;
  if (!known.endsWith("…")) return false;
  const lines = known.slice(0, known.lastIndexOf("\n") + 1);
  return now.startsWith(lines) && !now.slice(lines.length).includes("/firebreak");
}
