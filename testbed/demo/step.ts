/** A step of the tour: what it is, and the work that throws when Firebreak does not do what the step says. */
import { errorChain } from "../../core/ground/error.ts";
import type { Voice } from "./voice.ts";

/** What every step is given, whatever else it is played on. */
interface Scene {
  readonly voice: Voice;
  readonly signal: AbortSignal;
}

export interface Step<S extends Scene> {
  readonly title: string;
  run(scene: S): Promise<void>;
}

/** What a tour came to so far. */
export interface Score {
  readonly done: number;
  /** Steps that did not do what they say, with the reason. */
  readonly failed: readonly string[];
}

export const NO_SCORE: Score = { done: 0, failed: [] };

/** Plays steps one after the other; one that fails does not stop the others, an abort does. Returns the score so far, these added. */
export async function playSteps<S extends Scene>(scene: S, steps: readonly Step<S>[], before: Score): Promise<Score> {
  const { voice, signal } = scene;
  const failed = [...before.failed];
  let done = before.done;
  for (const step of steps) {
    const name = `${done + failed.length + 1}  ${step.title}`;
    voice.heading(name);
    const began = performance.now();
    try {
      await step.run(scene);
      voice.good(`${((performance.now() - began) / 1000).toFixed(1)} s`);
      done += 1;
    } catch (error) {
      signal.throwIfAborted();
      const why = errorChain(error).join(", because ");
      voice.bad(why);
      failed.push(`${name}: ${why}`);
    }
  }
  return { done, failed };
}

/** Fails the step when the condition does not hold. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected: ${what}`);
}
