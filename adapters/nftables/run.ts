import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { FirebreakError } from "../../core/ground/error.ts";

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
export async function run({ input = "", deadlineMs, ...limits }: Run): Promise<RunResult> {
  const program = start(limits);
  const timer = setTimeout(() => program.stop("deadline"), deadlineMs);
  program.child.stdin.end(input);
  try {
    return await program.result;
  } finally {
    clearTimeout(timer);
  }
}

/** A program that we talk with: what it answers are lines that begin with {@link ANSWER}; everything else it says is passed over. */
export interface Conversation {
  /**
   * Says something, and waits for the next answer (without its prefix). Undefined when the program ended first, or when it was ended at
   * the deadline: `result` tells. Throws the signal's reason on abort.
   */
  ask(text: string, deadlineMs: number): Promise<string | undefined>;
  /** Says a last thing, if there is one, and gives what became of it. */
  end(text?: string, deadlineMs?: number): Promise<RunResult>;
}

const ANSWER = "=firebreak ";

/** How long a program may take to end once nothing more is said to it. */
const END_MS = 5000;

/** Starts a program to talk with. Whoever starts it must `end` it. */
export function converse(limits: Omit<Run, "input" | "deadlineMs">): Conversation {
  const answers: string[] = [];
  let ring = (): void => undefined;
  let isOver = false;
  let line = "";
  let isHeard = true;
  const program = start(limits, (text) => {
    if (!isHeard) return;
    const end = text.lastIndexOf("\n");
    line += text.slice(0, end + 1); // a line of many megabytes is put together once
    if (end >= 0) {
      answers.push(
        ...line
          .split("\n")
          .filter((one) => one.startsWith(ANSWER))
          .map((one) => one.slice(ANSWER.length)),
      );
      line = "";
      ring();
    }
    line += text.slice(end + 1);
  });
  const over = program.result.finally(() => {
    isOver = true;
    ring();
  });
  over.catch(() => undefined); // told to whoever asks or ends
  return {
    ask: async (text, deadlineMs) => {
      const timer = setTimeout(() => program.stop("deadline"), deadlineMs);
      program.child.stdin.write(text);
      try {
        while (answers.length === 0 && !isOver) await new Promise<void>((resolve) => (ring = resolve));
        const answer = answers.shift();
        if (answer === undefined) await over; // an abort is thrown
        return answer;
      } finally {
        clearTimeout(timer);
      }
    },
    end: async (text = "", deadlineMs = END_MS) => {
      isHeard = false; // what is said from now on is the result's
      program.child.stdin.end(text);
      const timer = setTimeout(() => program.stop("deadline"), deadlineMs);
      try {
        return await over;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly result: Promise<RunResult>;
  readonly stop: (why: RunResult["ended"]) => void;
}

/** Starts a program within its limits of size and life. `onText` hears stdout as it comes. */
function start({ file, args, maxBytes, signal }: Omit<Run, "input" | "deadlineMs">, onText?: (text: string) => void): Program {
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
    if (size > maxBytes) return stop("size");
    stdout.push(chunk);
    onText?.(chunk.toString("latin1"));
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    if (stderr.length < MAX_STDERR) stderr = (stderr + chunk).slice(0, MAX_STDERR);
  });
  child.stdin.on("error", () => undefined); // EPIPE: it ended without reading everything; its status tells
  const abort = (): void => stop(undefined);
  signal.addEventListener("abort", abort, { once: true });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", (cause) => reject(new FirebreakError("SYSTEM_PART_MISSING", `run ${file}`, { cause })));
    child.once("close", resolve);
  });
  const result = closed
    .then((status): RunResult => {
      signal.throwIfAborted();
      return { status: status ?? undefined, stdout: Buffer.concat(stdout).toString("utf8"), stderr, ended };
    })
    .finally(() => signal.removeEventListener("abort", abort));
  return { child, result, stop };
}

/** One argument for a POSIX shell, whatever is in it. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
