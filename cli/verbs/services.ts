import { setFlagsFromString } from "node:v8";
import { keepServiceCode } from "../compile-cache.ts";
import { tell } from "../output.ts";
import { loadSettings } from "../settings.ts";
import type { ConfigOptions } from "../tree/common.ts";

/**
 * V8's space for new objects stays at the size that it starts with: it grows to 48 MB in the first seconds and never gives them back, in a
 * service that waits nearly all the time. What needs room is computed in processes of its own.
 */
const KEEP_SMALL = "--semi-space-growth-factor=1";

type Role = "syncer" | "drift" | "console";

/** `firebreak up`, `syncer`, `drift`, `console`: until SIGINT or SIGTERM; a second signal leaves at once. */
export async function serve(roles: readonly Role[], options: ConfigOptions): Promise<number> {
  setFlagsFromString(KEEP_SMALL);
  const settings = await loadSettings(options.config);
  const listen = settings.listen;
  tell(
    `starting: opening the store in ${settings.stateFolder}, then Git and the targets; the API answers on ${listen} once "listening" is said`,
  );
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    tell(`${signal}: stopping; once more leaves at once`);
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    const flush = keepServiceCode(settings.stateFolder, process.env);
    const { runServices } = await import("../../services/run.ts");
    await runServices(settings, roles, { signal: stop.signal, onStarted: flush });
  } catch (error) {
    // Asked to stop while it was starting: what was under way says so, and that is no failure.
    const isOurStop = stop.signal.aborted && error instanceof Error && error.name === "AbortError";
    if (!isOurStop) throw error;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
  return 0;
}
