/** The eyes stay open when the clock is set back. On a real store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, it } from "vitest";
import { openStore, recordTargets, type Store } from "../../../adapters/store/index.ts";
import type { DriftContext } from "../../../services/drift/context.ts";
import { Watch } from "../../../services/drift/watch.ts";
import { waitFor } from "../../../testbed/wait.ts";

const folder = mkdtempSync(join(tmpdir(), "fb-clock-"));
let store: Store;

beforeAll(async () => {
  store = await openStore({ kind: "embedded", folder }, { signal: AbortSignal.timeout(60_000) });
  await recordTargets(store, [{ id: "host/f/a", mode: "apply", labels: {} }], 1, 1);
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

// Would catch: the next look is due at an hour of the wall clock, which is set back: nobody looks for an hour, and all is called in sync.
it("a target is looked at again although the clock went back by an hour", async () => {
  const stop = new AbortController();
  let wall = Date.now();
  let looks = 0;
  // The cast: a look that finds no revision in force asks for nothing more, and says "busy": look again soon.
  const context = {
    store,
    signal: stop.signal,
    log: { warn: () => undefined, debug: () => undefined },
    settings: { hosts: { readEvery: 30_000 }, clusters: { readEvery: 30_000 } },
    random: () => 0.5,
    now: () => wall,
    elapsed: () => performance.now(),
    lookAgain: new Map(),
    get inForce() {
      looks += 1;
      return undefined;
    },
  } as unknown as DriftContext;
  const watching = new Watch(context).run();
  try {
    await waitFor(() => looks > 0, { what: "a look", timeoutMs: 60_000 });
    wall -= 3_600_000;
    const before = looks;
    await waitFor(() => looks > before + 1, { what: "two more looks", timeoutMs: 60_000 });
  } finally {
    stop.abort();
    await watching;
  }
});
