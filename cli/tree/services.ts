import type { Command } from "commander";
import { addExamples, configOption, verb, type ConfigOptions } from "./common.ts";

/** What each service verb runs. */
const SERVICE_VERBS = [
  {
    name: "up",
    roles: ["syncer", "drift", "console"],
    description: "run everything in one process: syncer, drift detector, API",
  },
  {
    name: "syncer",
    roles: ["syncer"],
    description: "run the syncer alone: it reads Git, plans, writes to targets and reads back (needs `database`)",
  },
  {
    name: "drift",
    roles: ["drift"],
    description:
      "run the drift detector alone: it compares what is live with Git, and asks the syncer for repairs (needs `database`)",
  },
  { name: "console", roles: ["console"], description: "run the HTTP API, health, metrics and the webhook (needs `database`)" },
] as const;

/** Verbs that run until they are told to stop. */
export function addServiceVerbs(program: Command): void {
  program.commandsGroup("Services:");
  for (const { name, roles, description } of SERVICE_VERBS) {
    const command = program
      .command(name)
      .description(description)
      .addOption(configOption())
      .action(verb(async (options: ConfigOptions) => (await import("../verbs/services.ts")).serve(roles, options)));
    addExamples(command, [["until Ctrl-C", `firebreak ${name} --config /etc/firebreak/firebreak.yaml`]]);
  }
}
