/**
 * Makes a fresh clone ready for one npm script; runs before `npm start`, `npm test`, `npm run check` and `npm run bench`.
 *
 *   node scripts/setup.mjs start|test|bench|check|pack
 *
 * Plain JavaScript without dependencies, because nothing is installed yet and the Node that runs it may be 20: npm puts
 * node_modules/.bin first on PATH before that folder exists, so the script that follows runs under the Node 24 installed here.
 * Says nothing when there is nothing to do. In CI (`CI=true`) a missing part is a failure.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installDependencies } from "./dependencies.mjs";
import { buildGoParts } from "./go-parts.mjs";
import { provideSystemParts } from "./system.mjs";
import { writeReport } from "./report.mjs";

/** What is typed for each script, and what it needs: system parts (see system-parts.mjs) and parts built from Go modules (see testbed/build.mjs). */
const NEEDS = {
  start: { type: "npm start", system: ["demo"], go: [] }, // the demonstration builds its clusters itself, while the hosts are already at work
  test: { type: "npm test", system: ["demo", "test"], go: ["controlplane", "enforcer", "forge", "decoder", "actionlint"] },
  bench: { type: "npm run bench", system: ["demo", "test"], go: ["controlplane", "enforcer"] },
  check: { type: "npm run check", system: [], go: [] },
  pack: { type: "npm pack", system: [], go: [] },
};

async function main() {
  const job = process.argv[2] ?? "";
  const needs = NEEDS[job];
  if (needs === undefined) throw new Error(`setup.mjs: say what for, one of ${Object.keys(NEEDS).join(", ")}`);
  if (Number(process.versions.node.split(".")[0]) < 20) throw new Error(`Node 20 or newer is needed; this is ${process.version}`);

  await installDependencies();
  if (needs.system.length === 0) return;
  buildPages();
  const system = provideSystemParts(needs.system);
  const rights = missingRights(needs.type);
  // What is built from Go runs in network namespaces: minutes of building are no use without the rest.
  const go = system.missing.length + rights.length === 0 ? await buildGoParts(needs.go) : { missing: [], without: [] };
  const missing = [...system.missing, ...go.missing];
  const without = [...rights, ...system.without, ...go.without];
  writeReport({ job, root: rights.length === 0, missing, without });
  if (without.length === 0) return;

  for (const line of without) console.error(`setup: ${line}`);
  if (process.env.CI === "true") throw new Error("parts are missing; in CI that is a failure");
}

/** The console's pages, by the Node that was just installed. @throws Error when they do not build; why is on standard error then */
function buildPages() {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (!existsSync(join(root, "web"))) return;
  const node = join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
  const script = join(root, "scripts", "build-web.mjs");
  const done = spawnSync(node, [script], { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (done.status !== 0) throw new Error("the console's pages did not build; why is above");
}

/** One line when this is not root, which alone may make network namespaces and load nftables; none when it is. */
function missingRights(type) {
  if (process.getuid?.() === 0) return [];
  return [`not root (type \`sudo ${type}\`); without it: no network namespaces, so no hosts, pods and packets`];
}

try {
  await main();
} catch (error) {
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
