import { Option, type Command } from "commander";
import { OUTPUT_FORMATS, type OutputFormat } from "../output.ts";
import type { PROFILES } from "../../core/verdict/profile.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";

/** What `-o` gives. */
export interface OutputOptions {
  readonly output: OutputFormat;
}

/** What `-c` gives. */
export interface ConfigOptions {
  readonly config: string;
}

/** `-o, --output`. */
export function outputOption(): Option {
  return new Option("-o, --output <format>", "how the result is printed").choices(OUTPUT_FORMATS).default("table");
}

// Written out, and held complete by its type, because help loads nothing of the core.
const ENFORCERS: Readonly<Record<keyof typeof PROFILES, true>> = {
  "kube-network-policies": true,
  calico: true,
  antrea: true,
  cilium: true,
  "ovn-kubernetes": true,
};

/** `--enforcer`. */
export function enforcerOption(what: string): Option {
  return new Option("--enforcer <name>", what).choices(Object.keys(ENFORCERS)).default("kube-network-policies");
}

/** `-c, --config`. */
export function configOption(): Option {
  return new Option("-c, --config <file>", "the operator's settings").default(DEFAULT_SETTINGS_FILE);
}

/** `--definitions`, for verbs that ask the service where none is named. */
export function definitionsOption(): Option {
  return new Option("--definitions <dir>", "folder of definitions (default: repository.path of the settings, else policies)");
}

/** `--at`, of verbs that answer from definitions here. */
export function atOption(): Option {
  return new Option(
    "--at <commit>",
    "as a commit of the clone has the definitions, read as the service reads it (default: as they lie here)",
  );
}

/** `--inventory`. */
export function savedWorkloadsOption(what: string): Option {
  return new Option("--inventory <file>", what);
}

/** `--full`. */
export function fullOption(): Option {
  return new Option("--full", "everything, where the text is cut; -o json is never cut");
}

/** `--as-applied`. */
export function asAppliedOption(): Option {
  return new Option("--as-applied", "with --inventory: count targets in `mode: plan` as if they were applied");
}

/** `-c, --config` of verbs that work without settings. */
export function settingsIfThereOption(): Option {
  return new Option("-c, --config <file>", "the operator's settings (default: firebreak.yaml, when it is there)");
}

/** Examples below a verb's help: pairs of what it is for and the command. */
export function addExamples(command: Command, examples: readonly (readonly [what: string, line: string])[]): Command {
  const lines = examples.map(([what, line]) => `  # ${what}\n  $ ${line}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** Runs a verb: its number is the exit code, what it throws is printed and exits with 1. */
export function verb<Args extends readonly unknown[]>(run: (...args: Args) => Promise<number>): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      process.exitCode = await run(...args);
    } catch (error) {
      const [{ reportError }, { missingPart }] = await Promise.all([import("../report-error.ts"), import("../missing-part.ts")]);
      reportError(missingPart(error) ?? error);
      process.exitCode = 1;
    }
  };
}
