import type { GitWorker } from "../../adapters/git/index.ts";
import type { Workers } from "./open.ts";
import { valueOf } from "./value.ts";

/** Fetches, and reads what strangers brought, in workers: inflating is as much work as they like. */
export function gitWorker(workers: Workers): GitWorker {
  return async (work, signal) => {
    const isBranch = work.kind === "bundle" || work.kind === "unbundle" || (work.kind === "fetch" && !work.isStrangers);
    const lane = isBranch ? "branch" : "strangers";
    return valueOf(await workers.run("git", work, { lane, signal }), "read the Git repository");
  };
}
