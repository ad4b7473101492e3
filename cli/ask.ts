import { createInterface } from "node:readline";
import { FirebreakError } from "../core/ground/error.ts";

/**
 * Asks on the terminal; the end of the input (Ctrl-D, Ctrl-C) is a no.
 *
 * @param instead what to say where nobody is there: the option that answers
 * @throws FirebreakError USAGE when standard input is no terminal
 */
export async function askYes(question: string, instead: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new FirebreakError("USAGE", `nobody to ask, standard input is no terminal: ${instead}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    terminal.setPrompt(question);
    terminal.prompt();
    const answer = await new Promise<string>((resolve) => {
      terminal.once("line", resolve).once("close", () => resolve("no"));
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
