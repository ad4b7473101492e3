/** One signal for every way to end: Ctrl-C, SIGTERM, a closed terminal, a reader that has gone, npm that was killed. */

/** Exit code of a process that SIGINT ended. */
const INTERRUPTED = 130;
const LOOK_FOR_PARENT_MS = 1_000;

export interface StopSignal {
  readonly signal: AbortSignal;
  /** True when it was given: errors from then on only say so. */
  isPlanned(): boolean;
}

/** Installs the handlers. The second Ctrl-C leaves at once: the test bed's exit handler still removes what it can. */
export function stopSignal(): StopSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted && name === "SIGINT") process.exit(INTERRUPTED);
    if (!stop.signal.aborted) process.stderr.write(`\n${name}: removing everything; once more leaves at once\n`);
    stop.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  // A terminal that was closed, or `npm start | head`: nobody reads any more.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => stop.abort());
  const parent = process.ppid;
  setInterval(() => {
    if (process.env["npm_lifecycle_event"] === "start" && process.ppid !== parent) stop.abort();
  }, LOOK_FOR_PARENT_MS).unref();
  return { signal: stop.signal, isPlanned: () => stop.signal.aborted };
}
