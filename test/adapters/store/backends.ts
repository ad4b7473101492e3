import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { openStore } from "../../../adapters/store/index.ts";
import type { Store } from "../../../adapters/store/index.ts";
import { startPostgres } from "../../support/postgres-fixture.ts";
import type { PostgresFixture } from "../../support/postgres-fixture.ts";

/** What a conformance test gets: an empty store, and on a server a second process's view of it. */
export interface Stores {
  readonly store: Store;
  /** Another connection to the same store; the same object where there can only be one. */
  readonly other: Store;
}

/** Runs the same tests on both backends, one empty store per backend. */
export function onBothBackends(name: string, tests: (stores: () => Stores) => void): void {
  describe.each(["embedded", "postgres"] as const)(`${name} (%s)`, (kind) => {
    let stores: Stores | undefined;
    let server: PostgresFixture | undefined;
    let folder: string | undefined;

    beforeAll(async () => {
      const options = { signal: AbortSignal.timeout(60_000) };
      if (kind === "embedded") {
        folder = mkdtempSync(join(tmpdir(), "fb-store-"));
        const store = await openStore({ kind, folder }, options);
        stores = { store, other: store };
        return;
      }
      server = await startPostgres();
      const store = await openStore({ kind, url: server.url }, options);
      stores = { store, other: await openStore({ kind, url: server.url }, options) };
    });

    afterAll(async () => {
      await stores?.other.close();
      await stores?.store.close();
      await server?.[Symbol.asyncDispose]();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    tests(() => {
      if (stores === undefined) throw new Error("the stores are not open");
      return stores;
    });
  });
}
