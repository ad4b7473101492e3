import { Argument, type Command } from "commander";
import { NAME_KINDS, type NameKind } from "../command-tree.ts";
import { addExamples, settingsIfThereOption, verb } from "./common.ts";
import type { NamesOptions } from "../verbs/names.ts";

/** `completion` and `names`. */
export function addShellVerbs(program: Command): void {
  program.commandsGroup("The shell:");
  const command = program
    .command("completion")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .description("print a completion script")
    .action(verb(async (shell: "bash" | "zsh" | "fish") => (await import("../verbs/completion.ts")).completion(program, shell)));
  addNames(program);
  addExamples(command, [
    ["bash", "source <(firebreak completion bash)"],
    ["zsh, in a folder of $fpath", "firebreak completion zsh > _firebreak"],
    ["fish", "firebreak completion fish > ~/.config/fish/completions/firebreak.fish"],
  ]);
}

function addNames(program: Command): void {
  const kinds = Object.entries(NAME_KINDS).map(([kind, what]) => `${kind} (${what})`);
  const command = program
    .command("names")
    .addArgument(new Argument("<kind>", kinds.join(", ")).choices(Object.keys(NAME_KINDS)))
    .description("print names, one a line, as the shell completes them: of the definitions here, else of the running service")
    .addOption(settingsIfThereOption())
    .action(verb(async (kind: NameKind, options: NamesOptions) => (await import("../verbs/names.ts")).names(kind, options)));
  addExamples(command, [
    ["every target, for a script", "for target in $(firebreak names targets); do firebreak plan $target; done"],
  ]);
}
