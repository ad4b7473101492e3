import type { Command } from "commander";
import type { SegmentsOptions } from "../verbs/segments.ts";
import {
  addExamples,
  atOption,
  definitionsOption,
  fullOption,
  outputOption,
  savedWorkloadsOption,
  settingsIfThereOption,
  verb,
} from "./common.ts";

/** `segments`: who is in them. */
export function addSegmentsVerb(program: Command): void {
  const command = program
    .command("segments")
    .argument("[segment]", "one segment, to see its members (default: a line for each, and who is in none)")
    .description("say who is in a segment and because of what, and which workloads are in none")
    .addOption(definitionsOption())
    .addOption(atOption())
    .addOption(savedWorkloadsOption("who runs, as `inventory save` wrote it (default: the running service says)"))
    .addOption(fullOption())
    .addOption(outputOption())
    .addOption(settingsIfThereOption())
    .action(
      verb(async (name: string | undefined, options: SegmentsOptions) =>
        (await import("../verbs/segments.ts")).segments(name, options),
      ),
    );
  addExamples(command, [
    ["which segments are empty, and who is in none", "firebreak segments"],
    ["who is in one, and because of which labels", "firebreak segments cust-record"],
    ["a branch, on the workloads of a real cluster", "firebreak segments --definitions policies --inventory seen.json"],
    ["workloads in no segment, for a program", "firebreak segments -o json | jq '.inNone[].workload'"],
  ]);
}
