import type { PullRequest } from "./forge.ts";

/**
 * The order in which pull requests are looked at: first those that do not come from a fork, since only who may write opens them; then one of
 * each author, then the second of each, and so on. Who opens a hundred is in nobody's way.
 */
export function inTurns<Pull extends Pick<PullRequest, "author" | "isFork">>(pulls: readonly Pull[]): readonly Pull[] {
  const turns = new Map<string, number>();
  const placed = pulls.map((pull) => {
    if (!pull.isFork) return { pull, turn: 0 };
    const turn = (turns.get(pull.author) ?? 0) + 1;
    turns.set(pull.author, turn);
    return { pull, turn };
  });
  return placed.sort((a, b) => a.turn - b.turn).map(({ pull }) => pull);
}
