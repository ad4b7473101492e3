import { mkdirSync, statSync } from "node:fs";
import nodeModule from "node:module";
import { join, resolve } from "node:path";

/** Verbs that run for long and keep to their state folder: {@link keepServiceCode}. */
const SERVICES: readonly (string | undefined)[] = ["up", "syncer", "drift", "console"];

/**
 * Keeps what Node makes of our files (types stripped, code compiled) for the next start, which then takes a third of the processor
 * time. Only below a folder that is this user's own, because what is found there is run: `XDG_CACHE_HOME`, or `.cache` at home. Where
 * there is none, or it cannot be written, every start is a first one. `NODE_DISABLE_COMPILE_CACHE=1` turns it off,
 * `NODE_COMPILE_CACHE` names another folder.
 */
export function keepCompiledCode(verb: string | undefined, { XDG_CACHE_HOME, HOME, NODE_COMPILE_CACHE }: NodeJS.ProcessEnv): void {
  if (SERVICES.includes(verb) || NODE_COMPILE_CACHE !== undefined) return; // or Node has seen to it
  const [base, inside] = XDG_CACHE_HOME ? [XDG_CACHE_HOME, ""] : [HOME ?? "", ".cache"];
  if (isOwn(base)) nodeModule.enableCompileCache(join(base, inside, "firebreak", "code"));
}

/**
 * The same for a service and its workers, below the state folder, so that one that was killed is back sooner. What is there may be removed
 * at any time.
 *
 * @returns writes it to the disk, which Node itself does only at a good end
 */
export function keepServiceCode(stateFolder: string, environment: NodeJS.ProcessEnv): () => void {
  if (environment["NODE_COMPILE_CACHE"] !== undefined) return nodeModule.flushCompileCache;
  const folder = resolve(stateFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!isOwn(folder)) return () => undefined;
  const code = join(folder, "code");
  nodeModule.enableCompileCache(code);
  environment["NODE_COMPILE_CACHE"] = code; // for workers
  return nodeModule.flushCompileCache;
}

/** An absolute path to a folder of this user that nobody else may write in: `sudo` may have left another's in the environment. */
function isOwn(folder: string): boolean {
  const found = folder.startsWith("/") ? statSync(folder, { throwIfNoEntry: false }) : undefined;
  return found !== undefined && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}
