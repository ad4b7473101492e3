/** Installs the npm dependencies from the lock file, only when it changed since the last time. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".firebreak-lock-hash");

/**
 * `npm ci`, unless the stamp inside node_modules says that exactly this lock file is installed on this kind of machine.
 *
 * `--loglevel=error` keeps back the warnings that packages for Node 24 cause under Node 20. Scripts of dependencies run only as
 * package.json "allowScripts" says: that of `node`, which fetches the binary for this machine.
 */
export async function installDependencies() {
  const wanted = lockHash();
  if (readStamp() === wanted && nodeMajor() >= 24) return;

  console.error("setup: installing the npm dependencies from package-lock.json (about half a minute)");
  runNpm(npmCommand(), ["ci"]);
  installNode();
  // npm leaves out optional packages whose `engines` ask for a newer Node than it runs on itself: those come under the Node just installed.
  if (Number(process.versions.node.split(".")[0]) < 24) runNpm(npmUnderNode24(), ["install", "--no-save"]);
  writeFileSync(stampFile, wanted);
}

/** @throws Error when npm fails; its words are on standard error then */
function runNpm({ command, args, shell, env = process.env }, [verb, ...more]) {
  const options = { cwd: root, stdio: ["ignore", 2, 2], shell, env };
  const done = spawnSync(command, [...args, verb, ...more, "--loglevel=error", "--no-audit", "--no-fund"], options);
  if (done.status === 0) return;
  throw new Error(`npm ${verb} failed (${done.error?.message ?? `exit ${done.status}`}); its words are above`);
}

/** The hash of what decides the contents of node_modules. */
export function lockHash() {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  return hash.update(`${process.platform}-${process.arch}`).digest("hex");
}

/** The package `node` links its binary in a preinstall script; a user's setting (ignore-scripts) may have kept that from running. */
function installNode() {
  if (nodeMajor() >= 24) return;
  const script = join(root, "node_modules", "node", "installArchSpecificPackage.js");
  if (existsSync(script)) spawnSync(process.execPath, [script], { cwd: dirname(script), stdio: ["ignore", 2, 2] });
  if (nodeMajor() < 24)
    throw new Error("Node 24 could not be installed from the npm package `node`; install Node 24 or newer and try again");
}

/** The major version of the Node that npm scripts will run: the installed one, else the one on PATH; 0 without any. */
function nodeMajor() {
  const local = join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
  try {
    const version = existsSync(local)
      ? execFileSync(local, ["--version"], { encoding: "utf8", shell: process.platform === "win32" })
      : process.version;
    return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  } catch {
    return 0; // a binary that does not run here is as good as none: it is installed again
  }
}

/** npm as it was started, else as it is on PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) return { command: process.execPath, args: [script], shell: false };
  return { command: "npm", args: [], shell: process.platform === "win32" };
}

/** The same npm, on the Node that is in node_modules. */
function npmUnderNode24() {
  const bin = join(root, "node_modules", ".bin");
  const npm = npmCommand();
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };
  return { ...npm, command: npm.args.length === 0 ? npm.command : "node", env };
}

function readStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, "utf8") : "";
}
