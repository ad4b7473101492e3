import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { sentError, type FromWorker, type ToWorker } from "./messages.ts";
import { Assembly, parcelsOf } from "./parcels.ts";

/**
 * Tasks by name. Each gets its input whole and answers whole; ending it early is ending the process.
 *
 * An input may have a member `kept`: objects by name that are the same for many tasks and never change. Each travels once, and anew only when
 * another object has its name. A worker keeps what the last input named, and nothing else.
 */
export type Tasks = Readonly<Record<string, (input: never) => unknown>>;

/** Lower than the service, which must answer while a worker computes. */
const PRIORITY = 10;

/** A worker must not outlive the service, and cannot hear of its end while it computes: a thread looks who its parent is. */
const WATCH = `const { parent } = require("node:worker_threads").workerData;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 1000);`;

/** The worker's side: takes one task after the other until the service goes away. */
export function serveTasks(tasks: Tasks): void {
  yieldToTheService();
  let name = "";
  let input = new Assembly();
  let asked: readonly string[] | undefined;
  const kept = new Map<string, Assembly>();
  process.on("message", (message: ToWorker) => {
    if (message.kind === "begin") {
      name = message.task;
      asked = message.kept;
      if (asked !== undefined) for (const known of kept.keys()) if (!asked.includes(known)) kept.delete(known);
      input = new Assembly();
    } else if (message.kind === "keep") {
      if (message.parcel.kind === "whole") kept.set(message.name, new Assembly());
      kept.get(message.name)?.take(message.parcel);
    } else if (message.kind === "parcel") input.take(message.parcel);
    else void run(tasks, name, asked === undefined ? input.value : withKept(input.value, asked, kept));
  });
  process.on("disconnect", () => process.exit(0));
  void send({ kind: "ready" });
}

function withKept(input: unknown, asked: readonly string[], kept: ReadonlyMap<string, Assembly>): unknown {
  return { ...(input as object), kept: Object.fromEntries(asked.map((name) => [name, kept.get(name)?.value])) };
}

function yieldToTheService(): void {
  new Worker(WATCH, { eval: true, workerData: { parent: process.ppid } }).unref();
  try {
    setPriority(PRIORITY);
    // When memory runs out, the kernel ends this process and not the service.
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Not Linux, or not allowed: then a worker is a process like any other.
  }
}

async function run(tasks: Tasks, name: string, input: unknown): Promise<void> {
  try {
    const task = tasks[name] as ((input: unknown) => unknown) | undefined; // the types hold what callers may give
    if (task === undefined) throw new Error(`there is no task ${name}`);
    const answer = await task(input);
    for (const parcel of parcelsOf(answer)) await send({ kind: "parcel", parcel });
    await send({ kind: "done" });
  } catch (error) {
    await send({ kind: "error", error: sentError(error) });
  }
}

/** Resolves when it is on its way: pieces do not pile up here. A service that is gone is told nothing. */
async function send(message: FromWorker): Promise<void> {
  await new Promise<void>((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
