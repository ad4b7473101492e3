/** The steps that need no rights and no clusters: what the command line does with definitions alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tryCommand } from "../command.ts";
import { exampleInventory } from "./inventory.ts";
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
  { title: "The definitions are validated", run: async (desk) => await type(desk, ["validate", EXAMPLE], "no problems") },
  {
    title: "A host's ruleset is compiled and rendered",
    run: async (desk) =>
      await type(desk, ["render", "--target", "host/directory/ldap-blue-1", "--definitions", EXAMPLE], "firebreak"),
  },
  {
    title: "Every target is planned, from an inventory in which nothing is enforced yet",
    async run(desk) {
      const folder = mkdtempSync(join(tmpdir(), "fb-demo-"));
      try {
        const file = join(folder, "inventory.json");
        writeFileSync(file, JSON.stringify(exampleInventory(new Date().toISOString())));
        const expected = "6 targets: 6 with changes, 0 without, 0 could not be planned";
        await type(desk, ["plan", "--definitions", EXAMPLE, "--inventory", file], expected);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  },
];

/** Runs a verb of the command line; it must end with 0 and print `expected` somewhere. */
async function type({ voice, signal }: Desk, args: readonly string[], expected: string): Promise<void> {
  voice.detail("typed", `firebreak ${args.map((arg) => (arg.startsWith("/") ? fromHere(arg) : arg)).join(" ")}`);
  const argv = [process.execPath, join(ROOT, "cli", "firebreak.ts"), ...args];
  const { code, stdout, stderr } = await tryCommand(argv, { cwd: ROOT, signal, timeoutMs: 60_000 });
  const lines = stdout.trimEnd().split("\n");
  const cut = [...lines.slice(0, LINES - 2), `… ${lines.length - LINES + 1} lines more …`, ...lines.slice(-1)];
  voice.block((lines.length <= LINES ? lines : cut).map((line) => `  ${line}`).join("\n"));
  expect(code === 0, `exit code 0, not ${String(code)}: ${stderr.trim().split("\n").at(-1) ?? ""}`);
  expect(stdout.includes(expected), `the answer has "${expected}"`);
}
