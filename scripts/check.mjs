/** `npm run check`: types, lint, format, dead code. Runs all of them, says how long each took, and fails when any of them does. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Name, program (a package's binary) and arguments of each check. */
const CHECKS = [
  ["types", "tsc", ["--noEmit", "--project", "."]],
  ["types of the console's pages", "tsc", ["--noEmit", "--project", "web"]],
  ["lint", "oxlint", ["--type-aware", "--deny-warnings", "--report-unused-disable-directives"]],
  ["format", "oxfmt", ["--check"]],
  ["dead code", "knip", ["--no-progress"]],
];

let failed = 0;
for (const [name, program, args] of CHECKS) {
  const begin = Date.now();
  const done = spawnSync(join(root, "node_modules", ".bin", program), args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const seconds = ((Date.now() - begin) / 1000).toFixed(1);
  console.log(`check: ${name} ${done.status === 0 ? "passed" : "FAILED"} (${seconds} s)`);
  if (done.status !== 0) failed += 1;
}
console.log(`check: ${CHECKS.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
