/**
 * Looks for the system parts of a job and, as root on Debian or Ubuntu, installs what is missing with apt.
 *
 * `FIREBREAK_NO_APT=1` turns the installing off.
 */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { canInstall, installPackages } from "./apt.mjs";
import { SYSTEM_PARTS } from "./system-parts.mjs";

/**
 * Finds or installs the parts of these jobs.
 *
 * @param {readonly string[]} jobs of `demo` and `test`
 * @returns {{missing: string[], without: string[]}} the names of parts that are not there, and for each a line that says what is
 *   missing, what to type, and what the job goes without
 */
export function provideSystemParts(jobs) {
  const wanted = SYSTEM_PARTS.filter((part) => jobs.includes(part.job));
  const absent = wanted.filter((part) => !isPresent(part));
  const canApt = canInstall();
  if (absent.length > 0 && canApt) installPackages(absent.flatMap((part) => part.apt));

  const missing = absent.filter((part) => !isPresent(part));
  return { missing: missing.map((part) => part.name), without: missing.map((part) => describeMissing(part)) };
}

/**
 * Where a program is: on PATH, in the system folders that are not on everyone's PATH, or among Debian's Postgres binaries.
 *
 * @param {string} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  return searchFolders()
    .map((folder) => join(folder, name))
    .find((file) => isExecutable(file));
}

/** The folders that are searched, in order; newest Postgres first. */
export function searchFolders() {
  const postgres = "/usr/lib/postgresql";
  const versions = existsSync(postgres) ? readdirSync(postgres).sort((a, b) => Number(b) - Number(a)) : [];
  const system = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...path, ...system, ...versions.map((version) => join(postgres, version, "bin"))];
}

function isPresent(part) {
  return (
    (part.programs ?? []).every((name) => findProgram(name) !== undefined) && (part.files ?? []).every((file) => existsSync(file))
  );
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // not there or not ours to run: for us the same
  }
}

function describeMissing(part) {
  return `${part.name} is missing (${howToGet(part)}); without it: no ${part.without}`;
}

function howToGet(part) {
  if (process.platform !== "linux") return "it needs Linux; try `docker compose --profile demo up`";
  if (existsSync("/usr/bin/apt-get")) return `type \`sudo apt-get install ${part.apt.join(" ")}\``;
  return `install your system's package of ${part.programs?.join(", ") ?? part.name}`;
}
