/**
 * `firebreak up` that can be ended at any step of a run: while the file KILL-FILE holds `STEP TARGET`, the process kills itself the
 * moment a run of that target comes to that step, as a power cut would, and the file is removed first.
 *
 * Usage: node e2e-child.ts SETTINGS KILL-FILE
 */
import { readFileSync, rmSync } from "node:fs";
import { loadSettings } from "../../cli/settings.ts";
import { runServices } from "../../services/run.ts";

const [settingsFile = "", killFile = ""] = process.argv.slice(2);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());

await runServices(await loadSettings(settingsFile), ["syncer", "drift", "console"], {
  signal: stop.signal,
  onStep(step, target) {
    if (readKill() !== `${step} ${target}`) return;
    rmSync(killFile);
    process.kill(process.pid, "SIGKILL");
  },
});

function readKill(): string | undefined {
  try {
    return readFileSync(killFile, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
