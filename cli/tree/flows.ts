import { Option, type Command } from "commander";
import type { FlowsImportOptions, FlowsListOptions } from "../verbs/flows.ts";
import type { ProposeOptions, ReadyOptions, UsageOptions } from "../verbs/ready.ts";
import { addExamples, definitionsOption, fullOption, outputOption, settingsIfThereOption, verb } from "./common.ts";

// Written out, because help loads nothing of the core; a test holds them together.
const FORMAT_NAMES = ["firebreak", "hubble", "gke", "eks", "vpc"];

/** Verbs about connections that were seen. */
export function addFlowVerbs(program: Command): void {
  program.commandsGroup("Connections that were seen:");
  const flows = program.command("flows").description("count who was seen to connect to whom, from logs of flows");
  addImport(flows);
  addList(flows);
  addReady(program);
  addPropose(program);
  addUsage(program);
}

function addImport(flows: Command): void {
  const command = flows
    .command("import")
    .argument("<files...>", "logs of flows, one line each")
    .description("count the connections that logs of flows tell of, by who the ends were at the time")
    .requiredOption("--inventory <file...>", "who was there: what `inventory save` wrote, better several of different days")
    .requiredOption("--save <file>", "where the counts go")
    .addOption(new Option("--format <name>", "how the logs are written (default: as their first lines look)").choices(FORMAT_NAMES))
    .option("--cluster <name>", "whose pods the logs name, where several clusters are known")
    .option("--force", "write the counts again where they are")
    .addOption(definitionsOption())
    .addOption(outputOption())
    .addOption(settingsIfThereOption())
    .action(
      verb(async (files: readonly string[], options: FlowsImportOptions) =>
        (await import("../verbs/flows.ts")).flowsImport(files, options),
      ),
    );
  addExamples(command, [
    [
      "what Cilium exported in a week, with two looks at who is there",
      "firebreak flows import flows-*.log --inventory monday.json sunday.json --save flows.json",
    ],
    ["what Hubble sees now", "hubble observe --last 10000 -o jsonpb > now.log"],
  ]);
}

function addList(flows: Command): void {
  const command = flows
    .command("list")
    .argument("<file>", "what `flows import` wrote")
    .description("list what was counted, and which sources looked since when")
    .addOption(fullOption())
    .addOption(outputOption())
    .action(verb(async (file: string, options: FlowsListOptions) => (await import("../verbs/flows.ts")).flowsList(file, options)));
  addExamples(command, [
    ["what was refused", "firebreak flows list flows.json -o json | jq '.flows[] | select(.verdict == \"denied\")'"],
  ]);
}

function addReady(program: Command): void {
  const command = withSeenOptions(
    program
      .command("ready")
      .argument("<segment>", "a segment that observes, or is off")
      .description("say what enforcing a segment would deny of what was seen, with the edit that would allow each"),
  )
    .addOption(new Option("--direction <direction>", "what is enforced (default: what observes)").choices(["ingress", "egress"]))
    .option("--detailed-exitcode", "exit 2 when something seen would be denied, or nobody can say")
    .action(verb(async (name: string, options: ReadyOptions) => (await import("../verbs/ready.ts")).ready(name, options)));
  addExamples(command, [
    ["before `isolate` becomes enforce", "firebreak ready cust-record --flows flows.json --inventory seen.json"],
  ]);
}

function addPropose(program: Command): void {
  const command = withSeenOptions(
    program
      .command("propose")
      .argument("[segments...]", "segments that shall be enforced (default: all that observe)")
      .description("make the smallest set of rules that covers what was seen, with what each rests on"),
  )
    .option("--patch", "print the patch alone, for `git apply`")
    .action(
      verb(async (names: readonly string[], options: ProposeOptions) =>
        (await import("../verbs/ready.ts")).propose(names, options),
      ),
    );
  addExamples(command, [
    ["look at it", "firebreak propose --flows flows.json --inventory seen.json"],
    ["take it", "firebreak propose cust-record --flows flows.json --inventory seen.json --patch | git apply"],
  ]);
}

function addUsage(program: Command): void {
  const command = withSeenOptions(
    program
      .command("usage")
      .description("say which rules carried what was seen, and which did not though their ends were looked at"),
  )
    .option("--days <number>", "how long the ends of a rule must have been looked at before it is called not seen", "30")
    .action(verb(async (options: UsageOptions) => (await import("../verbs/ready.ts")).usage(options)));
  addExamples(command, [
    ["before a review of rules", "firebreak usage --flows flows.json --inventory seen.json --days 90"],
    [
      "the rules, for a program",
      "firebreak usage --flows flows.json --inventory seen.json -o json | jq '.rules[] | select(.usage == \"unseen\").rule'",
    ],
  ]);
}

function withSeenOptions(command: Command): Command {
  return command
    .requiredOption("--flows <file>", "what `flows import` wrote")
    .requiredOption("--inventory <file>", "who is there, as `inventory save` wrote it")
    .addOption(definitionsOption())
    .addOption(fullOption())
    .addOption(outputOption())
    .addOption(settingsIfThereOption());
}
