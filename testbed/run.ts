/** One run of the test bed: its id, its folder, its processes, and the promise that nothing of it stays. */
import { appendFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemon, type Daemon, type DaemonOptions } from "./daemon.ts";
import { newRunId } from "./names.ts";
import { PROCESSES, removeRun, sweep } from "./sweep.ts";

/** What everything in the test bed is started in. Dispose it (or `close()`) and nothing is left. */
export interface Run extends AsyncDisposable {
  /** Prefix of every namespace and folder: `fb-<pid>.<start>.<count>`. */
  readonly id: string;
  /** The run's own folder, mode 0711; removed at the end. */
  readonly folder: string;
  /** Runs that had crashed and were removed when this one was opened. */
  readonly swept: readonly string[];
  /** Starts a process that ends with the run; `logFile` defaults to a file in the run's folder. */
  start(options: Omit<DaemonOptions, "logFile"> & { readonly logFile?: string }): Daemon;
  /** Something to undo at the end; the last one registered is undone first. */
  defer(undo: () => Promise<void> | void): void;
  /** A fresh folder inside the run's. */
  makeFolder(name: string): string;
  /** A fresh folder in the system's temporary folder, for servers that run as another user and cannot enter `folder`. */
  makePublicFolder(name: string): string;
  close(): Promise<void>;
}

/** Where the run's folder goes; the system's temporary folder by default. */
export interface RunOptions {
  readonly folder?: string;
}

const open = new Map<string, readonly string[]>();

/** Sweeps what crashed runs left, then opens a new one. */
export function openRun({ folder: base = tmpdir() }: RunOptions = {}): Run {
  mkdirSync(base, { recursive: true });
  const swept = sweep([base]);
  const id = newRunId();
  const folder = join(base, id);
  mkdirSync(folder, { mode: 0o711 });
  const bases = [...new Set([base, tmpdir()])];
  open.set(id, bases);
  const undo = new AsyncDisposableStack();
  const close = async (): Promise<void> => {
    try {
      await undo.disposeAsync();
    } finally {
      removeRun(id, bases);
      open.delete(id);
    }
  };
  return {
    id,
    folder,
    swept,
    start(options) {
      const file = `${options.label.replaceAll(/[^A-Za-z0-9.-]+/g, "-")}.log`;
      const daemon = startDaemon({ logFile: join(folder, file), ...options });
      appendFileSync(join(folder, PROCESSES), `${daemon.pid} ${daemon.start} ${daemon.label}\n`);
      undo.defer(() => daemon.stop());
      return daemon;
    },
    defer: (action) => undo.defer(async () => await action()),
    makeFolder(name) {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true, mode: 0o711 });
      return path;
    },
    makePublicFolder(name) {
      const path = join(tmpdir(), `${id}-${name}`);
      mkdirSync(path, { mode: 0o711 });
      return path;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

// A process that leaves without closing its runs (a failed test, process.exit) still leaves nothing behind.
process.on("exit", () => {
  for (const [id, bases] of open) removeRun(id, bases);
});
