/** The Git of the double: commits as maps from path to text, named by what is in them. */
import { createHash } from "node:crypto";

export interface StoredCommit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: string;
  readonly files: ReadonlyMap<string, string>;
}

export class GitStore {
  readonly commits = new Map<string, StoredCommit>();
  readonly trees = new Map<string, ReadonlyMap<string, string>>();
  readonly branches = new Map<string, string>();

  treeOf(files: ReadonlyMap<string, string>): string {
    const sha = hash(JSON.stringify([...files].toSorted(([a], [b]) => (a < b ? -1 : 1))));
    this.trees.set(sha, files);
    return sha;
  }

  commit(files: ReadonlyMap<string, string>, parents: readonly string[], message: string, author: string): StoredCommit {
    const sha = hash(`${this.treeOf(files)} ${parents.join()} ${message} ${author} ${this.commits.size}`);
    const commit = { sha, parents, message, author, files };
    this.commits.set(sha, commit);
    return commit;
  }

  /** A branch's head, or the commit itself. */
  at(ref: string): StoredCommit | undefined {
    return this.commits.get(this.branches.get(ref) ?? ref);
  }

  ancestors(sha: string): ReadonlySet<string> {
    const seen = new Set<string>();
    const open = [sha];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(this.commits.get(next)?.parents ?? []));
    }
    return seen;
  }

  /** Commits of head that base has not, the oldest first. */
  between(base: string, head: string): readonly StoredCommit[] {
    const old = this.ancestors(base);
    return [...this.commits.values()].filter(({ sha }) => this.ancestors(head).has(sha) && !old.has(sha));
  }
}

/** Git's own name of a blob. */
export function blobSha(text: string): string {
  return hash(`blob ${Buffer.byteLength(text)}\0${text}`);
}

function hash(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
