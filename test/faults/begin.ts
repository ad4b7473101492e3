/** Firebreak on a stage, in order: for figures and for tests that do one thing at a time. */
import pLimit from "p-limit";
import { FIRST_CHOICE } from "./definitions.ts";
import type { Doing } from "./perform.ts";
import { untilRight } from "./run-schedule.ts";
import type { Form } from "./schedule.ts";
import type { Stage } from "./stage.ts";
import { prepareSubject } from "./subject.ts";
import { watchLog } from "./watchers.ts";

const PATIENCE_MS = 300_000;

/** Starts it on a world without anything of the last one, and waits until all is in order. */
export async function begin(stage: Stage, form: Form): Promise<Doing & AsyncDisposable> {
  const sha = await stage.renew();
  const subject = await prepareSubject(stage, form);
  const logWatch = watchLog(subject.logFolder);
  const dispose = async (): Promise<void> => {
    await logWatch.stop();
    await subject.remove();
  };
  const commits = [{ sha, at: Date.now(), choice: FIRST_CHOICE }];
  const doing: Doing = { stage, subject, logWatch, commits, happened: [], lifts: new Set(), oneCommit: pLimit(1) };
  try {
    for (const part of subject.parts) subject.start(part);
    await comeRight(doing);
  } catch (error) {
    await dispose();
    throw error;
  }
  return Object.assign(doing, { [Symbol.asyncDispose]: dispose });
}

/** Waits until all is in order. */
export async function comeRight(doing: Doing): Promise<void> {
  const { wrong } = await untilRight(doing, PATIENCE_MS);
  if (wrong.length === 0) return;
  const words = doing.subject.parts.map((part) => doing.subject.output(part).slice(-3_000));
  throw new Error(`it never came right: ${wrong.join("; ")}\n${words.join("\n")}`);
}
