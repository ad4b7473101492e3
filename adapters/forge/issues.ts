import { Octokit } from "@octokit/rest";
import { FirebreakError } from "../../core/model/error.ts";

export interface ForgeOptions {
  /** API base URL: `https://api.github.com`, `https://HOST/api/v3`, or `https://HOST/api/v1` for Gitea. */
  readonly url: string;
  readonly token: string;
  /** `owner/name` */
  readonly repository: string;
  /** Deadline of one call, ms. */
  readonly timeoutMs?: number;
}

/** Issue text and whether it is open. */
export interface IssueState {
  readonly title: string;
  readonly body: string;
  readonly state: "open" | "closed";
}

export interface IssueTracker {
  /**
   * Makes the issue say this: edits the known one, or finds it by the marker in its body, or opens a new one.
   *
   * @param known number remembered from an earlier call; undefined when there is none
   * @param marker text that the body contains and no other issue's does: an issue without it is never written to
   * @returns the issue's number
   * @throws FirebreakError FORGE_FAILED, AUTH_DENIED
   */
  put(known: number | undefined, marker: string, issue: IssueState, signal: AbortSignal): Promise<number>;
}

const TIMEOUT_MS = 20_000;
const PAGE_SIZE = 100;
/** Newest first; an issue of ours beyond the newest 5,000 (Gitea: 50 a page) is opened anew rather than looked for, for ever. */
const MAX_PAGES = 100;

/** What octokit says while it works; failures are thrown as well. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Issues on GitHub or Gitea: the calls used here are the same on both (kept so by the test against a real Gitea). */
export function openIssues(options: ForgeOptions): IssueTracker {
  const [owner = "", repo = ""] = options.repository.split("/");
  const repository = { owner, repo };
  const octokit = new Octokit({
    baseUrl: options.url.replace(/\/+$/, ""),
    auth: options.token,
    userAgent: "firebreak",
    log: SILENT,
  });

  /** Every call has its own deadline. */
  function within(outer: AbortSignal): { readonly signal: AbortSignal } {
    return { signal: AbortSignal.any([outer, AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)]) };
  }

  async function find(marker: string, signal: AbortSignal): Promise<number | undefined> {
    for (let page = 1; page <= MAX_PAGES; page++) {
      // Gitea calls it `limit`, and caps it; a page that is not full does not mean the last one.
      const size = { per_page: PAGE_SIZE, limit: PAGE_SIZE };
      const { data } = await octokit.issues.listForRepo({ ...repository, ...size, state: "all", page, request: within(signal) });
      const hit = data.find((issue) => !issue.pull_request && issue.body?.includes(marker) === true);
      if (hit !== undefined) return hit.number;
      if (data.length === 0) return undefined;
    }
    return undefined;
  }

  /** False when the number is not our issue (any more): deleted, or of another repository than when it was remembered. */
  async function isOurs(number: number, marker: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { data } = await octokit.issues.get({ ...repository, issue_number: number, request: within(signal) });
      return !data.pull_request && data.body?.includes(marker) === true;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 || status === 410) return false;
      throw error;
    }
  }

  async function update(number: number, { title, body, state }: IssueState, signal: AbortSignal): Promise<number> {
    await octokit.issues.update({ ...repository, issue_number: number, title, body, state, request: within(signal) });
    return number;
  }

  async function open(issue: IssueState, signal: AbortSignal): Promise<number> {
    const { title, body } = issue;
    const { data } = await octokit.issues.create({ ...repository, title, body, request: within(signal) });
    return issue.state === "open" ? data.number : await update(data.number, issue, signal);
  }

  return {
    async put(known, marker, issue, signal) {
      try {
        const ours = known !== undefined && (await isOurs(known, marker, signal)) ? known : await find(marker, signal);
        return ours === undefined ? await open(issue, signal) : await update(ours, issue, signal);
      } catch (cause) {
        throw forgeError(cause, options.repository);
      }
    },
  };
}

function forgeError(cause: unknown, repository: string): FirebreakError {
  const status = statusOf(cause);
  const isDenied = status === 401 || (status === 403 && !isRateLimit(cause));
  return new FirebreakError(isDenied ? "AUTH_DENIED" : "FORGE_FAILED", `write an issue of ${repository}`, { cause });
}

/** GitHub answers 403 when there were too many calls; that passes by itself. */
function isRateLimit(error: unknown): boolean {
  const { headers } = (error as { response?: { headers?: Readonly<Record<string, unknown>> } }).response ?? {};
  return headers?.["x-ratelimit-remaining"] === "0" || headers?.["retry-after"] !== undefined;
}

function statusOf(error: unknown): number | undefined {
  return (error as { status?: number }).status;
}

function nothing(): void {
  // see SILENT
}
