#!/usr/bin/env node
/**
 * Builds the real parts of the test bed from the Go modules beside this file.
 *
 *   node testbed/build.mjs [controlplane] [enforcer] [forge] [kubectl] [decoder] [actionlint]     (all by default)
 *
 * The result of each is one folder in the cache (default ~/.cache/firebreak/testbed, FIREBREAK_CACHE overrides), named after the
 * part, a hash of everything that goes into it, and the Go version; it is built under a temporary name and renamed, so a folder
 * that is there is complete. Its path is printed on stdout, progress goes to stderr. A first build of everything takes 5 to 8 minutes on two
 * cores and downloads about 800 MB of modules; after that nothing is built or downloaded.
 *
 * Plain JavaScript without dependencies (Node >= 20): the set-up scripts call it before anything is installed.
 */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, cp, mkdir, readFile, readdir, rename, rm } from "node:fs/promises";
import { constants, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { removeDeadBuilds, withLock } from "./build/lock.mjs";
import { countPackages } from "./build/packages.mjs";
import { findGo } from "./build/toolchain.mjs";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const kubernetesVersion = "v1.34.4";

/** What is built, and how. */
const PARTS = {
  controlplane: {
    what: `etcd, kube-apiserver and kube-controller-manager ${kubernetesVersion}`,
    package: ".",
    flags: ["-ldflags", `-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion}`],
    env: { CGO_ENABLED: "0" },
    firstBuild: "2 to 4 minutes on two cores",
  },
  enforcer: {
    what: "kube-network-policies v1.1.1",
    package: "sigs.k8s.io/kube-network-policies/cmd/kube-network-policies/standard",
    flags: ["-ldflags", "-s -w"],
    env: { CGO_ENABLED: "0" },
    firstBuild: "about 1 minute on two cores",
  },
  forge: {
    what: "Gitea v1.26.4",
    package: ".",
    flags: ["-tags", "sqlite sqlite_unlock_notify", "-ldflags", "-s -w"],
    env: { CGO_ENABLED: "1" },
    firstBuild: "3 to 4 minutes on two cores",
    // What Gitea reads at run time (STATIC_ROOT_PATH), copied beside the binary: the Go module cache may be emptied.
    statics: { module: "code.gitea.io/gitea", folders: ["templates", "options", "public"] },
  },
  // The peer of the benchmarks. A module of its own: one more dependency of the control plane would have everybody build that again.
  kubectl: {
    what: `kubectl ${kubernetesVersion}`,
    package: ".",
    flags: [
      "-ldflags",
      `-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion} -X k8s.io/client-go/pkg/version.gitVersion=${kubernetesVersion}`,
    ],
    env: { CGO_ENABLED: "0" },
    firstBuild: "about 1 minute on two cores",
  },
  // Reads manifests as kubectl does: what Firebreak's own reader is held against.
  decoder: {
    what: `the decoders of Kubernetes ${kubernetesVersion}`,
    package: ".",
    flags: ["-ldflags", "-s -w"],
    env: { CGO_ENABLED: "0" },
    firstBuild: "about half a minute on two cores",
  },
  // Reads the workflows that users copy as the forge would.
  actionlint: {
    what: "actionlint v1.7.12",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    flags: ["-ldflags", "-s -w"],
    env: { CGO_ENABLED: "0" },
    firstBuild: "some seconds",
  },
};

/** The folder that holds every build. */
export function cacheFolder() {
  return process.env.FIREBREAK_CACHE ?? join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "firebreak", "testbed");
}

/**
 * Builds one part, or finds it built.
 *
 * @param {"controlplane" | "enforcer" | "forge" | "kubectl" | "decoder" | "actionlint"} name
 * @param {{log?: (line: string) => void, signal?: AbortSignal}} [options] `log` gets progress lines (default: stderr)
 * @returns {Promise<{folder: string, binary: string} | {missing: string}>} `missing` says why there is none, in words for people
 */
export async function buildPart(name, { log = toStderr, signal } = {}) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`there is no test bed part "${name}": ${Object.keys(PARTS).join(", ")}`);
  const cache = cacheFolder();
  await mkdir(cache, { recursive: true });
  const stem = join(cache, `${name}-${await contentHash(name, part)}`);
  const go = await findGo({ cache, log, signal });
  if ("missing" in go) return (await anyBuildOf(stem, name)) ?? go;
  const folder = `${stem}-go${go.version}`;
  const found = await builtIn(folder, name);
  if (found !== undefined) return found;
  return await withLock(`${folder}.lock`, { log, signal }, async () => {
    await removeDeadBuilds(folder);
    return (await builtIn(folder, name)) ?? (await build({ name, part, folder, go, log, signal }));
  });
}

/**
 * The command lines of a control plane: from KUBEBUILDER_ASSETS where that is set, else from the built binary.
 * The controller manager is always the built one (undefined without it): KUBEBUILDER_ASSETS has none.
 *
 * @param {{binary: string} | {missing: string}} built the result of `buildPart("controlplane")`
 * @returns {Promise<{etcd: string[], apiServer: string[], controllerManager: string[] | undefined} | {missing: string}>}
 */
export async function controlPlaneCommands(built) {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const binary = "binary" in built ? built.binary : undefined;
  const controllerManager = binary === undefined ? undefined : [binary, "kube-controller-manager"];
  if (assets !== undefined && assets !== "") {
    const [etcd, apiServer] = [join(assets, "etcd"), join(assets, "kube-apiserver")];
    for (const path of [etcd, apiServer]) {
      if (!(await isExecutable(path))) return { missing: `KUBEBUILDER_ASSETS is set, but ${path} is not there` };
    }
    return { etcd: [etcd], apiServer: [apiServer], controllerManager };
  }
  if (binary === undefined) return built;
  return { etcd: [binary, "etcd"], apiServer: [binary, "kube-apiserver"], controllerManager };
}

