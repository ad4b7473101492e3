import { createHash } from "node:crypto";
import type { Check } from "../../core/forge/forge.ts";
import { cutText, plainLine } from "./cut.ts";
import type { Client, RequestLimits } from "./client.ts";
import { isRateLimit, statusOf } from "./failure.ts";
import { allPages, PAGE } from "./pages.ts";

/** Most annotations that GitHub takes in one request: docs.github.com, "REST API endpoints for check runs". */
const BATCH = 50;
const MAX_SUMMARY = 65_535;
const MAX_DESCRIPTION = 140;
const MAX_ANNOTATION = 64 * 1_024;

const CONCLUSION = { success: "success", failure: "failure", neutral: "neutral", attention: "neutral", error: "failure" } as const;
/**
 * A status knows no neutral; what does not block must not block here either. What a person must look at is no success all the same: Gitea
 * has `warning` for it, GitHub's statuses nothing better than `pending`. Where the status is required, both keep a merge waiting.
 */
const STATUS = { pending: "pending", success: "success", failure: "failure", neutral: "success", error: "error" } as const;
const ATTENTION = { gitea: "warning", github: "pending" } as const;
/** First word of `external_id`: another App's run of the same name is not ours. */
const OURS = "firebreak ";

/**
 * A check run that says this. False when our rights do not reach: GitHub lets only Apps (also a workflow's own token) make them.
 *
 * Annotations cannot be replaced, only added, fifty at a time. So each text gets a run of its own, named by its digest, open until the
 * last batch is in; a run that was left open is gone on with where its count of annotations says.
 */
export async function putCheckRun(
  client: Client,
  commit: string,
  name: string,
  check: Check,
  request: RequestLimits,
): Promise<boolean> {
  try {
    const run = await openRun(client, commit, name, check, request);
    const { octokit, at } = client;
    for (let sent = run.annotations; sent < check.annotations.length; sent += BATCH) {
      const annotations = check.annotations.slice(sent, sent + BATCH).map(annotationOf);
      await octokit.rest.checks.update({ ...at, check_run_id: run.id, output: { ...outputOf(check), annotations }, request });
    }
    if (run.isOpen && check.state !== "pending")
      await octokit.rest.checks.update({ ...at, check_run_id: run.id, conclusion: CONCLUSION[check.state], request });
    return true;
  } catch (error) {
    if (statusOf(error) === 403 && !isRateLimit(error)) return false;
    throw error;
  }
}

/** The run of this text: there already, made of an open one that has no annotations yet, or new. */
async function openRun(client: Client, commit: string, name: string, check: Check, request: RequestLimits): Promise<Run> {
  const { octokit, at } = client;
  const mark = `${OURS}${digestOf(check)}`;
  const last = await findRun(client, commit, name, request);
  if (last?.mark === mark) return last;
  const details = check.detailsUrl === undefined ? {} : { details_url: check.detailsUrl };
  const text = { external_id: mark, status: "in_progress" as const, ...details, output: outputOf(check), request };
  if (last?.isOpen === true && last.annotations === 0) {
    await octokit.rest.checks.update({ ...at, check_run_id: last.id, ...text });
    return { ...last, mark };
  }
  if (last?.isOpen === true) await octokit.rest.checks.update({ ...at, check_run_id: last.id, conclusion: "cancelled", request });
  const { data } = await octokit.rest.checks.create({ ...at, name, head_sha: commit, ...text });
  return { id: data.id, mark, isOpen: true, annotations: 0 };
}

/** A commit status that says this, unless the last one of this name does. */
export async function putStatus(client: Client, commit: string, name: string, check: Check, request: RequestLimits): Promise<void> {
  const { octokit, at } = client;
  const state = check.state === "attention" ? ATTENTION[client.kind] : STATUS[check.state];
  const description = plainLine(check.title, MAX_DESCRIPTION);
  const target = check.detailsUrl ?? "";
  const latest = await allPages<ToldStatus>(async (page) => {
    const { data, headers } = await octokit.rest.repos.getCombinedStatusForRef({ ...at, ref: commit, ...PAGE, page, request });
    return { data: data.statuses ?? [], headers }; // Gitea says null for none
  });
  const last = latest.find(({ context }) => context === name);
  const isSaid = (last?.state ?? last?.status) === state && (last?.description ?? "") === description;
  if (isSaid && (last?.target_url ?? "") === target) return;
  const wish = { ...at, sha: commit, context: name, state, description, request, ...(target === "" ? {} : { target_url: target }) };
  await octokit.request("POST /repos/{owner}/{repo}/statuses/{sha}", wish as typeof wish & { state: "pending" }); // no type of octokit's knows Gitea's `warning`
}

interface ToldStatus {
  readonly context: string;
  readonly state?: string;
  /** Gitea's word for it. */
  readonly status?: string;
  readonly description?: string | null;
  readonly target_url?: string | null;
}

interface Run {
  readonly id: number;
  /** {@link OURS} and the digest of what it says. */
  readonly mark: string;
  readonly isOpen: boolean;
  /** How many it has. */
  readonly annotations: number;
}

/** The newest run of this name. */
async function findRun({ octokit, at }: Client, commit: string, name: string, request: RequestLimits): Promise<Run | undefined> {
  const runs = await allPages(async (page) => {
    const { data, headers } = await octokit.rest.checks.listForRef({
      ...at,
      ref: commit,
      check_name: name,
      filter: "latest",
      ...PAGE,
      page,
      request,
    });
    return { data: data.check_runs, headers };
  });
  const run = runs.filter(({ external_id: mark }) => mark?.startsWith(OURS)).toSorted((a, b) => b.id - a.id)[0];
  if (run === undefined) return undefined;
  return {
    id: run.id,
    mark: run.external_id ?? "",
    isOpen: run.status !== "completed",
    annotations: run.output.annotations_count,
  };
}

function outputOf({ title, summary }: Check) {
  return { title: plainLine(title, 255), summary: cutText(summary, MAX_SUMMARY) };
}

function annotationOf({ path, line, level, title, message }: Check["annotations"][number]) {
  return {
    path,
    start_line: line,
    end_line: line,
    annotation_level: level,
    title: plainLine(title, 255),
    message: cutText(message, MAX_ANNOTATION),
  };
}

function digestOf(check: Check): string {
  return createHash("sha256").update(JSON.stringify(check)).digest("hex").slice(0, 40);
}
