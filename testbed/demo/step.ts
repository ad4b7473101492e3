/** A step of the tour: what it is, and the work that throws when Firebreak does not do what the step says. */
import type { Stage } from "./stage.ts";

export interface Step {
  readonly title: string;
  run(stage: Stage): Promise<void>;
}

/** What a tour came to. */
export interface Score {
  readonly done: number;
  /** Titles of steps that did not do what they say, with the reason. */
  readonly failed: readonly string[];
}

/** Plays steps one after the other; one that fails does not stop the others, an abort does. */
export async function playSteps(stage: Stage, steps: readonly Step[], first: number): Promise<Score> {
  const { voice, signal } = stage;
  const failed: string[] = [];
  for (const [index, step] of steps.entries()) {
    const number = first + index;
    voice.heading(`${number}  ${step.title}`);
    const began = performance.now();
    try {
      await step.run(stage);
      voice.good(`${((performance.now() - began) / 1000).toFixed(1)} s`);
    } catch (error) {
      signal.throwIfAborted();
      const why = chain(error);
      voice.bad(why);
      failed.push(`${number}  ${step.title}: ${why}`);
    }
  }
  return { done: steps.length - failed.length, failed };
}

/** Fails the step when the condition does not hold. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`expected that ${what}`);
}

function chain(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) texts.push(at.message);
  return texts.length === 0 ? String(error) : texts.join(", because ");
}
