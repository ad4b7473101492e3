/**
 * Makes adapters/store/empty-database.br anew: `node scripts/empty-database.mjs`, after PGlite's version has changed.
 *
 * What is in it, and what for, says adapters/store/empty-database.ts.
 */
import { PGlite } from "@electric-sql/pglite";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "firebreak-empty-"));
try {
  const path = join(scratch, "store");
  await (await PGlite.create({ dataDir: path })).close();
  const all = readdirSync(path, { recursive: true }).sort((a, b) => (a < b ? -1 : 1));
  const folders = all.filter((name) => statSync(join(path, name)).isDirectory());
  const files = all.filter((name) => !folders.includes(name) && name !== "postmaster.pid");
  const contents = {
    pglite: optionalDependencies["@electric-sql/pglite"],
    folders,
    files: files.map((name) => [name, statSync(join(path, name)).size]),
  };
  const bytes = Buffer.concat([
    Buffer.from(`${JSON.stringify(contents)}\n`),
    ...files.map((name) => readFileSync(join(path, name))),
  ]);
  const params = {
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const packed = brotliCompressSync(bytes, { params });
  writeFileSync(join(root, "adapters", "store", "empty-database.br"), packed);
  console.error(`${files.length} files of ${bytes.length} bytes in ${packed.length}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
