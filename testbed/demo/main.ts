/**
 * The demonstration (`npm start`): a world, Firebreak in it, a tour, and then it stays up until Ctrl-C.
 *
 * Everything it makes is in one folder (`.firebreak/demo` in the checkout) or carries the test bed's names, and goes with it.
 */
import { join } from "node:path";
import pc from "picocolors";
import { mayMakeNamespaces } from "../link.ts";
import { readReport } from "../../scripts/report.mjs";
import { parseArguments, USAGE } from "./arguments.ts";
import { showInRealWorld } from "./show.ts";
import { stopSignal } from "./stop-signal.ts";
import { openVoice } from "./voice.ts";

const FOLDER = join(import.meta.dirname, "..", "..", ".firebreak", "demo");

const request = parseArguments(process.argv.slice(2));
if (request.kind === "help") process.stdout.write(`${USAGE}\n`);
else if (request.kind === "wrong") {
  process.stderr.write(`${request.why}\n\n${USAGE}\n`);
  process.exitCode = 1;
} else {
  const { signal, isPlanned } = stopSignal();
  const voice = openVoice((text) => process.stdout.write(text), process.stdout.isTTY && pc.isColorSupported);
  const without = readReport()?.without ?? [];
  try {
    if (!mayMakeNamespaces()) throw new Error("not root");
    process.exitCode = await showInRealWorld({ folder: FOLDER, exit: request.exit, without, voice, signal });
  } catch (error) {
    if (!isPlanned(error)) {
      voice.bad(error instanceof Error ? (error.stack ?? error.message) : String(error));
      process.exitCode = 1;
    } else if (request.exit) process.exitCode = 130;
  }
}
