import { fork, type ChildProcess } from "node:child_process";
import { FirebreakError } from "../../core/ground/error.ts";
import { receivedError, type FromWorker, type ToWorker } from "./messages.ts";
import type { Outcome } from "./outcome.ts";
import { Assembly, parcelsOf, type Parcel } from "./parcels.ts";
import { readUsage } from "./usage.ts";

/** Time to load the code; not counted against a task. */
const START_MS = 60_000;
const LOOK_MS = 100;
/** Beside the heap of JavaScript: buffers, code, and what the collector needs while it is at work. */
const BESIDE_HEAP_MB = 128;
/** How V8 and the kernel end a process that has no memory left. */
const ENDS_WITHOUT_MEMORY = new Set(["SIGABRT", "SIGTRAP", "SIGILL", "SIGKILL"]);
/** All that a worker is told of the service's environment: no secret is in it. */
const PASSED_ON = ["PATH", "TZ", "LANG", "LC_ALL", "NODE_COMPILE_CACHE"];

export interface ChildOptions {
  readonly entry: URL;
  readonly memoryMb: number;
}

/** How long a task may take. */
export interface TaskLimits {
  /** Of a processor: what counts where the system tells it, because a busy machine makes no input larger. */
  readonly cpuMs: number;
  /** In all. */
  readonly deadlineMs: number;
}

/** One worker process. It runs one task at a time, and whatever ends a task early ends it. */
export class WorkerChild {
  readonly #process: ChildProcess;
  readonly #memoryMb: number;
  readonly #ready: Promise<void>;
  /** What it was sent of the members `kept` of inputs, and keeps. */
  readonly #kept = new Map<string, object>();
  #stderr = "";
  #isGone = false;

