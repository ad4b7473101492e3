import { existsSync } from "node:fs";
import { chmod, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { runCli, scratchFolder } from "./run-cli.ts";

/** Writes every module that is loaded to a file, one a line. */
const LIST_MODULES = `
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(process.env.LOADED_MODULES, url + "\\n");
    return nextLoad(url, context);
  },
});`;

/** The packages that a call loads, and our own files by their first folder. */
async function loadedBy(
  args: readonly string[],
  expectedCode = 0,
): Promise<{ readonly packages: readonly string[]; readonly files: readonly string[] }> {
  await using scratch = await scratchFolder();
  const list = scratch.file("modules.txt");
  const node = ["--import", `data:text/javascript,${encodeURIComponent(LIST_MODULES)}`];
  const { code } = await runCli(args, { node, env: { LOADED_MODULES: list } });
  expect(code).toBe(expectedCode);
  const urls = (await readFile(list, "utf8")).trimEnd().split("\n");
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  const files = urls.filter((url) => url.endsWith(".ts")).map((url) => url.replace(/^.*?\/(?=(cli|core|adapters|services)\/)/, ""));
  return { packages: [...new Set(packages)].sort(), files };
}

// Bug: one import too many and `--help` takes a second, which is what shells complete with.
test("help loads commander and nothing of a verb", async () => {
  const { packages, files } = await loadedBy(["--help"]);
  expect(packages).toEqual(["commander"]);
  expect(files.filter((file) => !file.startsWith("cli/"))).toEqual([]);
});

// Bug: validate loads the Kubernetes client (half a second), the store, or anything that talks to the outside.
test("validate loads what parses, nothing that connects", async () => {
  const { packages, files } = await loadedBy(["validate", "policies/example"]);
  expect(packages).toEqual(["commander", "ipaddr.js", "picocolors", "yaml", "zod"]);
  expect(files.filter((file) => !/^(cli|core)\//.test(file))).toEqual([]);
});

// Bug: the client of the API brings the service with it.
test("status loads an HTTP client and no service", async () => {
  const { packages, files } = await loadedBy(["status", "--config", "no-such-file.yaml"], 1);
  expect(packages).toEqual(["commander", "undici", "yaml", "zod"]);
  expect(files.filter((file) => /^(adapters|services)\//.test(file))).toEqual(["services/secrets.ts"]);
});

// Bug: every start strips types anew (four times the processor time), or code is taken from where others can put it.
test("compiled code is kept in a folder that only this user can write in", async () => {
  await using scratch = await scratchFolder();
  const kept = scratch.file("firebreak/code");
  await chmod(scratch.folder, 0o777);
  await runCli(["--version"], { env: { XDG_CACHE_HOME: scratch.folder } });
  expect(existsSync(kept)).toBe(false);
  await chmod(scratch.folder, 0o700);
  const [first, second] = [await runCli(["--version"], { env: { XDG_CACHE_HOME: scratch.folder } }), await runCli(["--version"])];
  expect(existsSync(kept)).toBe(true);
  expect(second).toEqual(first);
});
