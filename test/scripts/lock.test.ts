import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly resolved?: string;
        readonly hasInstallScript?: boolean;
        readonly optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
const packages = Object.entries(lock.packages);

// Bug: a lock file written where the registry did not have some platform's package leaves it out, and `npm ci` refuses it everywhere.
// Remedy: node scripts/complete-lock.mjs
test("every optional package of every platform is in the lock file", () => {
  const names = new Set(packages.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)));
  const wanted = packages.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});

// Bug: a lock file that only installs where it was written, because it names that place's registry.
test("no registry is named", () => {
  expect(packages.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([]);
});

// Bug: a new dependency brings an install script, which newer npm versions skip with a warning until someone decides.
test("each install script is allowed or denied on purpose", () => {
  const scripted = packages.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path.replace(/^.*node_modules\//, ""));
  expect([...new Set(scripted)].sort()).toEqual(Object.keys(manifest.allowScripts).sort());
});
