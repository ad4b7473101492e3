/**
 * Bundles our own code into dist/ for `npm pack`, because Node does not strip types under node_modules.
 *
 * Packages stay outside: npm installs them as dependencies, and some bring files of their own (PGlite's WebAssembly). Octokit alone is
 * taken in, with the licenses of what came along: `firebreak comment` needs it in CI, where only `dependencies` are installed, and as
 * packages it is 32 MB, nearly all of them types. Split into chunks, so that what the CLI imports late stays late.
 */
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildWeb } from "./build-web.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, "cli", "firebreak.ts");
const worker = join(root, "services", "workers", "worker.ts");
const outdir = join(root, "dist");
const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

if (!existsSync(entry)) throw new Error("cli/firebreak.ts is not there: nothing to bundle");
rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { firebreak: entry, worker },
  outdir,
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  // All in one folder: code finds the worker's module beside itself.
  chunkNames: "[name]-[hash]",
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !name.startsWith("@octokit/")),
  platform: "node",
  target: "node24",
  format: "esm",
  keepNames: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});
chmodSync(join(outdir, "firebreak.js"), 0o755);
copyFileSync(join(root, "adapters", "store", "empty-database.br"), join(outdir, "empty-database.br"));
const pages = await buildWeb(join(outdir, "web"));
writeFileSync(join(outdir, "THIRD-PARTY-LICENSES.txt"), licenses([...Object.keys(metafile.inputs), ...pages]));

/** The license texts of the packages whose files were taken in. */
function licenses(files) {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const texts = [...new Set(folders)]
    .toSorted((a, b) => a.localeCompare(b))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
      const file = readdirSync(join(root, folder)).find((found) => /^licen[cs]e/i.test(found));
      return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(join(root, folder, file), "utf8").trim()}\n`;
    });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
