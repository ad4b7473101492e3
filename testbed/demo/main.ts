/**
 * The demonstration (`npm start`): a world, Firebreak in it, a tour, and then it stays up until Ctrl-C.
 *
 * Everything it makes is in one folder (`.firebreak/demo` in the checkout) or carries the test bed's names, and goes with it.
 */
import { join } from "node:path";
import pc from "picocolors";
import { errorChain } from "../../core/ground/error.ts";
import { mayMakeNamespaces } from "../link.ts";
import { readReport } from "../../scripts/report.mjs";
import { parseArguments, USAGE } from "./arguments.ts";
import { showWithoutRights, showWorld } from "./show.ts";
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
  const report = readReport();
  const options = { folder: FOLDER, exit: request.exit, without: report?.without ?? [], voice, signal };
  try {
    const why = whyNoWorld(report?.missing ?? []);
    process.exitCode = why === undefined ? await showWorld(options) : await showWithoutRights(options, why);
  } catch (error) {
    if (!isPlanned()) {
      voice.bad(errorChain(error).join("\n   because "));
      process.exitCode = 1;
    } else if (request.exit) process.exitCode = 130; // the tour was not finished
  }
}

/** Why there are no hosts and no packets here; undefined when there are. */
function whyNoWorld(missing: readonly string[]): string | undefined {
  if (!mayMakeNamespaces()) return "network namespaces need root on Linux; type `sudo npm start`";
  const needed = ["git", "nftables", "iproute2", "iptables", "openssh-server", "openssh-client"].filter((part) =>
    missing.includes(part),
  );
  return needed.length === 0 ? undefined : `${needed.join(", ")} missing`;
}
