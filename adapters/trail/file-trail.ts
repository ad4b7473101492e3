import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { encodeEntry } from "../../core/audit/encode.ts";
import { assertEntryInput, type Entry, type EntryInput, type EntryOf, type StoredEntry } from "../../core/audit/entry.ts";
import type { AuditOrigin } from "../../core/audit/fields.ts";
import { fillEntry } from "../../core/audit/fill.ts";
import { matchesFilter } from "../../core/audit/filter.ts";
import type { LogFacts } from "../../core/audit/log-facts.ts";
import type { LogReader } from "../../core/audit/reader.ts";
import { TILE_WIDTH } from "../../core/audit/tiles.ts";
import { isSameEvent } from "../../core/audit/same.ts";
import type { EntryPage, ReadRange, Receipt, Trail, TrailReader } from "../../core/audit/trail.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Disk } from "./disk.ts";
import { DurableFiles, TEMPORARY } from "./durable.ts";
import { folderReader, readBundleEntries } from "./files.ts";
import type { HeldLock } from "./lock.ts";
import { type EntryMemory, readStored } from "./memory.ts";
import { Sequencer } from "./sequencer.ts";
import type { LogWriter } from "./writer.ts";

/** Entries under one checkpoint: a bundle's worth, so that a batch touches at most two bundles. */
const MAX_BATCH = 256;

/** Room that must be there for the log to be called writable. */
const PROBE_BYTES = 64 * 1024;

/** How old the checkpoint beside the key may become while entries are appended. */
const HEAD_AGE_MS = 1000;

/** What `openTrail` hands over. */
export interface FileTrailParts {
  readonly folder: string;
  readonly producer: AuditOrigin;
  readonly now: () => Date;
  readonly disk: Disk;
  readonly lock: HeldLock;
  readonly writer: LogWriter;
  /** Of all entries that are there. */
  readonly memory: EntryMemory;
  readonly headFile: string;
  readonly verifierKey: string;
  readonly sealKey: Uint8Array;
  readonly isNew: boolean;
}

/** What the log tells of the applies to a target. */
export interface LoggedApply {
  /** The last one that was read back and found right. */
  readonly applied: EntryOf<"apply.outcome"> | undefined;
  /** One that began after it, and of which that is not known. */
  readonly begun: EntryOf<"apply.intent"> | undefined;
}

interface Pending {
  readonly input: EntryInput;
  readonly time: string;
}

