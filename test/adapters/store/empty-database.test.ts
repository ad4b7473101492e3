import { PGlite } from "@electric-sql/pglite";
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EMPTY_DATABASE, makeEmptyDatabase, type Contents } from "../../../adapters/store/empty-database.ts";
import { openStore } from "../../../adapters/store/index.ts";

const root = resolve(import.meta.dirname, "../../..");
/** Differ in every database that initdb makes: its name, its time, and the log of how it was made. */
const OWN = /^(global\/pg_control|pg_wal\/)/;

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "firebreak-empty-"));
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

/** Files below a folder that every database has, by path. */
async function filesOf(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = await Promise.all(paths.map(async (path) => [path.slice(folder.length + 1), await readFile(path)] as const));
  return new Map(read.filter(([path]) => !OWN.test(path)));
}

describe("the empty database that is shipped", () => {
  // Bug: PGlite is updated, and new installations begin with the database of an older one.
  it("is of the PGlite that is installed", async () => {
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      readonly optionalDependencies: Readonly<Record<string, string>>;
    };
    const bytes = brotliDecompressSync(await readFile(EMPTY_DATABASE));
    const { pglite } = JSON.parse(bytes.subarray(0, bytes.indexOf("\n")).toString("utf8")) as Contents;
    expect(pglite).toBe(manifest.optionalDependencies["@electric-sql/pglite"]);
  });

  // Bug: somebody changed the shipped file, which nobody can read: a role, a function, a setting that initdb does not make.
  it("is, byte by byte, what initdb makes", { timeout: 240_000 }, async () => {
    const [made, unpacked] = [join(scratch, "made"), join(scratch, "unpacked")];
    await (await PGlite.create({ dataDir: made })).close();
    await makeEmptyDatabase(unpacked);
    const [expected, found] = [await filesOf(made), await filesOf(unpacked)];
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    expect([...found].filter(([path, bytes]) => expected.get(path)?.equals(bytes) !== true).map(([path]) => path)).toEqual([]);
  });

  // Bug: the first start runs initdb, with 1.1 GB of memory, or fails over what a killed first start left.
  it("is what a new store begins with, also where a start was killed while it was unpacked", async () => {
    const folder = join(scratch, "state");
    await mkdir(join(folder, "store.half"), { recursive: true });
    await writeFile(join(folder, "store.half", "PG_VERSION"), "cut");
    const store = await openStore({ kind: "embedded", folder }, { signal: AbortSignal.timeout(60_000) });
    await store.close();
    expect(store.recovered).toBe(false);
    await expect(access(join(folder, "store.half"))).rejects.toThrow("ENOENT");
    const other = join(scratch, "other");
    await makeEmptyDatabase(other);
    // The first eight bytes name the database: initdb makes them up.
    const identity = async (path: string): Promise<string> =>
      (await readFile(join(path, "global", "pg_control"))).subarray(0, 8).toString("hex");
    expect(await identity(join(folder, "store"))).toBe(await identity(other));
  });
});
