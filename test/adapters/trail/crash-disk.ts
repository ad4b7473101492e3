import { basename, dirname } from "node:path";
import type { Disk } from "../../../adapters/trail/disk.ts";

/** What happens at one step of the disk: the step itself fails, it is done and then reported as failed, or the process dies after it. */
export type Fault = { readonly at: number; readonly how: "fails" | "done but reported as failed" | "process dies" };

interface File {
  readonly kind: "file";
  bytes: Uint8Array;
  /** What a power cut leaves for certain; undefined before the first fdatasync. */
  durable: Uint8Array | undefined;
}

interface Folder {
  readonly kind: "folder";
  entries: Map<string, File | Folder>;
  durable: Map<string, File | Folder>;
}

const emptyFolder = (): Folder => ({ kind: "folder", entries: new Map(), durable: new Map() });

/** A disk in memory that knows what is durable and what is not, and that can be stopped at any step. */
export class CrashDisk implements Disk {
  #root = emptyFolder();
  /** Steps done so far: creating, writing, fdatasync, rename, mkdir, remove, fsync of a folder. */
  steps = 0;
  fault: Fault | undefined;
  #isDead = false;
  /** Every content that lay at a path called `checkpoint`, in order: somebody may have read it. */
  readonly seenCheckpoints: string[] = [];

  async readFile(path: string): Promise<Uint8Array | undefined> {
    this.#checkAlive();
    const node = this.#find(path);
    return node?.kind === "file" ? node.bytes : undefined;
  }

  async list(folder: string): Promise<readonly string[]> {
    this.#checkAlive();
    const node = this.#find(folder);
    return node?.kind === "folder" ? [...node.entries.keys()] : [];
  }

  async makeFolder(folder: string): Promise<boolean> {
    const parent = this.#folderOf(folder);
    if (parent.entries.has(basename(folder))) return false;
    await this.#step(() => parent.entries.set(basename(folder), emptyFolder()));
    return true;
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const file: File = { kind: "file", bytes: new Uint8Array(0), durable: undefined };
    const parent = this.#folderOf(path);
    await this.#step(() => parent.entries.set(basename(path), file));
    await this.#step(() => (file.bytes = Uint8Array.from(bytes)));
    await this.#step(() => (file.durable = file.bytes));
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [this.#folderOf(from), this.#folderOf(to)];
    const node = source.entries.get(basename(from));
    if (node === undefined) throw systemError("ENOENT");
    await this.#step(() => {
      source.entries.delete(basename(from));
      target.entries.set(basename(to), node);
      if (basename(to) === "checkpoint" && node.kind === "file") this.seenCheckpoints.push(Buffer.from(node.bytes).toString());
    });
  }

  async syncFolder(folder: string): Promise<void> {
    const node = this.#find(folder);
    if (node?.kind !== "folder") throw systemError("ENOENT");
    await this.#step(() => (node.durable = new Map(node.entries)));
  }

  async remove(path: string): Promise<void> {
    const parent = this.#find(dirname(path));
    if (parent?.kind !== "folder" || !parent.entries.has(basename(path))) return;
    await this.#step(() => parent.entries.delete(basename(path)));
  }

  /** The disk after the process is gone: with `power`, each thing that was not durable is kept, lost or torn as `chance` (0 to 1) says. */
  afterwards(power?: { readonly chance: () => number }): CrashDisk {
    const disk = new CrashDisk();
    disk.#root = power === undefined ? this.#root : (survivors(this.#root, power.chance, new Map()) as Folder);
    return disk;
  }

  #checkAlive(): void {
    if (this.#isDead) throw new Error("the process is dead");
  }

  async #step(work: () => unknown): Promise<void> {
    await Promise.resolve();
    this.#checkAlive();
    this.steps += 1;
    const how = this.fault?.at === this.steps ? this.fault.how : undefined;
    if (how !== "fails") work();
    if (how === "process dies") this.#isDead = true;
    if (how !== undefined) throw systemError("EIO");
  }

  #find(path: string): File | Folder | undefined {
    let node: File | Folder | undefined = this.#root;
    for (const name of path.split("/").filter((part) => part !== ""))
      node = node?.kind === "folder" ? node.entries.get(name) : undefined;
    return node;
  }

  #folderOf(path: string): Folder {
    const folder = this.#find(dirname(path));
    if (folder?.kind !== "folder") throw systemError("ENOENT");
    return folder;
  }
}

function survivors(node: File | Folder, chance: () => number, done: Map<File | Folder, File | Folder>): File | Folder {
  const known = done.get(node);
  if (known !== undefined) return known;
  if (node.kind === "file") {
    const bytes = node.durable === node.bytes ? node.bytes : torn(node, chance());
    const file: File = { kind: "file", bytes, durable: bytes };
    done.set(node, file);
    return file;
  }
  const entries = new Map<string, File | Folder>();
  for (const name of new Set([...node.entries.keys(), ...node.durable.keys()])) {
    const [seen, durable] = [node.entries.get(name), node.durable.get(name)];
    const kept = seen === durable || chance() < 0.5 ? seen : durable;
    if (kept !== undefined) entries.set(name, survivors(kept, chance, done));
  }
  return { kind: "folder", entries, durable: new Map(entries) };
}

/** Not written at all, written whole, or as far as the power lasted. */
function torn({ bytes, durable }: File, chance: number): Uint8Array {
  if (chance < 1 / 3) return durable ?? new Uint8Array(0);
  return chance < 2 / 3 ? bytes : bytes.slice(0, Math.floor(bytes.length * (chance - 2 / 3) * 3));
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
