import { statusOf } from "./failure.ts";
import type { Client, RequestLimits } from "./client.ts";

/**
 * Ids of comments that Gitea or Forgejo keeps earlier versions of. Times are told in seconds, so an edit within the second shows here
 * only. It is a page of the forge and no part of its API, which takes no token: of a repository that only its members see nothing is told, and none of
 * its comments counts as edited.
 */
export async function editedOnGitea(
  { octokit, at }: Client,
  comments: readonly { readonly id: number }[],
  pull: number,
  request: RequestLimits,
): Promise<ReadonlySet<number>> {
  const web = octokit.request.endpoint.DEFAULTS.baseUrl.replace(/\/api\/v1\/?$/, "");
  const asked = new Set(comments.map(({ id }) => id));
  try {
    const { data } = await octokit.request(`GET ${web}/{owner}/{repo}/issues/{pull}/content-history/overview`, {
      ...at,
      pull,
      request,
    });
    return new Set(countedIn(data).filter((id) => asked.has(id)));
  } catch (error) {
    // Not to be seen without an account (a sign-in page, or as if it were not there).
    if ([303, 401, 403, 404].includes(statusOf(error) ?? 0)) return new Set();
    throw error;
  }
}

/** `{"historyCountMap": {"12": 2}}`: comments by id, with their versions. */
function countedIn(data: unknown): readonly number[] {
  const counts = (data as { readonly historyCountMap?: unknown } | null)?.historyCountMap;
  if (typeof counts !== "object" || counts === null) return [];
  return Object.keys(counts).map(Number);
}
