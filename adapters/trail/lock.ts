/**
 * One owner per folder.
 *
 * The lock is the kernel's: flock(2) on the lock file, which Node cannot call. So a child `flock` (util-linux, busybox) takes it on
 * the file description it inherits from us, and ends; the lock stays as long as our descriptor is open and is gone the moment this
 * process is, however it dies. It holds across containers that share the folder.
 *
 * Where there is no `flock` command (macOS), the owner's process id and start time decide: an owner that is gone, or whose id now
 * belongs to a later process, is taken over. That form cannot see across containers.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, link, open, readFile, rename, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { FirebreakError } from "../../core/ground/error.ts";
import { isSystemError } from "./disk.ts";

/** A lock that is held. */
export interface HeldLock {
  readonly release: () => Promise<void>;
}

/** Takes the lock file. Throws STATE_LOCKED, with who holds it, when another process (or another opening in this one) has it. */
export async function lockFile(path: string): Promise<HeldLock> {
  const file = await open(path, "a+", 0o600);
  try {
    const taken = await takeKernelLock(file);
    if (taken === "refused") throw new FirebreakError("STATE_LOCKED", `open ${path}: it is in use by ${await ownerOf(path)}`);
    if (taken === "no flock command") {
      await file.close();
      return await lockByProcess(`${path}.pid`);
    }
    await file.truncate(0);
    await file.write(`process ${process.pid}\n`);
    return { release: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function takeKernelLock(file: FileHandle): Promise<"taken" | "refused" | "no flock command"> {
  // The short options: busybox knows no others. 3 is where the child finds our descriptor.
  const child = spawn("flock", ["-n", "-x", "3"], { stdio: ["ignore", "ignore", "ignore", file.fd] });
  try {
    const [status] = (await once(child, "exit")) as [number | null];
    if (status === 0) return "taken";
    if (status === 1) return "refused";
    throw new FirebreakError("SYSTEM_PART_MISSING", `lock a folder: the flock command ended with ${String(status)}`);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return "no flock command";
    throw error;
  }
}

/** The lock for machines without `flock`: a file that is linked into place with its content, so that it is never seen empty. */
export async function lockByProcess(path: string): Promise<HeldLock> {
  const mine = `process ${process.pid} started ${await startOf(process.pid)}\n`;
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, "w", 0o600);
  await file.writeFile(mine);
  await file.close();
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await link(temporary, path);
        return { release: () => rm(path, { force: true }) };
      } catch (error) {
        if (!isSystemError(error, "EEXIST")) throw error;
      }
      const owner = await ownerOf(path);
      if (await isAlive(owner)) throw new FirebreakError("STATE_LOCKED", `open ${path}: it is in use by ${owner}`);
      await removeStale(path, owner);
    }
    throw new FirebreakError("STATE_LOCKED", `open ${path}: others keep taking it`);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Moves a dead owner's lock away; what turns out to be another one's, taken in between, is put back. */
async function removeStale(path: string, owner: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return;
    throw error;
  }
  if ((await ownerOf(aside)) !== owner) await link(aside, path);
  await rm(aside, { force: true });
}

async function ownerOf(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim() || "an unnamed process";
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return "nobody";
    throw error;
  }
}

async function isAlive(owner: string): Promise<boolean> {
  const [, pid, started] = /^process ([0-9]+) started (.+)$/.exec(owner) ?? [];
  return pid !== undefined && started !== "never" && (await startOf(Number(pid))) === started;
}

/** When a process started, as text that differs for a later process with the same id; `never` when there is none. */
async function startOf(pid: number): Promise<string> {
  try {
    // Field 22 of proc(5) stat, counted after the command name, which may hold anything.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "never";
  } catch (error) {
    if (!isSystemError(error, "ENOENT") && !isSystemError(error, "ESRCH")) throw error;
  }
  if (process.platform === "linux") return "never";
  const listed = promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)], { env: { ...process.env, LC_ALL: "C" } });
  return listed.then(
    ({ stdout }) => stdout.trim() || "never",
    (error: unknown) => {
      if (isSystemError(error, "ENOENT")) throw error;
      return "never";
    },
  );
}
