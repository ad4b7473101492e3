/** Long-running processes of the test bed: they end with their owner, whatever ends it. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { startOf } from "./build/lock.mjs";
import { Gone } from "./wait.ts";

export interface DaemonOptions {
  /** What it is, for errors: "etcd of shop-eu". */
  readonly label: string;
  readonly argv: readonly string[];
  /** stdout and stderr are appended here. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What `stop` sends by default; SIGKILL, since nothing here is worth a graceful end. */
  readonly stopSignal?: NodeJS.Signals;
  /** A numeric user and group to become (PostgreSQL refuses root). */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A running process. */
export interface Daemon {
  readonly label: string;
  readonly pid: number;
  /** Clock ticks since boot: (pid, start) names this process for ever. */
  readonly start: string;
  /** Throws {@link Gone}, with the end of its log, when the process has ended: for use inside `waitFor`. */
  check(): void;
  /** Sends the signal (default: `stopSignal`) and waits until the process is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a process in its own session (Ctrl-C in the terminal is its owner's business, not its own). On Linux the kernel kills it
 * when its owner dies, however that happens (`setpriv --pdeathsig`).
 */
export function startDaemon({ label, argv, logFile, env, cwd, user, stopSignal = "SIGKILL" }: DaemonOptions): Daemon {
  const log = openSync(logFile, "a");
  const [program = "", ...args] = [...guard(user), ...argv];
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  let ended: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      ended = `could not be started: ${error.message}`;
      resolve();
    });
    child.once("exit", (code, signal) => {
      ended = `ended with ${signal ?? String(code)}`;
      resolve();
    });
  });
  child.unref();
  const pid = child.pid;
  if (pid === undefined) throw new Error(`start ${label}: ${program} is not there`);
  return {
    label,
    pid,
    start: startOf(pid) ?? "gone",
    check() {
      if (ended !== undefined) throw new Gone(`${label} ${ended}; end of ${logFile}:\n${tail(logFile)}`);
    },
    async stop(signal = stopSignal) {
      if (ended === undefined) child.kill(signal);
      child.ref();
      await gone;
    },
  };
}

function guard(user: DaemonOptions["user"]): readonly string[] {
  if (process.platform !== "linux") return [];
  const identity = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  return ["setpriv", "--pdeathsig", "KILL", ...identity];
}

function tail(path: string): string {
  return readFileSync(path, "utf8").slice(-2000);
}
