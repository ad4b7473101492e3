import type { IssueState } from "../../core/forge/forge.ts";
import type { Client, RequestLimits } from "./client.ts";
import { statusOf } from "./failure.ts";
import { putLabels } from "./labels.ts";
import { PAGE, pages } from "./pages.ts";

/** What both forges tell of an issue. */
interface Told {
  readonly number: number;
  readonly title: string;
  readonly body?: string | null | undefined;
  readonly state: string;
  readonly labels?: readonly (string | { readonly name?: string })[] | null;
  readonly pull_request?: unknown;
  readonly closed_at?: string | null;
  readonly user?: { readonly login?: string } | null;
}

/** {@link Forge.putIssue}; `self` is the account that we are, undefined where the forge does not say. */
export async function putIssue(
  client: Client,
  self: string | undefined,
  known: number | undefined,
  marker: string,
  issue: IssueState,
  signal: AbortSignal,
): Promise<number> {
  const isOurs: Test = ({ pull_request: pull, body, user }) =>
    !pull && body?.includes(marker) === true && (self === undefined || user?.login === self);
  return await client.call("write an issue", signal, async (request) => {
    const remembered = known === undefined ? undefined : await readOurs(client, known, isOurs, request);
    const ours = remembered ?? (await find(client, isOurs, request));
    const told = ours === undefined || isOver(ours, issue, Date.now()) ? await open(client, issue, request) : ours;
    const { title, body, state = told.state as "open" | "closed" } = issue; // forges know these two
    if (told.title !== title.trim() || told.body !== body || told.state !== state)
      await client.octokit.rest.issues.update({ ...client.at, issue_number: told.number, title, body, state, request });
    const has = (told.labels ?? []).flatMap((label) => (typeof label === "string" ? label : (label.name ?? [])));
    await putLabels(client, told.number, has, issue.labels ?? [], issue.ownLabels, request);
    return told.number;
  });
}

/** Closed so long ago that what comes back is another story. */
function isOver({ state, closed_at: closedAt }: Told, issue: IssueState, now: number): boolean {
  if (issue.anewAfterMs === undefined || issue.state === undefined) return false;
  return state === "closed" && typeof closedAt === "string" && Date.parse(closedAt) < now - issue.anewAfterMs;
}

type Test = (issue: Told) => boolean;

/** Undefined when the number is not our issue (any more): deleted, or of another repository than when it was remembered. */
async function readOurs({ octokit, at }: Client, number: number, isOurs: Test, request: RequestLimits): Promise<Told | undefined> {
  try {
    const { data } = await octokit.rest.issues.get({ ...at, issue_number: number, request });
    return isOurs(data) ? data : undefined;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 410) return undefined;
    throw error;
  }
}

/** Newest first. */
async function find({ octokit, at }: Client, isOurs: Test, request: RequestLimits): Promise<Told | undefined> {
  const list = pages<Told>((page) =>
    octokit.rest.issues.listForRepo({ ...at, ...PAGE, type: "issues", state: "all", page, request }),
  );
  for await (const issue of list) if (isOurs(issue)) return issue;
  return undefined;
}

async function open({ octokit, at }: Client, { title, body }: IssueState, request: RequestLimits): Promise<Told> {
  const { data } = await octokit.rest.issues.create({ ...at, title, body, request });
  return data;
}
