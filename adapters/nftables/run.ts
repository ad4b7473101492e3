import { spawn } from "node:child_process";
import { FirebreakError } from "../../core/model/error.ts";

/** A program to run, and how much of it we are willing to bear. */
export interface Run {
  readonly file: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly deadlineMs: number;
  /** Most bytes of stdout; more ends the program. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface RunResult {
  /** Exit status; undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  /** The first 8 KiB. */
  readonly stderr: string;
  /** Why we ended it ourselves, if we did. */
  readonly ended: "deadline" | "size" | undefined;
}

const MAX_STDERR = 8192;

/** The environment of everything we start: no agent, no askpass, one language. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", HOME: "/nonexistent" };

/**
 * Runs a program to its end, deadline, size limit or the signal's abort, whichever is first; it is killed on the last three.
 *
 * Resolves with what happened; throws SYSTEM_PART_MISSING when the program is not there, and the signal's reason on abort.
 */
export async function run({ file, args, input, deadlineMs, maxBytes, signal }: Run): Promise<RunResult> {
  signal.throwIfAborted();
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], env: ENVIRONMENT });
  const stdout: Buffer[] = [];
  let size = 0;
  let stderr = "";
  let ended: RunResult["ended"];
  const stop = (why: RunResult["ended"]): void => {
    ended ??= why;
    child.kill("SIGKILL");
  };
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) stop("size");
    else stdout.push(chunk);
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    if (stderr.length < MAX_STDERR) stderr = (stderr + chunk).slice(0, MAX_STDERR);
  });
  child.stdin.on("error", () => undefined); // EPIPE: it ended without reading everything; its status tells
  const abort = (): void => stop(undefined);
  const timer = setTimeout(() => stop("deadline"), deadlineMs);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (cause) => reject(new FirebreakError("SYSTEM_PART_MISSING", `run ${file}`, { cause })));
      child.once("close", resolve);
      child.stdin.end(input ?? "");
    });
    signal.throwIfAborted();
    return { status: status ?? undefined, stdout: Buffer.concat(stdout).toString("utf8"), stderr, ended };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** One argument for a POSIX shell, whatever is in it. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
