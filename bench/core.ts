/** The pure core on made-up organisations of growing size. Runs in a process of its own, so that heaps do not add up. */
import { runProcess } from "./process.ts";
import { printTitle } from "./report.ts";

const PARTS = ["cluster", "host", "parse", "verdict"] as const;

/** Prints the section: each part is `core-process.ts PART` with a heap of its own. */
export async function benchCore(): Promise<void> {
  printTitle(
    "The pure core: no network, one thread, medians; heap is what is in use after a collection, everything still referenced",
  );
  for (const part of PARTS) {
    const file = new URL("./core-process.ts", import.meta.url);
    const { status, stdout, stderr } = await runProcess([process.execPath, "--expose-gc", file.pathname, part]);
    process.stdout.write(stdout);
    if (status !== 0) throw new Error(`core, ${part}: ended with ${status}: ${stderr.slice(-2000)}`);
  }
}
