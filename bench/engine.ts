/** Memberships kept current event by event, against computing them anew. */
import { runProcess } from "./process.ts";
import { printTitle } from "./report.ts";

/** Prints the section; a process of its own, so that the heap is the engine's. */
export async function benchEngine(): Promise<void> {
  printTitle("The incremental engine: two clusters and 100 hosts, 2,000 segments, 5,000 rules; one thread", [
    "aims at 100,000 pods: cold in 5 s, one event in 1 ms, heap of 600 MB; processor time, collection of garbage included",
  ]);
  const file = new URL("./engine-process.ts", import.meta.url);
  const { status, stdout, stderr } = await runProcess([process.execPath, "--expose-gc", file.pathname]);
  process.stdout.write(stdout);
  if (status !== 0) throw new Error(`engine: ended with ${status}: ${stderr.slice(-2000)}`);
}
