/** Short commands of the system: run, with input, deadline and captured output. */
import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Default 30 s; then the command is killed. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a command left: `code` is null when a signal ended it. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command and returns what it left, whatever its exit code; throws only when it cannot be started or is aborted. */
export async function tryCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = "", ...args] = argv;
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    signal,
    killSignal: "SIGKILL",
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (cause) => reject(new Error(`run ${argv.join(" ")}`, { cause })));
    child.on("close", resolve);
    // A command may end without reading its input; its exit code says whether that matters.
    child.stdin.on("error", (error: NodeJS.ErrnoException) => (error.code === "EPIPE" ? undefined : reject(error)));
    child.stdin.end(options.input);
  });
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** Runs a command and returns its stdout; throws with its stderr when it ends with anything but 0. */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryCommand(argv, options);
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${String(code)}: ${(stderr || stdout).trim()}`);
  return stdout;
}
