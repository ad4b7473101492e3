import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { createRepository, git, writeCommit, type Change } from "../../testbed/git-repository.ts";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../..");

/** Where the copied workflows find the program. */
export const TOOL = ".github/firebreak";

/** A forge's repository of policies as far as Git goes, below a folder that takes the place of the forge. */
export interface PolicyRepository extends AsyncDisposable {
  /** Holds everything; removed at the end. */
  readonly folder: string;
  /** GITHUB_SERVER_URL and GITHUB_REPOSITORY. */
  readonly environment: Readonly<Record<string, string>>;
  /** Commits on top of another commit, or of `main`; no branch moves unless it is named. */
  commit(change: Partial<Change> & { readonly branch?: string }): Promise<string>;
  readonly main: string;
  readonly path: string;
}

/** The sample organisation under policies/, and beside it the program as workflows/README.md says to put it there. */
export async function openPolicyRepository(): Promise<PolicyRepository> {
  const folder = await mkdtemp(join(tmpdir(), "firebreak-workflows-"));
  const path = join(folder, "acme", "policies.git");
  await mkdir(dirname(path), { recursive: true });
  await createRepository(path, "main");
  const files = { ...(await filesBelow(join(ROOT, "policies", "example"), "policies/")), ...(await toolFiles(folder)) };
  const main = await writeCommit(path, { files, remove: [], message: "policies", parent: undefined });
  await git(path, ["update-ref", "refs/heads/main", main]);
  return {
    folder,
    path,
    main,
    environment: {
      GITHUB_SERVER_URL: `file://${folder}`,
      GITHUB_REPOSITORY: "acme/policies",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
    },
    async commit({ branch, ...change }) {
      const made = await writeCommit(path, { files: {}, remove: [], message: "a change", parent: main, ...change });
      // What a forge keeps for every pull request: without a ref a commit cannot be fetched for long.
      await git(path, ["update-ref", branch === undefined ? `refs/pull/${made.slice(0, 7)}/head` : `refs/heads/${branch}`, made]);
      return made;
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Text of a file of the sample organisation. */
export async function exampleText(path: string): Promise<string> {
  return await readFile(join(ROOT, "policies", "example", path), "utf8");
}

/** What `npm pack` and `npm install` leave, with a package that runs this checkout: what is packed is another test's. */
export async function toolFiles(folder: string): Promise<Record<string, Buffer>> {
  const [source, tool] = [join(folder, "package"), join(folder, "tool")];
  await mkdir(source, { recursive: true });
  await mkdir(tool);
  await writeFile(
    join(source, "package.json"),
    '{"name": "firebreak", "version": "0.1.0", "bin": {"firebreak": "firebreak.mjs"}}\n',
  );
  await writeFile(
    join(source, "firebreak.mjs"),
    `#!/usr/bin/env node\nawait import(${JSON.stringify(join(ROOT, "cli", "firebreak.ts"))});\n`,
  );
  await writeFile(join(tool, "package.json"), '{"private": true}\n');
  const npm = async (cwd: string, ...args: readonly string[]): Promise<unknown> =>
    await run("npm", [...args, "--loglevel=error", "--offline", "--no-audit", "--no-fund"], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: folder },
    });
  await npm(source, "pack", "--pack-destination", tool);
  await npm(tool, "install", "--ignore-scripts", "--package-lock-only", "./firebreak-0.1.0.tgz");
  const names = await readdir(tool);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [`${TOOL}/${name}`, await readFile(join(tool, name))] as const)),
  );
}

async function filesBelow(folder: string, prefix: string): Promise<Record<string, Buffer>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = names.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [`${prefix}${path.slice(folder.length + 1)}`, await readFile(path)] as const)),
  );
}
