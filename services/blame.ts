import type { CommitInfo, Repository } from "../adapters/git/index.ts";
import { lineBefore } from "../core/explain/blame.ts";
import type { Blame } from "../core/explain/answer.ts";
import type { Position } from "../core/model/note.ts";
import type { SourceFile } from "../core/model/source.ts";

/** Commits that are looked through for a line: who wrote one that is older is not told. */
const MAX_COMMITS = 50;

/** Who touched a line last, as of one commit. Reads each commit once, however many lines are asked about. */
export function blameIn(repository: Repository, head: string, signal: AbortSignal): (at: Position) => Promise<Blame | null> {
  const known = new Map<string, Promise<readonly SourceFile[]>>();
  const filesAt = (commit: string): Promise<readonly SourceFile[]> => {
    const files = known.get(commit) ?? repository.readDefinitions(commit, signal);
    known.set(commit, files);
    return files;
  };
  let log: Promise<readonly CommitInfo[]> | undefined;
  return async (at) => {
    log ??= repository.log(undefined, head, signal, MAX_COMMITS);
    return await blameLine(filesAt, await log, head, at);
  };
}

/** The last commit on the branch's own line that touched it; null when the file is not there, or history goes further back than is read. */
async function blameLine(
  filesAt: (commit: string) => Promise<readonly SourceFile[]>,
  commits: readonly CommitInfo[],
  head: string,
  at: Position,
): Promise<Blame | null> {
  const read = async (commit: string): Promise<string | undefined> => {
    const file = (await filesAt(commit)).find(({ path }) => path === at.file);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  };
  let text = await read(head);
  let line: number | undefined = at.line;
  if (text === undefined) return null;
  for (const [index, { commit, author, message, committedAt, parents }] of commits.entries()) {
    const parent = commits[index + 1];
    if (parent === undefined && parents.length > 0) return null;
    const before: string | undefined = parent === undefined ? undefined : await read(parent.commit);
    const earlier: number | undefined = before === undefined ? undefined : lineBefore(before, text, line);
    if (earlier === undefined || before === undefined) {
      return { commit, author, at: new Date(committedAt).toISOString(), subject: (message.split("\n", 1)[0] ?? "").slice(0, 200) };
    }
    line = earlier;
    text = before;
  }
  return null;
}
