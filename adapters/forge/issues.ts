import { Octokit } from "@octokit/rest";
import { FirebreakError } from "../../core/model/error.ts";

export interface ForgeOptions {
  /** API base URL: `https://api.github.com`, `https://HOST/api/v3`, or `https://HOST/api/v1` for Gitea. */
  readonly url: string;
  readonly token: string;
  /** `owner/name` */
  readonly repository: string;
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
   * @param marker text that the body contains and no other issue's does
   * @returns the issue's number
   * @throws FirebreakError FORGE_FAILED, AUTH_DENIED
   */
  put(known: number | undefined, marker: string, issue: IssueState, signal: AbortSignal): Promise<number>;
}

const TIMEOUT_MS = 20_000;
const PAGE_SIZE = 50;

/** Issues on GitHub or Gitea: the calls used here are the same on both (kept so by the test against a real Gitea). */
export function openIssues(options: ForgeOptions): IssueTracker {
  const [owner = "", repo = ""] = options.repository.split("/");
  const octokit = new Octokit({ baseUrl: options.url.replace(/\/+$/, ""), auth: options.token, userAgent: "firebreak" });

  async function find(marker: string, signal: AbortSignal): Promise<number | undefined> {
    for (let page = 1; ; page++) {
      const { data } = await octokit.issues.listForRepo({
        owner,
        repo,
        state: "all",
        per_page: PAGE_SIZE,
        page,
        request: { signal },
      });
      const hit = data.find((issue) => !issue.pull_request && issue.body?.includes(marker) === true);
      if (hit !== undefined) return hit.number;
      if (data.length < PAGE_SIZE) return undefined;
    }
  }

  /** False when the issue is gone: somebody deleted it. */
  async function update(number: number, issue: IssueState, signal: AbortSignal): Promise<boolean> {
    try {
      await octokit.issues.update({ owner, repo, issue_number: number, ...issue, request: { signal } });
      return true;
    } catch (error) {
      const { status } = error as { status?: number };
      if (status === 404 || status === 410) return false;
      throw error;
    }
  }

  return {
    async put(known, marker, issue, outer) {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(TIMEOUT_MS)]);
      try {
        if (known !== undefined && (await update(known, issue, signal))) return known;
        const found = await find(marker, signal);
        if (found !== undefined && (await update(found, issue, signal))) return found;
        const { data } = await octokit.issues.create({ owner, repo, title: issue.title, body: issue.body, request: { signal } });
        if (issue.state === "closed") {
          await octokit.issues.update({ owner, repo, issue_number: data.number, state: "closed", request: { signal } });
        }
        return data.number;
      } catch (cause) {
        throw forgeError(cause, options.repository);
      }
    },
  };
}

function forgeError(cause: unknown, repository: string): FirebreakError {
  const status = (cause as { status?: number }).status;
  const code = status === 401 || status === 403 ? "AUTH_DENIED" : "FORGE_FAILED";
  return new FirebreakError(code, `write an issue of ${repository}`, { cause });
}
