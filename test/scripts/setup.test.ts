import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findProgram } from "../../scripts/system.mjs";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

let folder: string;

/** A clone in miniature: the set-up scripts, a lock file, and a stand-in for npm that writes down how it was called. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-setup-"));
  await cp(join(root, "scripts"), join(folder, "scripts"), { recursive: true });
  await mkdir(join(folder, "testbed"));
  await writeFile(
    join(folder, "testbed", "build.mjs"),
    "export async function buildPart() { return { missing: 'no Go here' }; }\n",
  );
  await writeFile(join(folder, "package-lock.json"), '{"lockfileVersion": 3}\n');
  await mkdir(join(folder, "bin"));
  const npm = `#!/bin/sh\necho "$@" >> '${folder}/npm.log'\nmkdir -p '${folder}/node_modules/.bin'\nln -sf '${process.execPath}' '${folder}/node_modules/.bin/node'\n`;
  await writeFile(join(folder, "bin", "npm"), npm);
  await chmod(join(folder, "bin", "npm"), 0o755);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the set-up where only `bin` is on PATH and nothing may be installed. */
async function setup(
  job: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly said: string }> {
  const env = { PATH: join(folder, "bin") + ":/usr/bin:/bin", FIREBREAK_NO_APT: "1", ...environment };
  try {
    const { stderr } = await run(process.execPath, ["scripts/setup.mjs", job], { cwd: folder, env });
    return { code: 0, said: stderr };
  } catch (error) {
    const failed = error as { readonly code: number; readonly stderr: string };
    return { code: failed.code, said: failed.stderr };
  }
}

async function npmCalls(): Promise<number> {
  return (await readFile(join(folder, "npm.log"), "utf8")).trim().split("\n").length;
}

describe("dependencies", () => {
  // Bug: every `npm test` waits for an installation; or a new lock file is never installed.
  test("are installed once for each lock file", async () => {
    expect((await setup("check")).code).toBe(0);
    expect(await setup("check")).toEqual({ code: 0, said: "" });
    expect(await npmCalls()).toBe(1);
    await writeFile(join(folder, "package-lock.json"), '{"lockfileVersion": 3, "packages": {}}\n');
    expect((await setup("check")).code).toBe(0);
    expect(await npmCalls()).toBe(2);
  });

  // Bug: npm on an old Node leaves out optional packages that ask for a newer one, without a word, and the service has no database.
  test("are completed under the Node that came with them, when npm runs on an older one", async () => {
    const old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})";
    expect((await setup("check", { NODE_OPTIONS: `--import ${old}` })).code).toBe(0);
    const calls = (await readFile(join(folder, "npm.log"), "utf8")).trim().split("\n");
    expect(calls.map((call) => call.split(" --")[0])).toEqual(["ci", "install"]);
  });

  // Bug: an installation that failed half-way is taken for done the next time.
  test("that failed to install are tried again", async () => {
    const npm = await readFile(join(folder, "bin", "npm"), "utf8");
    await writeFile(join(folder, "bin", "npm"), `${npm}exit 7\n`);
    expect(await setup("check")).toMatchObject({ code: 1, said: expect.stringContaining("npm ci failed (exit 7)") as string });
    await writeFile(join(folder, "bin", "npm"), npm);
    expect((await setup("check")).code).toBe(0);
    expect(await npmCalls()).toBe(2);
  });
});

describe("a part that is missing", () => {
  // Bug: a developer's machine without some server cannot run any test; or CI is green without having tried the real parts.
  test("is told with what to type and what goes without, and fails only in CI", async () => {
    const part = '{ name: "moon", job: "demo", programs: ["no-such-moon"], apt: ["moon"], without: "tides" }';
    await writeFile(join(folder, "scripts", "system-parts.mjs"), `export const SYSTEM_PARTS = [${part}];\n`);
    const here = await setup("start");
    expect(here.code).toBe(0);
    expect(here.said).toMatch(/moon is missing \(.+moon.*\); without it: no tides/);
    const report: unknown = JSON.parse(await readFile(join(folder, "node_modules", ".firebreak", "setup.json"), "utf8"));
    expect(report).toMatchObject({ job: "start", missing: ["moon"] });
    expect(await setup("start", { CI: "true" })).toMatchObject({
      code: 1,
      said: expect.stringContaining("in CI that is a failure") as string,
    });
  });

  // Bug: a forge that could not be built ends the set-up in a stack trace, or is not mentioned.
  test("is told with its reason when it is built from Go", async () => {
    const { buildGoParts } = (await import(join(folder, "scripts", "go-parts.mjs"))) as typeof import("../../scripts/go-parts.mjs");
    expect(await buildGoParts(["forge"])).toEqual({
      missing: ["forge"],
      without: ["forge is missing (no Go here); without it: no tests on a real forge"],
    });
  });

  // Bug: a program in /usr/sbin, which is not on everyone's PATH, is installed again and again.
  test("is searched in the system's folders too", () => {
    expect(findProgram("ip")).toMatch(/\/ip$/);
    expect(findProgram("no-such-program")).toBeUndefined();
  });
});

test("a job nobody knows is refused", async () => {
  expect(await setup("tset")).toMatchObject({
    code: 1,
    said: expect.stringContaining("one of start, test, bench, check, pack") as string,
  });
});
