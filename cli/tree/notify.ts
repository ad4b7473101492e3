import type { Command } from "commander";
import { addExamples, configOption, outputOption, verb, type ConfigOptions, type OutputOptions } from "./common.ts";
import type { NotifyTestOptions } from "../verbs/notify-test.ts";

/** Verbs about the channels on which people are told. */
export function addNotifyVerbs(program: Command): void {
  const notify = program
    .command("notify")
    .description("try the channels on which people are told, and send again what they refused");
  addTest(notify);
  addRetry(notify);
}

function addTest(notify: Command): void {
  const command = notify
    .command("test")
    .argument("<channel>", "its name in firebreak.yaml, or forge/issues")
    .description("show exactly what a channel would be sent, without secrets; needs no running service")
    .option("--send", "send it")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (channel: string, options: NotifyTestOptions) =>
        (await import("../verbs/notify-test.ts")).notifyTest(channel, options),
      ),
    );
  addExamples(command, [
    ["what it looks like", "firebreak notify test security"],
    ["whether it arrives", "firebreak notify test security --send"],
  ]);
}

function addRetry(notify: Command): void {
  const command = notify
    .command("retry")
    .argument("[channel]", "its name in firebreak.yaml, or forge/issues (default: every channel)")
    .description("send at once what a channel refused, after somebody mended it; without this it is tried every hour")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (channel: string | undefined, options: OutputOptions & ConfigOptions) =>
        (await import("../verbs/notify-retry.ts")).notifyRetry(channel, options),
      ),
    );
  addExamples(command, [["the channel that `firebreak status` shows as refusing", "firebreak notify retry security"]]);
}
