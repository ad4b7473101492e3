import { Option, type Command } from "commander";
import type { TestFormat, TestOptions } from "../verbs/test.ts";
import { addExamples, verb } from "./common.ts";

// Written out, and held complete by their types, because help loads nothing of the core.
const TEST_FORMATS: Readonly<Record<TestFormat, true>> = { table: true, json: true, junit: true, sarif: true, github: true };

/** Verbs about who may connect to whom, as definitions say it and as it is. */
export function addConnectivityVerbs(program: Command): void {
  program.commandsGroup("Connections:");
  addTest(program);
}

function inventoryOption(): Option {
  return new Option("--inventory <file>", "the workloads that `inventory save` wrote (default: made up from the definitions)");
}

function settingsOption(): Option {
  return new Option("-c, --config <file>", "the operator's settings (default: firebreak.yaml, when it is there)");
}

function addTest(program: Command): void {
  const command = program
    .command("test")
    .argument("[dir]", "folder of definitions (default: repository.path of the settings, else policies)")
    .description("check guardrails and the tests of policies; exit 1 when one fails")
    .addOption(inventoryOption())
    .option("--live", "ask the running service about the revision in force, on the workloads of now")
    .addOption(new Option("-o, --output <format>", "how the result is printed").choices(Object.keys(TEST_FORMATS)).default("table"))
    .addOption(settingsOption())
    .action(verb(async (dir: string | undefined, options: TestOptions) => (await import("../verbs/test.ts")).test(dir, options)));
  addExamples(command, [
    ["a repository, without any cluster", "firebreak test policies"],
    ["on the workloads of a real one", "firebreak test policies --inventory seen.json"],
    ["in a pull request's check", "firebreak test policies -o github"],
    ["what is in force, on the workloads of now", "firebreak test --live"],
  ]);
}
