/**
 * Names of everything the test bed makes outside its own memory: network namespaces, folders.
 *
 *   fb-<pid>.<start>.<count>[-<what>]      fb-9ix.2s1f.1-host-ldap-blue-1
 *
 * pid and start (clock ticks since boot) name the owning process for ever, both in base 36: whoever finds such a thing can tell
 * whether its owner still lives, without a registry that could be lost or be wrong.
 */
import { startOf } from "./build/lock.mjs";

/** The process that owns a run. `start` is "0" where the system does not tell (macOS). */
export interface Owner {
  readonly pid: number;
  readonly start: string;
}

const NAME = /^fb-([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]+)(?:-.*)?$/;
let runs = 0;

/** A new run id of this process, unique on this machine. */
export function newRunId(): string {
  runs += 1;
  return `fb-${process.pid.toString(36)}.${ticks(process.pid) ?? "0"}.${runs.toString(36)}`;
}

/** The owner in a name of ours; undefined for every other name. */
export function ownerOf(name: string): Owner | undefined {
  const [, pid, start] = NAME.exec(name) ?? [];
  if (pid === undefined || start === undefined) return undefined;
  return { pid: Number.parseInt(pid, 36), start };
}

/** True while the very process that made the name runs. */
export function isAlive(owner: Owner): boolean {
  return ticks(owner.pid) === owner.start;
}

function ticks(pid: number): string | undefined {
  const start = startOf(pid);
  if (start === undefined) return undefined;
  return start === "unknown" ? "0" : Number(start).toString(36);
}
