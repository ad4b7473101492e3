import type { Review } from "./forge.ts";

/**
 * Who approves a commit now: the last decision of each (approved, changes requested, dismissed; a mere comment decides nothing), given
 * for exactly this commit. An approval of an earlier head says nothing about this one.
 *
 * @param reviews of one pull request, in the order they were given
 * @param moved when it last went to another base, or its head was put back (ISO 8601): what was said until then was said of another change.
 *   Forges tell times in seconds, so a review in the same second does not count
 */
export function approversOf(reviews: readonly Review[], commit: string, moved?: string): readonly string[] {
  const since = moved === undefined ? -Infinity : Date.parse(moved);
  const last = new Map<string, Review>();
  for (const review of reviews) if (review.state !== "commented") last.set(review.author, review);
  return [...last.values()]
    .filter(
      ({ state, commit: head, at }) => state === "approved" && head === commit && (moved === undefined || Date.parse(at) > since),
    )
    .map(({ author }) => author);
}
