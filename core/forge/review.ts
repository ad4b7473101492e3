import type { Review } from "./forge.ts";

/**
 * Who approves a commit now: the last decision of each (approved, changes requested, dismissed; a mere comment decides nothing), given
 * for exactly this commit. An approval of an earlier head says nothing about this one.
 *
 * @param reviews of one pull request, in the order they were given
 */
export function approversOf(reviews: readonly Review[], commit: string): readonly string[] {
  const last = new Map<string, Review>();
  for (const review of reviews) if (review.state !== "commented") last.set(review.author, review);
  return [...last.values()].filter((review) => review.state === "approved" && review.commit === commit).map(({ author }) => author);
}