/** The audit log in a folder, open: its one sequencer. Made by `openTrail`. */
export class FileTrail implements Trail, TrailReader, AsyncDisposable {
  readonly folder: string;
  /** The verifier key to hand out, `NAME+HASH+base64`. */
  readonly verifierKey: string;
  /** A secret of whoever holds the log: what is written to targets is sealed with it. */
  readonly sealKey: Uint8Array;
  /** The log began with this process: there was none, or it was set aside. */
  readonly isNew: boolean;
  readonly #parts: FileTrailParts;
  readonly #reader: LogReader;
  readonly #memory: EntryMemory;
  /** What is appended, or undefined: only look what stands. */
  readonly #sequencer: Sequencer<Pending | undefined, Receipt | undefined>;
  #remembered: { readonly checkpoint: string; readonly at: number } | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: FileTrailParts) {
    this.folder = parts.folder;
    this.verifierKey = parts.verifierKey;
    this.sealKey = parts.sealKey;
    this.isNew = parts.isNew;
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#reader = folderReader(parts.folder, parts.disk);
    this.#sequencer = new Sequencer((batch) => this.#integrate(batch), MAX_BATCH);
  }

  /** See {@link Trail}. */
  async append(inputs: readonly EntryInput[]): Promise<readonly Receipt[]> {
    if (this.#closing !== undefined) throw new FirebreakError("AUDIT_UNAVAILABLE", "append to the audit log: it was closed");
    return this.#append(inputs);
  }

  /** See {@link TrailReader}. */
  async read({ from = 0, limit = 256, filter = {} }: ReadRange): Promise<EntryPage> {
    await this.#settle();
    const size = this.size();
    const entries: StoredEntry[] = [];
    for (let seq = this.#memory.firstOf(filter.types, from); seq < size; seq = this.#memory.firstOf(filter.types, seq)) {
      const bundle = Math.floor(seq / TILE_WIDTH);
      const stored = await readBundleEntries(this.#reader, bundle, size);
      for (const bytes of stored.slice(seq - bundle * TILE_WIDTH)) {
        const entry = readStored(bytes, seq);
        if (matchesFilter(entry, filter)) {
          if (entries.length === limit) return { entries, next: seq };
          entries.push(entry);
        }
        seq += 1;
      }
    }
    return { entries };
  }

  /** See {@link TrailReader}. */
  checkpoint(): string {
    return this.#parts.writer.state.checkpoint;
  }

  /** See {@link TrailReader}. */
  size(): number {
    return this.#parts.writer.state.edge.size;
  }

  /** What the log says of targets and pull requests, kept current with every entry. */
  get facts(): LogFacts {
    return this.#memory.facts;
  }

  /**
   * Every intent that has no outcome now, oldest first. Right after opening these are what a crash left behind: whoever applies
   * closes each with an `apply.outcome`, `outcome: "unknown"`, `recovered: true`, before it plans anything new.
   */
  async openIntents(): Promise<readonly EntryOf<"apply.intent">[]> {
    const entries = await Promise.all(this.#memory.openIntents().map((seq) => this.#entry(seq)));
    return entries.filter((entry) => entry.type === "apply.intent");
  }

  /** How a target was left, by the log's word: for a store that is lost, or is an older one. */
  async lastApply(target: string): Promise<LoggedApply> {
    const { applied, begun } = this.#memory.lastApply(target);
    const [outcome, intent] = await Promise.all(
      [applied, begun].map(async (seq) => (seq === undefined ? undefined : await this.#entry(seq))),
    );
    return {
      applied: outcome?.type === "apply.outcome" ? outcome : undefined,
      begun: intent?.type === "apply.intent" ? intent : undefined,
    };
  }

  /**
   * Writes something as large as many entries beside the log, durably, and takes it away: fails when the disk is full or takes no writes,
   * also while nobody appends. @throws AUDIT_UNAVAILABLE
   */
  async probe(): Promise<void> {
    const path = join(this.folder, `${TEMPORARY}probe`);
    try {
      await this.#parts.disk.writeFile(path, new Uint8Array(PROBE_BYTES), 0o600);
    } catch (cause) {
      throw new FirebreakError("AUDIT_UNAVAILABLE", `write to the disk of the audit log in ${this.folder}`, { cause });
    } finally {
      await this.#parts.disk.remove(path).catch(() => undefined); // the next probe writes over it
    }
  }

  /** Logs `log.stopped` after all that waits, and gives the lock back, also when the disk fails (then it throws). */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#append([{ type: "log.stopped", id: `log.stopped/${randomUUID()}`, outcome: "ok" }]);
      await this.#sequencer.idle();
      await this.#remember();
    } catch (cause) {
      throw new FirebreakError("AUDIT_UNAVAILABLE", "close the audit log", { cause });
    } finally {
      await this.#parts.lock.release();
    }
  }

  async #append(inputs: readonly EntryInput[]): Promise<readonly Receipt[]> {
    inputs.forEach(assertEntryInput);
    const time = this.#parts.now().toISOString();
    // All settle before the first error is passed on: nothing of this call is under way when it has failed.
    const results = await Promise.allSettled(inputs.map((input) => this.#sequencer.add({ input, time })));
    return results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value as Receipt; // the cast: every input gets one
    });
  }

  /** After an append that failed it is open which entries stand: readers are told only once that is known. */
  async #settle(): Promise<void> {
    if (this.#parts.writer.isSettled && this.#memory.size === this.size()) return;
    await this.#sequencer.add(undefined);
  }

  /** One batch: what is not in the log yet is written under a new checkpoint, then all get their receipts. */
  async #integrate(batch: readonly (Pending | undefined)[]): Promise<readonly (Receipt | undefined)[]> {
    try {
      const receipts = (await this.#write(batch.filter((pending) => pending !== undefined))).values();
      return batch.map((pending) => (pending === undefined ? undefined : receipts.next().value));
    } catch (cause) {
      if (cause instanceof FirebreakError) throw cause;
      throw new FirebreakError("AUDIT_UNAVAILABLE", `append ${batch.length} entries to the audit log in ${this.folder}`, { cause });
    }
  }

  async #write(batch: readonly Pending[]): Promise<readonly Receipt[]> {
    const { writer, producer } = this.#parts;
    await writer.settle();
    await this.#memory.catchUp(this.#reader, this.size());
    if (this.#isRememberedOld()) await this.#remember();

    const fresh: Entry[] = [];
    const places: { readonly id: string; readonly seq: number; readonly isDuplicate: boolean }[] = [];
    const inBatch = new Map<string, Entry[]>();
    for (const { input, time } of batch) {
      const entry = fillEntry(input, { seq: this.size() + fresh.length, time, origin: producer });
      const namesakes = inBatch.get(input.id) ?? [];
      const known = namesakes.find((other) => isSameEvent(other, entry)) ?? (await this.#find(entry));
      places.push({ id: input.id, seq: (known ?? entry).seq, isDuplicate: known !== undefined });
      if (known !== undefined) continue;
      inBatch.set(input.id, [...namesakes, entry]);
      fresh.push(entry);
    }
    if (fresh.length > 0) {
      await writer.write(fresh.map(encodeEntry));
      // An entry is its own fields.
      for (const entry of fresh) this.#memory.add({ ...entry, fields: { ...entry } });
    }
    return places.map((place) => ({ ...place, checkpoint: this.checkpoint() }));
  }

  /** The stored entry that is this one, if it was appended before. */
  async #find(entry: Entry): Promise<StoredEntry | undefined> {
    for (const seq of this.#memory.ids.candidates(entry.id)) {
      const stored = await this.#entry(seq);
      if (stored.id === entry.id && isSameEvent(stored, entry)) return stored;
    }
    return undefined;
  }

  async #entry(seq: number): Promise<StoredEntry> {
    const bundle = Math.floor(seq / TILE_WIDTH);
    const stored = await readBundleEntries(this.#reader, bundle, this.size());
    return readStored(stored[seq - bundle * TILE_WIDTH] ?? new Uint8Array(0), seq);
  }

  #isRememberedOld(): boolean {
    const now = this.#parts.now().getTime();
    return this.#remembered === undefined || Math.abs(now - this.#remembered.at) >= HEAD_AGE_MS;
  }

  /** Keeps the newest checkpoint beside the key, so that a log which is gone or rolled back is noticed when it is opened again. */
  async #remember(): Promise<void> {
    const { disk, headFile, now } = this.#parts;
    const checkpoint = this.checkpoint();
    if (checkpoint === this.#remembered?.checkpoint) return;
    await new DurableFiles(disk, dirname(headFile)).put([{ path: headFile, bytes: Buffer.from(checkpoint) }]);
    this.#remembered = { checkpoint, at: now().getTime() };
  }
}
