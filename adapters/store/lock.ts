import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { link, mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { FirebreakError } from "../../core/ground/error.ts";

/** Who holds a state folder. */
interface Owner {
  readonly pid: number;
  /** Start of the process in the kernel's own words; a pid that was given to another process has another. */
  readonly startedAt: string;
  /** Boot and pid namespace in which the pid means something. */
  readonly world: string;
  readonly host: string;
  readonly token: string;
}

/** The owner touches its lock this often, for those who cannot see its process (another container on the same volume). */
const HEARTBEAT_MS = 5_000;
/** A lock of another pid namespace that was not touched for this long belongs to nobody. */
const ABANDONED_MS = 30_000;
const ATTEMPTS = 5;

/**
 * Takes the state folder for this process, making it if it is missing (0700). A dead owner's lock is taken over.
 *
 * @throws STATE_LOCKED naming the pid that has it.
 */
export async function lockStateFolder(folder: string): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "lock");
  const me: Owner = {
    pid: process.pid,
    startedAt: startOf(process.pid) ?? "",
    world: worldOfPids(),
    host: hostname(),
    token: randomUUID(),
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await create(path, me)) return hold(path, me);
    const found = await readOwner(path);
    if (found === undefined) continue;
    if (await isAlive(found.owner, path)) throw locked(folder, found.owner);
    await moveAside(path, found.text, folder);
  }
  throw new FirebreakError(
    "STATE_LOCKED",
    `the lock of ${folder} changes hands all the time: look for processes that start over and over`,
  );
}

/** Complete or absent: written beside, then linked, which fails when somebody was first. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${owner.token}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(JSON.stringify(owner));
  } catch (error) {
    await rm(draft, { force: true }); // a full disk, and a service that starts again and again
    throw error;
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function hold(path: string, owner: Owner): AsyncDisposable {
  const beat = setInterval(() => {
    const now = new Date();
    // A lock that cannot be touched is still ours; the next beat tries again.
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  beat.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(beat);
      const found = await readOwner(path);
      if (found?.owner?.token === owner.token) await rm(path, { force: true });
    },
  };
}

async function readOwner(path: string): Promise<{ readonly text: string; readonly owner: Owner | undefined } | undefined> {
  try {
    const text = await readFile(path, "utf8");
    return { text, owner: parseOwner(text) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined for what is no lock of ours: a machine that lost power may leave an empty file. */
function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startedAt, world, host, token } = value as Record<string, unknown>;
    if (typeof pid !== "number" || typeof startedAt !== "string" || typeof world !== "string") return undefined;
    return { pid, startedAt, world, host: String(host), token: String(token) };
  } catch {
    return undefined; // not JSON: see above
  }
}

async function isAlive(owner: Owner | undefined, path: string): Promise<boolean> {
  if (owner === undefined) return false;
  if (owner.world === worldOfPids()) return startOf(owner.pid) === owner.startedAt && owner.startedAt !== "";
  const [boot] = owner.world.split(" ");
  if (owner.host === hostname() && boot !== worldOfPids().split(" ")[0]) return false;
  const { mtimeMs } = await stat(path);
  return Date.now() - mtimeMs < ABANDONED_MS;
}

/** Takes a dead owner's lock out of the way; if another process was quicker and this is its fresh lock, puts it back. */
async function moveAside(path: string, expected: string, folder: string): Promise<void> {
  const aside = `${path}.dead-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  try {
    const text = await readFile(aside, "utf8");
    if (text === expected) return;
    await link(aside, path).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
    throw locked(folder, parseOwner(text));
  } finally {
    await rm(aside, { force: true });
  }
}

function locked(folder: string, owner: Owner | undefined): FirebreakError {
  const who = owner === undefined ? "another process" : `process ${owner.pid} on ${owner.host}`;
  return new FirebreakError(
    "STATE_LOCKED",
    `${who} uses the state folder ${folder}: stop it, or give this one a folder of its own`,
  );
}

/** Start time in clock ticks since boot; undefined when there is no such process. Elsewhere than on Linux: whether it lives. */
function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return lives(pid) ? "alive" : undefined;
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; fields 3 and on follow the last parenthesis, and 22 is the start.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ESRCH") return undefined;
    throw error;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** `BOOT NAMESPACE` on Linux; elsewhere the host. */
function worldOfPids(): string {
  if (process.platform !== "linux") return `${hostname()} -`;
  return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
