import type { GitWorker } from "../../adapters/git/index.ts";
import type { Workers } from "./open.ts";
import { valueOf } from "./value.ts";

/** Fetches, and reads what strangers brought, in workers: inflating is as much work as they like. */
export function gitWorker(workers: Workers): GitWorker {
  return async (work, signal) => {
    const lane = work.kind === "fetch" && !work.isStrangers ? "branch" : "strangers";
    return valueOf(await workers.run("git", work, { lane, signal }), "read the Git repository");
  };
}
