/** Compiled code of services: kept below the state folder, and only where nobody else may write. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fb-service-code-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a service does at its start, and a SIGKILL: Node writes nothing at such an end. @returns what workers are told */
function startAndDie(): string {
  const file = (name: string): string => JSON.stringify(pathToFileURL(join(ROOT, name)).href);
  const script = `
    const { keepServiceCode } = await import(${file("cli/compile-cache.ts")});
    const flush = keepServiceCode(process.argv[1], process.env);
    await import(${file("core/ground/error.ts")});
    flush();
    require("node:fs").writeSync(1, String(process.env.NODE_COMPILE_CACHE));
    process.kill(process.pid, "SIGKILL");`;
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  try {
    return execFileSync(process.execPath, ["--input-type=commonjs", "-e", `(async () => {${script}})()`, folder], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (error) {
    return (error as { stdout: string }).stdout; // it was killed, as it asked for
  }
}

// Would catch: a service that is killed compiles all of its code again at every start, as long as it never ends well.
it("is there after a SIGKILL, for the next start and for workers", () => {
  expect(startAndDie()).toBe(join(folder, "code"));
  expect(readdirSync(join(folder, "code"))).not.toEqual([]);
});

// Would catch: code that anybody put into the folder is run by a service that is root.
it("is neither kept nor read where others may write", () => {
  chmodSync(folder, 0o777);
  expect(startAndDie()).toBe("undefined");
  expect(existsSync(join(folder, "code"))).toBe(false);
});
