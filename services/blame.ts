import type { Repository } from "../adapters/git/index.ts";
import { lineBefore } from "../core/explain/blame.ts";
import type { Blame } from "../core/explain/answer.ts";
import type { Position } from "../core/model/note.ts";

/** Commits that are looked through for a line; one that is older is told by the oldest of these. */
const MAX_COMMITS = 50;

/** The last commit on the branch's own line that touched a line; null when the file is not there. */
export async function blameIn(repository: Repository, head: string, at: Position, signal: AbortSignal): Promise<Blame | null> {
  const read = async (commit: string): Promise<string | undefined> => {
    const file = (await repository.readDefinitions(commit, signal)).find(({ path }) => path === at.file);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  };
  const commits = await repository.log(undefined, head, signal, MAX_COMMITS);
  let text = await read(head);
  let line: number | undefined = at.line;
  if (text === undefined) return null;
  for (const [index, { commit, author, message, committedAt }] of commits.entries()) {
    const parent = commits[index + 1];
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
