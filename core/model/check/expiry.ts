import type { Definitions } from "../kinds.ts";
import type { Note } from "../note.ts";

const DAY_MS = 86_400_000;
/** Policies that end within so many days are noted: long enough to ask for a review. */
const SOON_DAYS = 14;

/** Policies that have ended, and that end soon. What has ended allows nothing; the isolation of its segments stays. */
export function noteExpiry({ policies }: Definitions, now: number): readonly Note[] {
  return [...policies.values()].flatMap(({ name, expires, at }): readonly Note[] => {
    if (expires === undefined || expires - now > SOON_DAYS * DAY_MS) return [];
    const when = new Date(expires).toISOString().replace("T00:00:00.000Z", "");
    if (expires <= now) {
      return [
        {
          severity: "warning",
          code: "policy-ended",
          at,
          summary: `policy ${name} ended on ${when}: its rules allow nothing any more`,
          detail: "Remove it, or give it a new expires",
        },
      ];
    }
    const days = Math.ceil((expires - now) / DAY_MS);
    return [
      {
        severity: "info",
        code: "policy-ends-soon",
        at,
        summary: `policy ${name} ends on ${when}, in ${days} day${days === 1 ? "" : "s"}: what only it allows is closed then`,
        detail: "Nothing to do if that is meant",
      },
    ];
  });
}
