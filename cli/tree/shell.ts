import { Argument, type Command } from "commander";
import { addExamples, verb } from "./common.ts";

/** `completion`. */
export function addShellVerbs(program: Command): void {
  program.commandsGroup("The shell:");
  const command = program
    .command("completion")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .description("print a completion script")
    .action(verb(async (shell: "bash" | "zsh" | "fish") => (await import("../verbs/completion.ts")).completion(program, shell)));
  addExamples(command, [
    ["bash", "source <(firebreak completion bash)"],
    ["zsh, in a folder of $fpath", "firebreak completion zsh > _firebreak"],
    ["fish", "firebreak completion fish > ~/.config/fish/completions/firebreak.fish"],
  ]);
}
