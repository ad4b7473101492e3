import { execFileSync } from "node:child_process";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeTree, type CommandInfo } from "../../cli/command-tree.ts";
import { bashScript, fishScript, zshScript } from "../../cli/completion-scripts.ts";
import { buildProgram } from "../../cli/program.ts";
import { API } from "../../core/api/shapes.ts";
import { FakeService } from "./fake-service.ts";
import { runCli, scratchFolder } from "./run-cli.ts";
import { EXAMPLE } from "./shop-inventory.ts";

const tree = describeTree(buildProgram());

/** What bash offers after these words; the last one is being typed. */
function complete(...words: readonly string[]): readonly string[] {
  const script = `${bashScript(tree)}
firebreak() { echo "$1-$2/a"; echo "$1-$2/b"; }
COMP_WORDS=(firebreak ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _firebreak
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" }).trimEnd().split("\n");
}

// Bug: a verb of a verb, a choice or an option is not offered, or is offered where it does not belong.
test("bash completes verbs, verbs of verbs, options and their choices", () => {
  expect(complete("val")).toEqual(["validate"]);
  expect(complete("audit", "")).toEqual(["verify", "log", "checkpoint", "export", "--help", "-h"]);
  expect(complete("audit", "verify", "--che")).toEqual(["--checkpoint"]);
  expect(complete("status", "-o", "")).toEqual(["table", "json", "yaml"]);
  expect(complete("status", "--o")).toEqual(["--output"]);
  expect(complete("completion", "z")).toEqual(["zsh"]);
  expect(complete("inventory", "")).toContain("save");
  expect(complete("test", "-o", "")).toEqual(["table", "json", "junit", "sarif", "github"]);
  expect(complete("reach", "-o", "")).toEqual(["table", "json", "csv", "dot"]);
  expect(complete("diff", "--enforcer", "c")).toEqual(["calico", "cilium"]);
  expect(complete("explain", "a", "b", "22", "--de")).toEqual(["--definitions", "--detailed-exitcode"]);
  expect(complete("validate", "polic")).toEqual(["policies"]);
});

// Bug: names of targets and segments have to be typed, or are offered where something else belongs.
test("bash completes names where a name belongs", () => {
  expect(complete("plan", "")).toEqual(expect.arrayContaining(["names-targets/a", "names-targets/b", "--inventory"]));
  expect(complete("plan", "--inv")).toEqual(["--inventory"]);
  expect(complete("findings", "--target", "")).toEqual(["names-targets/a", "names-targets/b"]);
  expect(complete("audit", "log", "--target", "names-targets/b")).toEqual(["names-targets/b"]);
  expect(complete("hosts", "persist", "names")).toEqual(["names-hosts/a", "names-hosts/b"]);
  expect(complete("segments", "names")).toEqual(["names-segments/a", "names-segments/b"]);
  expect(complete("explain", "names-ends/a", "names-ends/b")).toEqual(["names-ends/b"]);
  for (const script of [zshScript(tree), fishScript(tree)]) expect(script).toMatch(/names segments/);
});

// Bug: a service elsewhere names a target so that the shell runs it when somebody presses Tab.
test("names hold nothing that a shell expands", async () => {
  const targets = ["cluster/eu", "cluster/$(touch pwned)", "host/metal/`id`", "-x", "host/metal/a b"];
  await using service = await FakeService.start(({ path }) =>
    path === API.status ? { body: { targets: targets.map((target) => ({ target })) } } : undefined,
  );
  const { stdout, code } = await runCli(["names", "targets"], { cwd: service.folder, env: service.environment });
  expect({ stdout, code }).toEqual({ stdout: "cluster/eu\n", code: 0 });
});

// Bug: beside a folder of definitions a service is needed to complete names.
test("names come from the definitions here", async () => {
  const { stdout } = await runCli(["names", "targets"], { cwd: join(EXAMPLE, "..") });
  expect(stdout).toBe(""); // no folder called policies there, and no service
  await using scratch = await scratchFolder();
  await cp(EXAMPLE, scratch.file("policies"), { recursive: true });
  const here = await runCli(["names", "segments"], { cwd: scratch.folder });
  expect(here.stdout.split("\n")).toContain("order-input");
  expect((await runCli(["names", "hosts"], { cwd: scratch.folder })).stdout).toContain("host/directory/ldap-blue-1\n");
});

// Bug: a description with a quote ends the script's string.
test("each script names every command and balances its quotes", async () => {
  for (const script of [bashScript(tree), zshScript(tree), fishScript(tree)]) {
    for (const { name } of everyCommand(tree)) expect(script).toContain(name);
    expect((script.replaceAll("'\\''", "").match(/'/g) ?? []).length % 2).toBe(0);
  }
  execFileSync("bash", ["-n"], { input: bashScript(tree) });
  const { stdout, code } = await runCli(["completion", "fish"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: fishScript(tree) });
});

// Bug: a shell without a script gets one of another.
test("an unknown shell is refused", async () => {
  const { code, stderr } = await runCli(["completion", "csh"]);
  expect(code).toBe(1);
  expect(stderr).toContain("bash, zsh, fish");
});

function everyCommand(command: CommandInfo): readonly CommandInfo[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
