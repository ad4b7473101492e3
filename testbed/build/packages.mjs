/** How many packages a build will compile: what `go build -v` names, one by one. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Counts what is not in Go's cache. Downloads the modules where they are missing, as the build would.
 *
 * @param {string} go the program
 * @param {{package: string, flags: readonly string[], cwd: string, env: NodeJS.ProcessEnv, signal?: AbortSignal}} build
 * @returns {Promise<number | undefined>} undefined when Go does not say: then the build will say why
 */
export async function countPackages(go, { package: path, flags, cwd, env, signal }) {
  const argv = ["list", "-deps", "-trimpath", "-buildvcs=false", ...flags, "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", path];
  try {
    const { stdout } = await run(go, argv, { cwd, env, signal, maxBuffer: 1 << 24 });
    return stdout.split("\n").filter((line) => line !== "").length;
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined;
  }
}
