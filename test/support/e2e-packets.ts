/** Paths that packets may or may not take. */
import { probe, type Place } from "../../testbed/probe.ts";
import { waitFor } from "../../testbed/wait.ts";

export type Verdict = "open" | "closed";

/** One way from a place to a port of another, and whether it should be open. */
export interface Path {
  readonly from: Place;
  readonly to: Place;
  readonly port: number;
  readonly is: Verdict;
}

/** Waits until packets pass, or pass no more. */
export async function becomes(is: Verdict, from: Place, to: Place, port: number): Promise<void> {
  const condition = async (): Promise<boolean> => (await probe(from, to, { port, timeoutMs: patience(is) })) === is;
  await waitFor(condition, { what: `${from.label} to ${to.label}:${port} is ${is}`, timeoutMs: 60_000, everyMs: 50 });
}

/** Tries every path once and returns those that are not as they should be, in words. */
export async function wrongPaths(paths: readonly Path[]): Promise<readonly string[]> {
  const tried = await Promise.all(
    paths.map(async ({ from, to, port, is }) => {
      const found = await probe(from, to, { port, timeoutMs: patience(is) });
      return found === is ? [] : [`${from.label} to ${to.label}:${port} is ${found}`];
    }),
  );
  return tried.flat();
}

/** Tries paths again and again until stopped: what opened or closed for a moment shows. */
export function keepTrying(paths: readonly Path[]): AsyncDisposable & { rounds(): number; stop(): Promise<readonly string[]> } {
  const wrong = new Set<string>();
  let rounds = 0;
  let stopped = false;
  const trying = (async () => {
    while (!stopped) {
      for (const path of await wrongPaths(paths)) wrong.add(path);
      rounds += 1;
    }
  })();
  const stop = async (): Promise<readonly string[]> => {
    stopped = true;
    await trying;
    return [...wrong];
  };
  return { rounds: () => rounds, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** An open path answers at once, except on a loaded machine; only silence says that one is closed. */
function patience(is: Verdict): number {
  return is === "open" ? 3_000 : 250;
}
