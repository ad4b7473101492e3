/** What the service takes while nothing happens. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { cpuMsOf } from "./process.ts";
import { formatBytes, printFigure } from "./report.ts";
import type { Service } from "./run-service.ts";

const IDLE_MS = 60_000;

/** One minute without anything to do, then memory, and the CPU time of that minute. */
export async function benchIdle(service: Service, when: string): Promise<void> {
  const cpuBefore = cpuMsOf(service.pid);
  const start = performance.now();
  await delay(IDLE_MS); // the one place where waiting is the measurement
  const cpu = (cpuMsOf(service.pid) - cpuBefore) / (performance.now() - start);
  const memory = {
    rss: statusBytes(service.pid, "VmRSS"),
    highest: statusBytes(service.pid, "VmHWM"),
    heap: await service.metric("firebreak_nodejs_heap_size_used_bytes"),
    external: await service.metric("firebreak_nodejs_external_memory_bytes"),
  };
  const ssh = childrenOf(service.pid).map((pid) => statusBytes(pid, "VmRSS"));
  printFigure(
    `idle for a minute: ${when}`,
    [
      `RSS ${formatBytes(memory.rss)} (highest ${formatBytes(memory.highest)})`,
      `heap ${formatBytes(memory.heap)}`,
      `external ${formatBytes(memory.external)}`,
      `CPU ${(100 * cpu).toFixed(1)} % of one core`,
    ].join(" · "),
  );
  if (ssh.length > 0) printFigure("", `and ${ssh.length} ssh processes of ${formatBytes(Math.max(...ssh))} each`);
}

/** A field of /proc/PID/status, which counts in KiB. */
function statusBytes(pid: number, field: string): number {
  const line = readFileSync(`/proc/${pid}/status`, "utf8").match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"));
  return Number(line?.[1]) * 1024;
}

function childrenOf(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) => {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
    return children === "" ? [] : children.split(" ").map(Number);
  });
}