  constructor({ entry, memoryMb }: ChildOptions) {
    this.#memoryMb = memoryMb;
    this.#process = fork(entry, [], {
      execArgv: [`--max-old-space-size=${Math.max(64, memoryMb - BESIDE_HEAP_MB)}`],
      env: Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.stderr?.on("data", (chunk: Buffer) => (this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-4_000)));
    this.#ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`it did not start within ${START_MS} ms`)), START_MS);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        act();
      };
      this.#process.once("message", () => settle(resolve)); // its first word is "ready"
      this.#process.once("error", (error) => settle(() => reject(error)));
      this.#process.once("exit", (code, signal) => {
        this.#isGone = true;
        settle(() => reject(new Error(`it ended while it started (${signal ?? code}): ${this.#stderr.slice(-500)}`)));
      });
    });
    this.#ready.catch(() => undefined); // whoever runs a task is told
    this.#process.on("error", () => undefined); // a message that could not be sent: its end says why
    this.#hold(false);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Ends it at once. */
  kill(): void {
    this.#isGone = true;
    this.#process.kill("SIGKILL");
  }

  /** Runs a task. @throws the reason of the signal; everything else is an outcome */
  async run(task: string, input: unknown, limits: TaskLimits, signal: AbortSignal): Promise<Outcome<unknown>> {
    signal.throwIfAborted();
    this.#hold(true);
    try {
      await this.#ready;
      signal.throwIfAborted();
      return await this.#ask(task, input, limits, signal);
    } catch (error) {
      this.kill();
      signal.throwIfAborted();
      const cause = error instanceof FirebreakError ? error : undefined;
      const failed = cause ?? new FirebreakError("PLAN_INVARIANT_BROKEN", `a worker for ${task} failed`, { cause: error });
      return { kind: "failed", error: failed };
    } finally {
      this.#hold(false);
    }
  }

  async #ask(task: string, input: unknown, { cpuMs, deadlineMs }: TaskLimits, signal: AbortSignal): Promise<Outcome<unknown>> {
    const answer = new Assembly();
    const { promise, resolve, reject } = Promise.withResolvers<Outcome<unknown>>();
    const end = (outcome: Outcome<unknown>): void => {
      resolve(outcome); // before it goes: its end is no surprise then
      this.kill();
    };
    const onMessage = (message: FromWorker): void => {
      if (message.kind === "parcel") answer.take(message.parcel);
      else if (message.kind === "done") resolve({ kind: "done", value: answer.value });
      else if (message.kind === "error") resolve(outcomeOf(receivedError(message.error)));
    };
    const onExit = (code: number | null, by: NodeJS.Signals | null): void => resolve(this.#ended(task, code, by));
    const onAbort = (): void => reject(signal.reason as Error);
    const deadline = setTimeout(() => end({ kind: "timed-out", afterMs: deadlineMs }), deadlineMs);
    const cpuBefore = (await readUsage(this.#process.pid))?.cpuMs ?? 0;
    const watch = setInterval(() => {
      void readUsage(this.#process.pid).then((usage) => {
        if (usage === undefined) return;
        if (usage.memoryMb > this.#memoryMb) end(this.#tooBig());
        else if (usage.cpuMs - cpuBefore > cpuMs) end({ kind: "timed-out", afterMs: cpuMs });
      });
    }, LOOK_MS);
    this.#process.on("message", onMessage).on("exit", onExit);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      // Its end while it is being told is an outcome, too.
      return await Promise.race([promise, this.#tell(task, input).then(async () => await promise)]);
    } finally {
      clearTimeout(deadline);
      clearInterval(watch);
      this.#process.off("message", onMessage).off("exit", onExit);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #tell(task: string, input: unknown): Promise<void> {
    const { kept, rest } = partKept(input);
    const names = kept === undefined ? undefined : Object.keys(kept);
    await this.#send({ kind: "begin", task, kept: names });
    if (names !== undefined) for (const name of this.#kept.keys()) if (!names.includes(name)) this.#kept.delete(name);
    for (const [name, value] of Object.entries(kept ?? {})) {
      if (this.#kept.get(name) === value) continue;
      this.#kept.set(name, value);
      await this.#sendPieces(value, (parcel) => ({ kind: "keep", name, parcel }));
    }
    await this.#sendPieces(rest, (parcel) => ({ kind: "parcel", parcel }));
    await this.#send({ kind: "go" });
  }

  async #sendPieces(value: unknown, message: (parcel: Parcel) => ToWorker): Promise<void> {
    for (const parcel of parcelsOf(value)) {
      await this.#send(message(parcel));
      await new Promise(setImmediate); // others have their turn between two pieces
    }
  }

  /** Resolves when it is on its way, and also when there is nobody to take it: then the end of the process says why. */
  async #send(message: ToWorker): Promise<void> {
    if (this.#isGone) return;
    await new Promise<void>((resolve) => void this.#process.send(message, () => resolve()));
  }

  #ended(task: string, code: number | null, by: NodeJS.Signals | null): Outcome<unknown> {
    this.#isGone = true;
    if (by !== null && ENDS_WITHOUT_MEMORY.has(by)) return this.#tooBig();
    const message = `a worker for ${task} ended (${by ?? code}): ${this.#stderr.slice(-500)}`;
    return { kind: "failed", error: new FirebreakError("PLAN_INVARIANT_BROKEN", message) };
  }

  #tooBig(): Outcome<never> {
    return { kind: "out-of-memory", limitMb: this.#memoryMb };
  }

  /** A worker with nothing to do keeps no process alive. */
  #hold(isHeld: boolean): void {
    if (isHeld) {
      this.#process.ref();
      this.#process.channel?.ref();
    } else {
      this.#process.unref();
      this.#process.channel?.unref();
    }
  }
}

/** What of an input travels once (`Tasks`), and what travels with every task. */
function partKept(input: unknown): { readonly kept: Readonly<Record<string, object>> | undefined; readonly rest: unknown } {
  if (typeof input !== "object" || input === null || !("kept" in input)) return { kept: undefined, rest: input };
  const { kept, ...rest } = input;
  return { kept: kept as Readonly<Record<string, object>>, rest }; // `Tasks` says what `kept` is
}

function outcomeOf(error: FirebreakError): Outcome<never> {
  return error.code === "LIMIT_EXCEEDED" ? { kind: "too-large", why: error.message } : { kind: "failed", error };
}
