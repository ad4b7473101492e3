import type { Command } from "commander";
import { bashScript, fishScript, zshScript } from "../completion-scripts.ts";
import { describeTree } from "../command-tree.ts";

/** `firebreak completion SHELL`: the whole tree is written into the script, so that completing starts no process. */
export async function completion(program: Command, shell: "bash" | "zsh" | "fish"): Promise<number> {
  const tree = describeTree(program);
  const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](tree);
  process.stdout.write(script);
  return await Promise.resolve(0);
}
