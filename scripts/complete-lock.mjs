/**
 * Adds the packages of other platforms to package-lock.json where npm left them out.
 *
 *   node scripts/complete-lock.mjs
 *
 * npm writes no entry for an optional package that the registry it asked could not serve (a mirror that only has what somebody
 * needed before), and `npm ci` then refuses the lock file on every machine. The parent names an exact version, and the package's
 * name says for which platform it is; only the checksum is not known here: these entries have none. Run it after a dependency was
 * changed behind such a mirror; test/scripts/lock.test.ts tells when that is necessary.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PLATFORM =
  /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(arm|arm64|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(eabi|gnu|gnueabihf|msvc|musl|musleabihf))?$/;

const file = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const lock = JSON.parse(readFileSync(file, "utf8"));
const { "": root, ...packages } = lock.packages;
const present = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (present.has(name)) continue;
    packages[`node_modules/${name}`] = describe(name, version, parent);
    present.add(name);
    console.log(`added ${name}@${version}`);
  }
}
const sorted = Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, "en"));
lock.packages = { "": root, ...Object.fromEntries(sorted) };
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

/** A lock file entry, with its fields in npm's order. */
function describe(name, version, parent) {
  const platform = PLATFORM.exec(name);
  if (platform === null) throw new Error(`${name}: its name does not say for which platform it is`);
  if (!/^\d/.test(version)) throw new Error(`${name}@${version}: not an exact version`);
  const [, os, cpu, abi] = platform;
  return {
    version,
    cpu: [cpu],
    ...(parent.dev === true && { dev: true }),
    ...((abi === "gnu" || abi === "musl") && os === "linux" && { libc: [abi === "gnu" ? "glibc" : "musl"] }),
    ...(parent.license !== undefined && { license: parent.license }),
    optional: true,
    os: [os],
    ...(parent.engines !== undefined && { engines: parent.engines }),
  };
}
