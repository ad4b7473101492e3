import type { IssueState } from "../../core/forge/forge.ts";
import type { Client, RequestLimits } from "./client.ts";
import { statusOf } from "./failure.ts";
import { addLabels } from "./labels.ts";
import { PAGE, pages } from "./pages.ts";

/** What both forges tell of an issue. */
interface Told {
  readonly number: number;
  readonly title: string;
  readonly body?: string | null | undefined;
  readonly state: string;
  readonly labels?: readonly (string | { readonly name?: string })[] | null;
  readonly pull_request?: unknown;
}

/** {@link Forge.putIssue} */
export async function putIssue(
  client: Client,
  known: number | undefined,
  marker: string,
  issue: IssueState,
  signal: AbortSignal,
): Promise<number> {
  return await client.call("write an issue", signal, async (request) => {
    const ours =
      (known === undefined ? undefined : await readOurs(client, known, marker, request)) ?? (await find(client, marker, request));
    const told = ours ?? (await open(client, issue, request));
    const { title, body, state } = issue;
    if (told.title !== title.trim() || told.body !== body || told.state !== state)
      await client.octokit.rest.issues.update({ ...client.at, issue_number: told.number, title, body, state, request });
    const has = (told.labels ?? []).flatMap((label) => (typeof label === "string" ? label : (label.name ?? [])));
    await addLabels(client, told.number, has, issue.labels ?? [], request);
    return told.number;
  });
}

/** Undefined when the number is not our issue (any more): deleted, or of another repository than when it was remembered. */
async function readOurs(
  { octokit, at }: Client,
  number: number,
  marker: string,
  request: RequestLimits,
): Promise<Told | undefined> {
  try {
    const { data } = await octokit.rest.issues.get({ ...at, issue_number: number, request });
    return isOurs(data, marker) ? data : undefined;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 410) return undefined;
    throw error;
  }
}

/** Newest first. */
async function find({ octokit, at }: Client, marker: string, request: RequestLimits): Promise<Told | undefined> {
  const list = pages<Told>((page) =>
    octokit.rest.issues.listForRepo({ ...at, ...PAGE, type: "issues", state: "all", page, request }),
  );
  for await (const issue of list) if (isOurs(issue, marker)) return issue;
  return undefined;
}

async function open({ octokit, at }: Client, { title, body }: IssueState, request: RequestLimits): Promise<Told> {
  const { data } = await octokit.rest.issues.create({ ...at, title, body, request });
  return data;
}

function isOurs({ pull_request: pull, body }: Told, marker: string): boolean {
  return !pull && body?.includes(marker) === true;
}
