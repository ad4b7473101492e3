import { expect, test } from "vitest";
import { expectGolden } from "../support/golden.ts";
import { runCli, scratchFolder, transcript } from "./run-cli.ts";

// Bug: a verb is missing from help, or help loads what is not installed.
test("help lists every verb", async () => {
  const args = ["--help"];
  expectGolden("cli/help.txt", transcript(args, await runCli(args, { env: { COLUMNS: "100" } })));
});

// Bug: examples are lost, or an option is documented that the verb does not take.
test.each(["validate", "plan", "release", "audit verify"])("help of %s shows its examples", async (verb) => {
  const { stdout, code } = await runCli([...verb.split(" "), "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("Examples:");
});

// Bug: a typo is answered with a wall of help, on standard output, with exit 0.
test("an unknown verb or option exits with 1 and names the nearest", async () => {
  const verb = await runCli(["validat"]);
  expect(verb).toMatchObject({ code: 1, stdout: "" });
  expect(verb.stderr).toContain("Did you mean validate?");
  const option = await runCli(["status", "--wtach"]);
  expect(option).toMatchObject({ code: 1, stdout: "" });
  expect(option.stderr).toContain("Did you mean --watch?");
  const format = await runCli(["status", "-o", "xml"]);
  expect(format.code).toBe(1);
  expect(format.stderr).toContain("table, json, yaml");
});

// Bug: settings with a typo are used with a default in its place.
test("settings that are wrong stop every verb, with all problems and what to do", async () => {
  const text = 'repository: {url: "http://git.invalid/p.git", brnach: main}\nlistne: 127.0.0.1:1\nconcurrency: 0\n';
  await using scratch = await scratchFolder({ "firebreak.yaml": text });
  const args = ["status"];
  expectGolden("cli/bad-settings.txt", transcript(args, await runCli(args, { cwd: scratch.folder }), scratch.folder));
});

// Bug: an environment variable with a typo is ignored.
test("an unknown FIREBREAK_ variable is refused", async () => {
  await using scratch = await scratchFolder({ "firebreak.yaml": 'repository: {url: "http://git.invalid/p.git"}\n' });
  const { code, stderr } = await runCli(["status"], { cwd: scratch.folder, env: { FIREBREAK_LISTN: "x" } });
  expect(code).toBe(1);
  expect(stderr).toContain("FIREBREAK_LISTEN");
});

// Bug: a missing file ends in a stack trace.
test("without settings the error says which verb writes them", async () => {
  await using scratch = await scratchFolder();
  const args = ["findings"];
  expectGolden("cli/no-settings.txt", transcript(args, await runCli(args, { cwd: scratch.folder }), scratch.folder));
});
