/** The steps that need no rights and no clusters: what the command line does with definitions alone. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tryCommand } from "../command.ts";
import { fromHere } from "./stage.ts";
import { expect, type Step } from "./step.ts";
import type { Voice } from "./voice.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const EXAMPLE = join(ROOT, "policies", "example");
const LINES = 8;

/** The scene of these steps: nothing but a voice. */
interface Desk {
  readonly voice: Voice;
  readonly signal: AbortSignal;
}

export const OFFLINE_STEPS: readonly Step<Desk>[] = [
  verbStep("The definitions are validated", ["validate", EXAMPLE], "0 errors"),
  verbStep(
    "A host's ruleset is compiled and rendered",
    ["render", "--target", "host/directory/ldap-blue-1", "--definitions", EXAMPLE],
    '"firebreak"',
  ),
  verbStep(
    "Every target is planned, from an inventory that was saved",
    ["plan", "--definitions", EXAMPLE, "--inventory", join(import.meta.dirname, "inventory.json")],
    "could not be planned",
  ),
];

/** Runs a verb of the command line; it must end with 0 and print `expected` somewhere. */
function verbStep(title: string, args: readonly string[], expected: string): Step<Desk> {
  return {
    title,
    async run({ voice, signal }) {
      voice.detail("typed", `firebreak ${args.map((arg) => (arg.startsWith("/") ? fromHere(arg) : arg)).join(" ")}`);
      const argv = [process.execPath, join(ROOT, "cli", "firebreak.ts"), ...args];
      const { code, stdout, stderr } = await tryCommand(argv, { cwd: ROOT, signal, timeoutMs: 60_000 });
      const lines = stdout.trimEnd().split("\n");
      const shown =
        lines.length <= LINES
          ? lines
          : [...lines.slice(0, LINES - 2), `… ${lines.length - LINES + 1} lines more …`, ...lines.slice(-1)];
      for (const [index, line] of shown.entries()) voice.detail(index === 0 ? "printed" : "", line);
      expect(code === 0, `exit code 0, not ${String(code)}: ${stderr.trim().split("\n").at(-1) ?? ""}`);
      expect(stdout.includes(expected), `the answer has ${expected}`);
    },
  };
}
