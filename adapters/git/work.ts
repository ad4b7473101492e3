import { bundleOf, unbundle } from "./bundle.ts";
import { readFiles } from "./files.ts";
import { commonAncestors } from "./history.ts";
import { objectsIn } from "./objects.ts";
import { fetchInto, prepare, type FetchRequest, type Remote } from "./remote.ts";

/** What is done in a cache that somebody else sizes, as data: it may be carried out by another process. */
export type GitWork =
  | ({ readonly kind: "fetch"; readonly isStrangers: boolean } & FetchRequest)
  | {
      readonly kind: "read";
      readonly gitdir: string;
      readonly path: string;
      readonly commit: string;
      readonly standIn: string | undefined;
    }
  | { readonly kind: "parted"; readonly gitdir: string; readonly a: string; readonly b: string }
  | { readonly kind: "bundle"; readonly gitdir: string; readonly path: string; readonly commit: string }
  | { readonly kind: "unbundle"; readonly remote: Remote; readonly bundle: Uint8Array };

/** Carries it out: the commit that came, the files, the commits at which two histories parted, or a bundle. */
export async function doGitWork(work: GitWork, signal: AbortSignal): Promise<unknown> {
  switch (work.kind) {
    case "fetch":
      return await fetchInto(work, signal);
    case "read":
      return await readFiles(objectsIn(work.gitdir), work.commit, work.path, signal, work.standIn);
    case "parted":
      return await commonAncestors(objectsIn(work.gitdir), work.a, work.b, signal);
    case "bundle":
      return await bundleOf(objectsIn(work.gitdir), work.commit, work.path, signal);
    case "unbundle":
      await prepare(work.remote, work.remote.gitdir);
      return await unbundle(work.remote.gitdir, work.bundle, signal);
    default:
      return work satisfies never;
  }
}

/** Carries out work, here or elsewhere. */
export type GitWorker = typeof doGitWork;
