/**
 * Removes what crashed runs left: namespaces with the processes in them, recorded processes, folders.
 *
 * Only things of ours are touched, and only when the process that made them is gone: the owner is part of every name (names.ts),
 * and a recorded process is ended only if its pid still has the start time that was recorded. Runs at the same time are safe.
 */
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { startOf } from "./build/lock.mjs";
import { isAlive, ownerOf } from "./names.ts";

/** Name of the file in a run's folder that lists its processes, one `pid start label` a line. */
export const PROCESSES = "processes";
const NAMESPACES = "/run/netns";

/** Names of the runs that were found dead and removed. `folders` are searched beside the system's temporary folder. */
export function sweep(folders: readonly string[] = []): readonly string[] {
  const dead = new Set<string>();
  const bases = [...new Set([tmpdir(), ...folders])];
  for (const name of [NAMESPACES, ...bases].flatMap(namesIn)) {
    const owner = ownerOf(name);
    if (owner !== undefined && !isAlive(owner)) dead.add(runOf(name));
  }
  for (const runId of dead) removeRun(runId, bases);
  return [...dead].sort();
}

/** Removes everything that carries this run id. Synchronous, so that it also works while the process exits. */
export function removeRun(runId: string, bases: readonly string[]): void {
  const belongs = (name: string): boolean => runOf(name) === runId;
  for (const name of namesIn(NAMESPACES).filter(belongs)) removeNamespace(name);
  for (const base of bases) {
    for (const name of namesIn(base).filter(belongs)) {
      endRecorded(join(base, name, PROCESSES));
      unmountBelow(join(base, name));
      rmSync(join(base, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
  }
}

/** Ends every process in a network namespace of ours and removes it. */
function removeNamespace(name: string): void {
  const pids = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
  for (const pid of (pids.stdout ?? "").split("\n").filter(Boolean)) kill(Number(pid));
  spawnSync("ip", ["netns", "delete", name]); // fails when another sweep was faster: the aim is reached all the same
}

/** A small disk that a test mounted for a state folder; without root there is none. */
function unmountBelow(folder: string): void {
  let mounts: string;
  try {
    mounts = readFileSync("/proc/self/mounts", "utf8");
  } catch {
    return; // not Linux
  }
  for (const line of mounts.split("\n")) {
    const point = line.split(" ")[1] ?? "";
    if (point.startsWith(`${folder}/`)) spawnSync("umount", ["--lazy", point]);
  }
}

function endRecorded(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return; // a run without processes has no such file
  }
  for (const line of text.split("\n").filter(Boolean)) {
    const [pid, start] = line.split(" ");
    if (startOf(Number(pid)) === start) kill(Number(pid));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // ESRCH: it ended by itself
  }
}

/** `fb-1.2.3` of `fb-1.2.3-host-a`. */
function runOf(name: string): string {
  return name.split("-").slice(0, 2).join("-");
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => ownerOf(name) !== undefined);
  } catch {
    return []; // no such folder: nothing of ours in it
  }
}
