import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EntryInput } from "../../../core/audit/entry.ts";
import type { OpenTrailOptions } from "../../../adapters/trail/open.ts";

/** A folder that is removed with `await using`. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "firebreak-trail-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** How the tests open a log in a folder. */
export function optionsIn(folder: string): OpenTrailOptions {
  return {
    folder: join(folder, "audit"),
    origin: "firebreak.dev/test",
    privateKeyFile: join(folder, "keys", "audit.key"),
    producer: { service: "test", instance: "1" },
    now: () => new Date(),
  };
}

/** Entries with the ids `NAME-0`, `NAME-1`, … */
export function findings(name: string, count: number): EntryInput[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${name}-${index}`;
    return {
      type: "finding.opened",
      id,
      finding: { fingerprint: id, kind: "modified", summary: "a default-deny policy allows everything" },
    };
  });
}
