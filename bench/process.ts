/** Running a program to its end, with what it cost. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process that has ended. */
export interface FinishedProcess {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall clock, from before it was started. */
  readonly ms: number;
  /** User and system time of it and its children, 10 ms steps; includes whatever else ended meanwhile as a child of ours. */
  readonly cpuMs: number;
}

/** Runs a program to its end; rejects only when it cannot be started. */
export async function runProcess(
  [file = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<FinishedProcess> {
  const cpuBefore = childrenCpuMs();
  const start = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Omit<FinishedProcess, "ms" | "cpuMs">>();
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  child.once("error", reject);
  child.once("close", (status) => resolve({ status, stdout, stderr }));
  child.stdin.end(input);
  const finished = await promise;
  return { ...finished, ms: performance.now() - start, cpuMs: childrenCpuMs() - cpuBefore };
}

/** User and system time of a running process, without its children; ms, in 10 ms steps. */
export function cpuMsOf(pid: number): number {
  const fields = statOf(String(pid));
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const TICK_MS = 10; // USER_HZ is 100 wherever Node runs on Linux

function childrenCpuMs(): number {
  const fields = statOf("self");
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

/** Fields of /proc/PID/stat from the third on (proc(5)); the second may hold spaces. */
function statOf(pid: string): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
