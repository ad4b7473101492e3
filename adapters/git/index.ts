/** Git: the definitions as commits and blobs, without a work tree. */
export { openRepository } from "./repository.ts";
export type { Repository, RepositoryOptions } from "./repository.ts";
export type { CommitInfo } from "./commit.ts";
export type { GitAuth } from "./remote.ts";
export { doGitWork, type GitWork, type GitWorker } from "./work.ts";
