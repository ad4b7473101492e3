/**
 * Makes a fresh clone ready for one npm script; runs before `npm start`, `npm test`, `npm run check` and `npm run bench`.
 *
 *   node scripts/setup.mjs start|test|bench|check|pack
 *
 * Plain JavaScript without dependencies, because nothing is installed yet and the Node that runs it may be 20: npm puts
 * node_modules/.bin first on PATH before that folder exists, so the script that follows runs under the Node 24 installed here.
 * Says nothing when there is nothing to do. In CI (`CI=true`) a missing part is a failure.
 */
import { installDependencies } from "./dependencies.mjs";
import { buildGoParts } from "./go-parts.mjs";
import { provideSystemParts } from "./system.mjs";
import { writeReport } from "./report.mjs";

/** What each script needs: system parts (see system-parts.mjs) and parts built from Go modules (see testbed/build.mjs). */
const NEEDS = {
  start: { system: ["demo"], go: [] }, // the demonstration builds its clusters itself, while the hosts are already at work
  test: { system: ["demo", "test"], go: ["controlplane", "enforcer", "forge"] },
  bench: { system: ["demo", "test"], go: ["controlplane", "enforcer"] },
  check: { system: [], go: [] },
  pack: { system: [], go: [] },
};

async function main() {
  const job = process.argv[2] ?? "";
  const needs = NEEDS[job];
  if (needs === undefined) throw new Error(`setup.mjs: say what for, one of ${Object.keys(NEEDS).join(", ")}`);
  if (Number(process.versions.node.split(".")[0]) < 20) throw new Error(`Node 20 or newer is needed; this is ${process.version}`);

  await installDependencies();
  if (needs.system.length === 0) return;
  const system = provideSystemParts(needs.system);
  const go = await buildGoParts(needs.go);
  const missing = [...system.missing, ...go.missing];
  const without = [...system.without, ...go.without];
  writeReport({ job, root: process.getuid?.() === 0, missing, without });
  if (without.length === 0) return;

  for (const line of without) console.error(`setup: ${line}`);
  if (process.env.CI === "true") throw new Error("parts are missing; in CI that is a failure");
}

try {
  await main();
} catch (error) {
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
