import type { Command } from "commander";

/** What names are completed from, by `firebreak names`. */
export type NameKind = keyof typeof NAME_KINDS;

/** Kinds of names, and what each lists. */
export const NAME_KINDS = {
  targets: "cluster/NAME and host/FLEET/NAME",
  hosts: "host/FLEET/NAME",
  clusters: "cluster/NAME",
  segments: "segments",
  ends: "what `explain` takes: segments, externals, hosts, internet",
  policies: "policies",
  findings: "fingerprints of open findings",
} as const;

/** Arguments and options whose values are such names. */
const NAMED: Readonly<Record<string, NameKind>> = {
  target: "targets",
  "--target": "targets",
  hosts: "hosts",
  host: "hosts",
  cluster: "clusters",
  segment: "segments",
  segments: "segments",
  from: "ends",
  to: "ends",
  finding: "findings",
  policy: "policies",
};

/** One option as it is typed. */
export interface OptionInfo {
  /** `--output`, and `-o` where there is one. */
  readonly flags: readonly string[];
  /** As in help: `-o, --output <format>`. */
  readonly usage: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  /** In words; undefined when there is none. */
  readonly defaultValue: string | undefined;
  /** True when the value names a file or a folder. */
  readonly isPath: boolean;
  /** What its value names. */
  readonly names: NameKind | undefined;
}

/** One argument. */
export interface ArgumentInfo {
  readonly name: string;
  readonly description: string;
  readonly choices: readonly string[];
  /** What it names. */
  readonly names: NameKind | undefined;
}

/** One command: a verb, or a verb of a verb. */
export interface CommandInfo {
  /** `firebreak audit verify`. */
  readonly path: string;
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly ArgumentInfo[];
  readonly options: readonly OptionInfo[];
  readonly commands: readonly CommandInfo[];
  /** The help as it is printed, examples included. */
  readonly help: string;
}

/** Columns of the help in the reference. */
const HELP_WIDTH = 100;

/** The command tree as data: completion and the reference are made from it. */
export function describeTree(command: Command, above = ""): CommandInfo {
  const path = `${above}${command.name()}`;
  const help = command.createHelp();
  return {
    path,
    name: command.name(),
    usage: help.commandUsage(command),
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      choices: argument.argChoices ?? [],
      names: NAMED[argument.name()],
    })),
    options: help.visibleOptions(command).map((option) => ({
      flags: [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
      usage: option.flags,
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
      defaultValue: typeof option.defaultValue === "string" ? option.defaultValue : undefined,
      isPath: /<(file|dir)>/.test(option.flags),
      names: NAMED[option.long ?? ""],
    })),
    commands: command.commands.map((child) => describeTree(child, `${path} `)),
    help: helpText(command),
  };
}

/** The help with its examples, at a fixed width whatever the terminal. */
function helpText(command: Command): string {
  const parts: string[] = [];
  const restore = command.configureOutput();
  command.configureOutput({
    writeOut: (text) => parts.push(text),
    getOutHelpWidth: () => HELP_WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  command.configureOutput(restore);
  return parts.join("").trimEnd();
}
