import { hasMarker, markedBody } from "../../core/forge/comment.ts";
import type { ForgeComment, PutComment, StickyComment } from "../../core/forge/forge.ts";
import type { Client, RequestLimits } from "./client.ts";
import type { ForgeDialect } from "./dialect.ts";
import { statusOf } from "./failure.ts";
import { allPages, PAGE, pages } from "./pages.ts";

/** What both forges tell of a comment. */
interface Told {
  readonly id: number;
  readonly node_id?: string;
  readonly body?: string | undefined;
  readonly created_at: string;
  readonly updated_at: string;
  readonly user: { readonly login: string; readonly type?: string } | null;
  readonly issue_url?: string | undefined;
  /** Gitea, for a comment on a pull request; its issue_url is "" then. */
  readonly pull_request_url?: string;
}

/** {@link Forge.putComment}. @param self our account; undefined: any bot's comment with the marker is ours */
export async function putComment(
  client: Client,
  self: string | undefined,
  number: number,
  { marker, body, known }: StickyComment,
  signal: AbortSignal,
): Promise<PutComment> {
  const text = markedBody(marker, body);
  return await client.call(`write a comment on #${number}`, signal, async (request) => {
    const { octokit, at } = client;
    const ours =
      (known === undefined ? undefined : await readKnown(client, number, known, marker, request)) ??
      (await find(client, self, number, marker, request));
    if (ours === undefined) {
      const { data } = await octokit.rest.issues.createComment({ ...at, issue_number: number, body: text, request });
      return { id: data.id, kind: "created" };
    }
    if (isSame(ours.body ?? "", text)) return { id: ours.id, kind: "unchanged" };
    await octokit.rest.issues.updateComment({ ...at, comment_id: ours.id, body: text, request });
    return { id: ours.id, kind: "edited" };
  });
}

/** {@link Forge.listComments} */
export async function listComments(
  client: Client,
  dialect: Pick<ForgeDialect, "findEdited">,
  number: number,
  since: string | undefined,
  signal: AbortSignal,
): Promise<readonly ForgeComment[]> {
  return await client.call(`list comments on #${number}`, signal, async (request) => {
    const from = since === undefined ? {} : { since };
    const told = await allPages<Told>((page) =>
      client.octokit.rest.issues.listComments({ ...client.at, issue_number: number, ...from, ...PAGE, page, request }),
    );
    const comments = told.map(commentOf);
    // Asked only where it matters: of what may be a command and does not show its edit by its times.
    const isAsked = new Set(comments.filter(({ isEdited, body }) => !isEdited && body.includes("/firebreak")).map(({ id }) => id));
    if (isAsked.size === 0) return comments;
    const edited = await dialect.findEdited(
      told.filter(({ id }) => isAsked.has(id)),
      request,
    );
    return comments.map((comment) => (edited.has(comment.id) ? { ...comment, isEdited: true } : comment));
  });
}

function commentOf({ id, user, body, created_at: createdAt, updated_at: updatedAt }: Told): ForgeComment {
  return { id, author: user?.login ?? "", body: body ?? "", createdAt, updatedAt, isEdited: createdAt !== updatedAt };
}

/** The remembered comment while it is still there, on this pull request, with our marker. */
async function readKnown(
  { octokit, at }: Client,
  number: number,
  known: number,
  marker: string,
  request: RequestLimits,
): Promise<Told | undefined> {
  try {
    const { data } = await octokit.rest.issues.getComment({ ...at, comment_id: known, request });
    const told: Told = data;
    const isHere = (told.issue_url || told.pull_request_url)?.endsWith(`/${number}`) === true;
    return isHere && hasMarker(told.body ?? "", marker) ? told : undefined;
  } catch (error) {
    if (statusOf(error) === 404 || statusOf(error) === 410) return undefined;
    throw error;
  }
}

async function find(
  { octokit, at }: Client,
  self: string | undefined,
  number: number,
  marker: string,
  request: RequestLimits,
): Promise<Told | undefined> {
  const list = pages<Told>((page) => octokit.rest.issues.listComments({ ...at, issue_number: number, ...PAGE, page, request }));
  for await (const comment of list) {
    const isOurs = self === undefined ? comment.user?.type === "Bot" : comment.user?.login.toLowerCase() === self.toLowerCase();
    if (isOurs && hasMarker(comment.body ?? "", marker)) return comment;
  }
  return undefined;
}

/** Forges keep line ends and blanks at the end in ways of their own. */
function isSame(there: string, text: string): boolean {
  const plain = (value: string): string => value.replaceAll("\r\n", "\n").trim();
  return plain(there) === plain(text);
}
