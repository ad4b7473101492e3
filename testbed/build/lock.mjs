/** A lock file between processes of one machine, so that two runs do not build the same thing at once. */
import { randomUUID } from "node:crypto";
import { link, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/**
 * When a process started, in clock ticks since boot; undefined when it does not run.
 * The pair (pid, start) names one process for ever: a pid alone is reused. Without /proc (macOS) the start is "unknown".
 *
 * @param {number} pid
 * @returns {string | undefined}
 */
export function startOf(pid) {
  if (process.platform !== "linux") {
    try {
      process.kill(pid, 0);
      return "unknown";
    } catch (error) {
      return error.code === "EPERM" ? "unknown" : undefined;
    }
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // field 3 (state) is fields[0]; 22 is the start
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined; // the folder of a process that is gone cannot be read
  }
}

/**
 * Runs `work` while holding the lock file `path`; waits for a living owner, takes over from a dead one.
 *
 * @template T
 * @param {string} path @param {{log: (line: string) => void, signal?: AbortSignal}} options
 * @param {() => Promise<T>} work @returns {Promise<T>}
 */
export async function withLock(path, { log, signal }, work) {
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    if (await take(path)) break;
    const owner = await readFile(path, "utf8").catch(() => "");
    const [pid, start] = owner.trim().split(" ");
    if (owner !== "" && startOf(Number(pid)) !== start) {
      await rm(path, { force: true }); // two takers at worst build twice, each under its own temporary name
      continue;
    }
    if (!told) log(`waiting for process ${pid}, which builds the same thing`);
    told = true;
    await delay(500, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** Creates the lock with its content in one step: written beside it, then linked, which fails when the lock is there. */
async function take(path) {
  const draft = `${path}.${randomUUID()}.tmp-${process.pid}`; // one per attempt: two takers may share a process
  await writeFile(draft, `${process.pid} ${startOf(process.pid)}\n`);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the temporary folders (`NAME.tmp-PID`) that dead builds left beside `target`. @param {string} target */
export async function removeDeadBuilds(target) {
  const folder = dirname(target);
  for (const name of await readdir(folder)) {
    const pid = /\.tmp-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || !name.startsWith(basename(target))) continue;
    if (startOf(Number(pid)) === undefined) await rm(join(folder, name), { recursive: true, force: true });
  }
}