async function build({ name, part, folder, go, log, signal }) {
  const started = Date.now();
  const temporary = `${folder}.tmp-${process.pid}`;
  const module = join(here, name);
  const env = { ...process.env, ...go.env, ...part.env, GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off" };
  if (part.env.CGO_ENABLED === "1" && !(await isOnPath("gcc")))
    return { missing: `${part.what} needs gcc: install it and run again` };
  log(`${name}: building ${part.what} with Go ${go.version}; a first build takes ${part.firstBuild}`);
  log(`${name}: into ${folder}`);
  try {
    await mkdir(temporary, { recursive: true });
    const argv = ["build", "-v", "-trimpath", "-buildvcs=false", ...part.flags, "-o", join(temporary, name), part.package];
    const downloading = setInterval(() => log(`${name}: ${seconds(started)} s, downloading modules`), 10_000);
    const total = await countPackages(go.go, { ...part, cwd: module, env, signal }).finally(() => clearInterval(downloading));
    await compile(go.go, argv, { name, total, cwd: module, env, log, signal, started });
    if (part.statics !== undefined) await copyStatics(part.statics, { go, module, env, temporary, signal });
    await rename(temporary, folder);
  } catch (error) {
    if (signal?.aborted) throw error;
    const found = await builtIn(folder, name); // a rename onto a finished build fails: that build is as good
    if (found !== undefined) return found;
    return { missing: `${part.what} could not be built: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  log(`${name}: built in ${seconds(started)} s`);
  return { folder, binary: join(folder, name) };
}

/**
 * Runs `go build -v`, which names each package on stderr as it compiles it; every 10 s one line says how far it is.
 * At a lower priority: the demonstration's hosts are at work meanwhile.
 */
function compile(go, argv, { name, total, cwd, env, log, signal, started }) {
  return new Promise((resolve, reject) => {
    const child = spawn("nice", ["-n", "10", go, ...argv], { cwd, env, signal, stdio: ["ignore", "ignore", "pipe"] });
    const last = [];
    let modules = 0;
    let packages = 0;
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (line.startsWith("go: downloading ")) modules++;
      else if (/^[\w.~/-]+$/.test(line)) packages++;
      else last.push(line);
      if (last.length > 12) last.shift();
    });
    const progress = setInterval(() => {
      const of = total === undefined ? "" : ` of ${total}`;
      const done = packages === 0 && modules > 0 ? `${modules} modules downloaded` : `${packages}${of} packages compiled`;
      log(`${name}: ${seconds(started)} s, ${done}`);
    }, 10_000);
    child.on("error", (cause) => {
      clearInterval(progress);
      reject(new Error(`run ${go}`, { cause }));
    });
    child.on("close", (code) => {
      clearInterval(progress);
      if (code === 0) resolve(undefined);
      else reject(new Error(`go build ended with ${code}: ${last.join(" | ") || "no message"}`));
    });
  });
}

async function copyStatics({ module: path, folders }, { go, module, env, temporary, signal }) {
  const { stdout } = await run(go.go, ["list", "-m", "-f", "{{.Dir}}", path], { cwd: module, env, signal });
  for (const folder of folders) {
    await cp(join(stdout.trim(), folder), join(temporary, "static", folder), { recursive: true });
  }
  // Files of the module cache are read-only; a copy that nobody can delete would be left behind by `rm -r`.
  await run("chmod", ["-R", "u+w", join(temporary, "static")], { signal });
}

/** First 12 hex digits of the SHA-256 over the module's files, the build flags and the platform. */
async function contentHash(name, part) {
  const hash = createHash("sha256").update(
    JSON.stringify([part.package, part.flags, part.env, part.statics, process.platform, process.arch]),
  );
  for (const file of (await readdir(join(here, name))).sort()) {
    const content = await readFile(join(here, name, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}

async function builtIn(folder, name) {
  const binary = join(folder, name);
  return (await isExecutable(binary)) ? { folder, binary } : undefined;
}

/** A finished build of the same content by any Go: good enough when there is no Go at hand now. */
async function anyBuildOf(stem, name) {
  const folder = dirname(stem);
  for (const entry of (await readdir(folder)).sort()) {
    const path = join(folder, entry);
    if (!path.startsWith(`${stem}-go`) || /\.(lock|tmp-\d+)$/.test(entry)) continue;
    const found = await builtIn(path, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function isOnPath(command) {
  for (const folder of (process.env.PATH ?? "").split(":")) if (await isExecutable(join(folder, command))) return true;
  return false;
}

async function isExecutable(path) {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent and not executable are one answer here
  }
}

function seconds(since) {
  return Math.round((Date.now() - since) / 1000);
}

function toStderr(line) {
  process.stderr.write(`${line}\n`);
}

async function main(names) {
  const unknown = names.filter((name) => !(name in PARTS));
  if (unknown.length > 0) {
    toStderr(`usage: node testbed/build.mjs [${Object.keys(PARTS).join("] [")}]; there is no ${unknown.join(", ")}`);
    return 1;
  }
  let code = 0;
  for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
    const result = await buildPart(/** @type {"forge"} */ (name));
    if ("missing" in result) {
      toStderr(`${name}: ${result.missing}`);
      code = 1;
    } else process.stdout.write(`${result.folder}\n`);
  }
  return code;
}

const isMain = process.argv[1] !== undefined && fileURLToPath(import.meta.url) === realpathSync(process.argv[1]);
if (isMain) process.exitCode = await main(process.argv.slice(2));
