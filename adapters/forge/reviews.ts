import type { Permission, Review } from "../../core/forge/forge.ts";
import type { Client } from "./client.ts";
import { statusOf } from "./failure.ts";
import { allPages, PAGE } from "./pages.ts";

/** GitHub's words and Gitea's. Those left out are no reviews (yet): PENDING, REQUEST_REVIEW. */
const STATES: Readonly<Record<string, Review["state"]>> = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "changes-requested", // GitHub
  REQUEST_CHANGES: "changes-requested", // Gitea
  COMMENTED: "commented", // GitHub
  COMMENT: "commented", // Gitea
  DISMISSED: "dismissed", // GitHub; Gitea keeps the state and sets a flag
};

interface ToldReview {
  readonly state: string;
  readonly user: { readonly login: string } | null;
  readonly commit_id: string | null;
  readonly submitted_at?: string;
  /** Gitea */
  readonly dismissed?: boolean;
}

/** {@link Forge.listReviews}. A review of a deleted account does not count. */
export async function listReviews(client: Client, number: number, signal: AbortSignal): Promise<readonly Review[]> {
  return await client.call(`list reviews of #${number}`, signal, async (request) => {
    const told = await allPages<ToldReview>((page) =>
      client.octokit.rest.pulls.listReviews({ ...client.at, ...PAGE, pull_number: number, page, request }),
    );
    return told.flatMap(({ state: word, user, commit_id: commit, submitted_at: at, dismissed }) => {
      const state = Object.hasOwn(STATES, word) ? STATES[word] : undefined;
      if (state === undefined || !user) return [];
      return [{ author: user.login, state: dismissed === true ? "dismissed" : state, commit: commit ?? "", at: at ?? "" }];
    });
  });
}

/** {@link Forge.readPermission} */
export async function readPermission(client: Client, user: string, signal: AbortSignal): Promise<Permission> {
  return await client.call(`read the rights of ${user}`, signal, async (request) => {
    try {
      const { data } = await client.octokit.rest.repos.getCollaboratorPermissionLevel({ ...client.at, username: user, request });
      return permissionOf(data.permission, data.role_name);
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      await client.octokit.rest.repos.get({ ...client.at, request }); // a repository that is away says 404 as well
      return "none";
    }
  });
}

/** GitHub says `write` for the role `maintain`, Gitea `owner` for its highest; a word we do not know is no right. */
function permissionOf(permission: string, role: string | undefined): Permission {
  if (permission === "admin" || permission === "owner") return "admin";
  if (permission === "write") return role === "maintain" ? "maintain" : "write";
  return permission === "read" ? "read" : "none";
}
