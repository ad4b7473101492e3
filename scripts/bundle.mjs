/**
 * Bundles our own code into dist/ for `npm pack`, because Node does not strip types under node_modules.
 *
 * Packages stay outside: npm installs them as dependencies, and some bring files of their own (PGlite's WebAssembly). Split into
 * chunks, so that what the CLI imports late stays late.
 */
import { chmodSync, existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, "cli", "firebreak.ts");
const worker = join(root, "services", "workers", "worker.ts");
const outdir = join(root, "dist");

if (!existsSync(entry)) throw new Error("cli/firebreak.ts is not there: nothing to bundle");
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: { firebreak: entry, worker },
  outdir,
  bundle: true,
  splitting: true,
  // All in one folder: code finds the worker's module beside itself.
  chunkNames: "[name]-[hash]",
  packages: "external",
  platform: "node",
  target: "node24",
  format: "esm",
  keepNames: true,
  legalComments: "none",
  logLevel: "warning",
});
chmodSync(join(outdir, "firebreak.js"), 0o755);
