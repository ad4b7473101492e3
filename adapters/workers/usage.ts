import { readFile } from "node:fs/promises";

/** What a process has used so far. */
export interface Usage {
  readonly cpuMs: number;
  /** Resident: with buffers, which are outside of the heap that V8 bounds. */
  readonly memoryMb: number;
}

/** USER_HZ: what Linux tells programs, whatever the kernel counts in. */
const TICKS_PER_SECOND = 100;

/** Undefined where the system does not tell (only Linux does), and when the process is gone. */
export async function readUsage(pid: number | undefined): Promise<Usage | undefined> {
  try {
    const [stat, status] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile(`/proc/${pid}/status`, "utf8")]);
    // proc(5): utime and stime are fields 14 and 15; the name, field 2, may hold anything, so count from its end.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    if (!Number.isFinite(ticks) || !Number.isFinite(kilobytes)) return undefined;
    return { cpuMs: (ticks * 1_000) / TICKS_PER_SECOND, memoryMb: kilobytes / 1_024 };
  } catch {
    return undefined;
  }
}
