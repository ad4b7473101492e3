/**
 * Builds the console's pages into web/dist, where the service of a clone finds them; only when something changed since the last time.
 *
 *   node scripts/build-web.mjs
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "web", "dist", ".built-from");

/**
 * Builds into a folder, flat: scripts and styles beside the page, with relative addresses.
 *
 * @param {string} outDir
 * @returns {Promise<readonly string[]>} the files that were taken in, relative to the repository
 */
export async function buildWeb(outDir) {
  const { build } = await import("vite");
  const options = {
    root: join(root, "web"),
    configFile: false,
    base: "./",
    logLevel: "warn",
    build: {
      outDir,
      emptyOutDir: true,
      rolldownOptions: { onLog: sayUnlessDirective },
      assetsDir: "",
      target: "es2022",
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
    },
  };
  // Vite and React take from here which of their two kinds is built; a test runner says "test".
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  const built = await build(options).finally(() => {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  });
  return built.output.flatMap(({ moduleIds = [] }) =>
    moduleIds.flatMap((id) => (id.startsWith(root) ? id.slice(root.length + 1) : [])),
  );
}

/** Libraries say "use client" to servers that render; there is none. */
function sayUnlessDirective(level, log, say) {
  if (log.code !== "MODULE_LEVEL_DIRECTIVE") say(level, log);
}

/** Builds web/dist, unless it is of these sources already. */
export async function buildOwnWeb() {
  const wanted = sourcesHash();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return;
  console.error("setup: building the console's pages (some seconds)");
  await buildWeb(join(root, "web", "dist"));
  writeFileSync(stampFile, wanted);
}

/** The hash of all that decides what is built. */
function sourcesHash() {
  const hash = createHash("sha256");
  const files = globSync(
    ["web/index.html", "web/src/**/*", "core/api/*.ts", "core/ground/*.ts", "package-lock.json", "scripts/build-web.mjs"],
    { cwd: root },
  );
  for (const file of files.toSorted().filter((name) => /\.\w+$/.test(name)))
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await buildOwnWeb();
