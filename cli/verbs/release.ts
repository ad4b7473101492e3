import { createInterface } from "node:readline";
import { API, type ReleaseAnswer, type ReleaseRequest } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/model/error.ts";
import { formatRelease } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printResult, tell } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak release` takes. */
export interface ReleaseOptions extends OutputOptions, ConfigOptions {
  readonly keep?: true;
  readonly forget?: true;
  readonly yes?: true;
}

/** `firebreak release TARGET`: tells what it opens, asks, and only then does it. Exit 1 when the answer is no. */
export async function release(target: string, options: ReleaseOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const request: ReleaseRequest = { target, confirm: false, keep: options.keep === true, forget: options.forget === true };
  const preview = await api.post<ReleaseAnswer>(API.release, request);
  tell(formatRelease(preview));
  if (options.yes !== true && !(await ask(`Release ${target}? [y/N] `))) {
    tell("nothing was changed");
    return 1;
  }
  const answer = await api.post<ReleaseAnswer>(API.release, { ...request, confirm: true });
  await printResult(options.output, answer, () => formatRelease(answer));
  return answer.done ? 0 : 1;
}

/** The end of the input (Ctrl-D, Ctrl-C) is a no. */
async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new FirebreakError("USAGE", "nobody to ask, standard input is no terminal: --yes releases without asking");
  }
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
