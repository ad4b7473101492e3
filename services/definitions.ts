import type { Repository } from "../adapters/git/index.ts";
import { allowOf } from "../core/config/operator.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { Definitions } from "../core/model/kinds.ts";
import type { Note } from "../core/model/note.ts";
import type { SourceFile } from "../core/model/source.ts";
import { isOverBudget, overBudgetText } from "../adapters/workers/index.ts";
import type { Workers } from "./workers/open.ts";

/** What a commit says: definitions when it is valid, and notes. */
export interface CommitReading {
  readonly definitions: Definitions | undefined;
  readonly notes: readonly Note[];
  /** How many files there were below the path. */
  readonly files: number;
}

/** Revisions are few and asked for again and again: the one in force, the one before, those of orphans. */
const KEPT = 8;

/** Definitions by commit, read from Git and parsed, the newest few kept. Commits never change, so neither does what is kept. */
export class DefinitionSource {
  readonly #repository: Repository;
  readonly #settings: SettingsFile;
  readonly #workers: Workers;
  readonly #kept = new Map<string, Promise<CommitReading>>();

  constructor(repository: Repository, settings: SettingsFile, workers: Workers) {
    this.#repository = repository;
    this.#settings = settings;
    this.#workers = workers;
  }

  /** @throws FirebreakError GIT_UNREACHABLE when the commit is not here and cannot be fetched */
  async read(commit: string, signal: AbortSignal): Promise<CommitReading> {
    const known = this.#kept.get(commit);
    if (known !== undefined) return await known;
    const reading = this.#read(commit, signal);
    this.#kept.set(commit, reading);
    reading.catch(() => this.#kept.delete(commit));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldest);
    }
    return await reading;
  }

  /**
   * The definitions of a commit that was accepted once.
   *
   * @throws FirebreakError REVISION_INVALID when it is no longer valid: firebreak.yaml allows less, or this version understands more
   */
  async accepted(commit: string, signal: AbortSignal): Promise<Definitions> {
    const { definitions, notes } = await this.read(commit, signal);
    if (definitions !== undefined) return definitions;
    const first = notes.find((note) => note.severity === "error")?.summary ?? "no definitions";
    throw new FirebreakError("REVISION_INVALID", `revision ${commit} was accepted and is not valid any more: ${first}`);
  }

  async #read(commit: string, signal: AbortSignal): Promise<CommitReading> {
    let files: readonly SourceFile[];
    try {
      files = await this.#repository.readDefinitions(commit, signal);
    } catch (error) {
      // Too many files, or too large ones: the author's to mend, so a refusal of the commit and no failure of Git.
      if (!(error instanceof FirebreakError) || error.code !== "LIMIT_EXCEEDED") throw error;
      return tooLarge(error.message, 0);
    }
    const outcome = await this.#workers.run("parse", { files, allow: allowOf(this.#settings) }, { lane: "branch", signal });
    if (outcome.kind === "done") return { ...outcome.value, files: files.length };
    if (isOverBudget(outcome)) return tooLarge(`the definitions are ${overBudgetText(outcome)} to read`, files.length);
    throw outcome.error;
  }
}

function tooLarge(summary: string, files: number): CommitReading {
  const note: Note = { severity: "error", code: "too-large", summary };
  return { definitions: undefined, notes: [note], files };
}
