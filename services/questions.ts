import { countRequests, type RequestKind, type Store } from "../adapters/store/index.ts";
import { FirebreakError } from "../core/ground/error.ts";

/** What is asked of the syncer that changes nothing: who may read may ask. */
export const QUESTIONS: readonly RequestKind[] = ["plan", "inventory", "test", "explain", "reach", "diff", "segments"];

/** How long anybody waits for an answer. */
export const QUESTION_PATIENCE_MS = 110_000;

/** They are answered one after the other; more than these are not answered in time anyway. */
const MOST_WAITING = 16;

/** @throws FirebreakError RATE_LIMITED when this is a question and too many wait already */
export async function makeRoom(store: Store, kind: RequestKind, now: number): Promise<void> {
  if (!QUESTIONS.includes(kind)) return;
  const waiting = await countRequests(store, QUESTIONS, now - QUESTION_PATIENCE_MS);
  if (waiting < MOST_WAITING) return;
  throw new FirebreakError("RATE_LIMITED", `${waiting} questions wait for an answer already; ask again in a moment`);
}
