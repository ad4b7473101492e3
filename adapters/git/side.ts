import fs from "node:fs";
import { copyFile, link, mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { prepare, type Remote } from "./remote.ts";

/** Of what one side cache may keep beside the branch's packs; then it begins anew. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Of all side caches together; then the oldest go. */
const MOST_BYTES_IN_ALL = 256 * 1024 * 1024;

/**
 * What strangers bring, apart from what the branch holds: one cache for each pull request, one for commits that readers of the API name.
 *
 * Each is a whole repository, because the branch's packs are linked into it (the same files, no copies): a server sends only what is
 * new, and deltas find their bases. What strangers pushed goes with the folder, and the branch's cache never holds it.
 */
export class SideCaches {
  readonly #main: Remote;
  readonly #folder: string;

  /** @param folder holds one folder for each; made when it is needed */
  constructor(main: Remote, folder: string) {
    this.#main = main;
    this.#folder = folder;
  }

  /** The cache of this name, ready to be fetched into and read from, with all that the branch has now. */
  async open(name: string): Promise<Remote> {
    const remote = { ...this.#main, gitdir: join(this.#folder, name) };
    if ((await ownBytes(remote.gitdir)) > MOST_BYTES) await rm(remote.gitdir, { recursive: true, force: true });
    await prepare(remote, remote.gitdir);
    await linkPacks(this.#main.gitdir, remote.gitdir);
    await copyRef(this.#main, remote);
    return remote;
  }

  /** Removes all caches but these. */
  async keep(names: ReadonlySet<string>): Promise<void> {
    for (const name of await list(this.#folder)) {
      if (!names.has(name)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** Removes the oldest until all together are within their quota; this one stays. */
  async trim(current: string): Promise<void> {
    const caches = await Promise.all(
      (await list(this.#folder)).map(async (name) => {
        const gitdir = join(this.#folder, name);
        return { name, gitdir, bytes: await ownBytes(gitdir), usedAt: (await stat(join(gitdir, "config"))).mtimeMs };
      }),
    );
    let bytes = caches.reduce((sum, cache) => sum + cache.bytes, 0);
    for (const cache of caches.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= MOST_BYTES_IN_ALL) return;
      if (cache.name === current) continue;
      await rm(cache.gitdir, { recursive: true, force: true });
      bytes -= cache.bytes;
    }
  }
}

async function linkPacks(from: string, to: string): Promise<void> {
  const target = join(to, "objects", "pack");
  await mkdir(target, { recursive: true });
  const known = new Set(await list(target));
  for (const name of await list(join(from, "objects", "pack"))) {
    if (known.has(name)) continue;
    const [source, copy] = [join(from, "objects", "pack", name), join(target, name)];
    // Not every file system has links; a copy counts against the quota.
    await link(source, copy).catch(async () => await copyFile(source, copy));
  }
}

/** What the server is told that we have: without it, it would send everything. */
async function copyRef({ gitdir, branch }: Remote, to: Remote): Promise<void> {
  const ref = join("refs", "remotes", "origin", branch);
  if (!fs.existsSync(join(gitdir, ref))) return;
  await mkdir(dirname(join(to.gitdir, ref)), { recursive: true });
  await copyFile(join(gitdir, ref), join(to.gitdir, ref));
}

/** Bytes of packs that no other folder has. */
async function ownBytes(gitdir: string): Promise<number> {
  const folder = join(gitdir, "objects", "pack");
  const files = await Promise.all((await list(folder)).map(async (name) => await stat(join(folder, name))));
  return files.reduce((sum, { nlink, size }) => sum + (nlink === 1 ? size : 0), 0);
}

async function list(folder: string): Promise<readonly string[]> {
  return fs.existsSync(folder) ? await readdir(folder) : [];
}
