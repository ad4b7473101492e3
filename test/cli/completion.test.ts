import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { describeTree, type CommandInfo } from "../../cli/command-tree.ts";
import { bashScript, fishScript, zshScript } from "../../cli/completion-scripts.ts";
import { buildProgram } from "../../cli/program.ts";
import { runCli } from "./run-cli.ts";

const tree = describeTree(buildProgram());

/** What bash offers after these words; the last one is being typed. */
function complete(...words: readonly string[]): readonly string[] {
  const script = `${bashScript(tree)}
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
