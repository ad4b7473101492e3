/** What the set-up found, for the script that runs after it: a JSON file inside node_modules, which is never in Git. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), "node_modules", ".firebreak", "setup.json");

/**
 * @typedef {object} SetupReport
 * @property {string} job which script it was for: start, test or bench
 * @property {boolean} root whether it ran as root
 * @property {string[]} missing names of system and Go parts that are not there
 * @property {string[]} without one line for each: what is missing, what to type, what the job goes without
 */

/** @param {SetupReport} report */
export function writeReport(report) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

/** @returns {SetupReport | undefined} undefined before the first set-up */
export function readReport() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
