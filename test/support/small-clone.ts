import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SourceFile } from "../../core/model/source.ts";

const WHO = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Ann Author",
  GIT_AUTHOR_EMAIL: "ann@example.org",
  GIT_COMMITTER_NAME: "Cob Committer",
  GIT_COMMITTER_EMAIL: "cob@example.org",
};

/** A clone in a folder of its own, without a server; removed at the end of the block. Authors and dates are the same in every run. */
export class SmallClone implements Disposable {
  readonly folder: string;
  #commits = 0;

  constructor(files: Readonly<Record<string, string>>, message = "the first definitions") {
    this.folder = mkdtempSync(join(tmpdir(), "firebreak-clone-"));
    this.git("init", "-q", "-b", "main", ".");
    this.commit(files, message);
  }

  /** Runs git in it; what it prints. Throws with what it says when it fails. */
  git(...args: readonly string[]): string {
    return this.feed("", ...args);
  }

  /** As `git`, with something on standard input. */
  feed(input: string, ...args: readonly string[]): string {
    const date = `2026-11-0${this.#commits + 1}T08:00:00Z`;
    const env = { PATH: process.env["PATH"], HOME: this.folder, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date, ...WHO };
    const { status, stdout, stderr } = spawnSync("git", args, { cwd: this.folder, env, input, encoding: "utf8" });
    if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Writes files, commits all; the commit. */
  commit(files: Readonly<Record<string, string>>, message: string): string {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), text);
    }
    this.git("add", "-A");
    this.git("commit", "-q", "-m", message);
    this.#commits += 1;
    return this.git("rev-parse", "HEAD").trim();
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  /** Every file that git tracks or would add, as it is now. */
  files(): readonly SourceFile[] {
    const paths = this.git("-c", "core.quotePath=false", "ls-files", "-co", "-z")
      .split("\0")
      .filter((path) => path !== "");
    return paths.sort().map((path) => ({ path, bytes: readFileSync(join(this.folder, path)) }));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
