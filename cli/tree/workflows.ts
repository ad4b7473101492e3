import type { Command } from "commander";
import { addExamples, verb } from "./common.ts";

/** `comment`. */
export function addWorkflowVerbs(program: Command): void {
  program.commandsGroup("Workflows:");
  const command = program
    .command("comment")
    .argument("<number>", "of the pull request")
    .description(
      "in a step of GitHub Actions or Gitea Actions: make standard input the one comment of workflows on a pull request, edited in place",
    )
    .action(verb(async (number: string) => (await import("../verbs/comment.ts")).comment(number)));
  addExamples(command, [
    [
      "with GITHUB_TOKEN in the step's environment and the right to write pull requests",
      'firebreak review base head | firebreak comment "$NUMBER"',
    ],
  ]);
}
