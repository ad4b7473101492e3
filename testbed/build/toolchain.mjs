/**
 * The Go toolchain that builds the test bed's binaries: one that is there already, or the official archive.
 *
 * Plain JavaScript without dependencies: the set-up scripts call it before anything is installed (Node >= 20).
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The oldest Go that builds every part (the forge's go.mod asks for it). */
export const MINIMUM_GO = "1.26.3";

/**
 * SHA-256 of the official archives of Go 1.26.3, as the download page of the Go project lists them.
 * An archive with another digest is deleted and never unpacked.
 */
const ARCHIVES = {
  "linux-amd64": "2b2cfc7148493da5e73981bffbf3353af381d5f93e789c82c79aff64962eb556",
  "linux-arm64": "9d89a3ea57d141c2b22d70083f2c8459ba3890f2d9e818e7e933b75614936565",
  "darwin-amd64": "278d580b32e299fe4a9c990fcf2d02acfe538c7e551a6ee18f9c7164573d2c63",
  "darwin-arm64": "875cf54a15311eee2c99b9dd67c68c4a49351d489ab622bf2cfd28c8f2078d3c",
};
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;

/**
 * Finds Go >= 1.26.3 on PATH, in /usr/local/go or in the cache; else downloads the official archive into the cache.
 *
 * @param {{cache: string, log: (line: string) => void, signal?: AbortSignal}} options `cache` is the folder of all builds
 * @returns {Promise<{go: string, version: string, env: Record<string, string>} | {missing: string}>}
 *   `env` keeps the caches of a downloaded Go beside it, so that nothing is written outside the cache folder
 */
export async function findGo({ cache, log, signal }) {
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const downloaded = join(cache, `go${MINIMUM_GO}-${platform}`);
  const own = { GOPATH: join(cache, "gopath"), GOCACHE: join(cache, "gocache") };
  const candidates = [
    { go: "go", env: {} },
    { go: "/usr/local/go/bin/go", env: {} },
    { go: join(downloaded, "go", "bin", "go"), env: own },
  ];
  for (const candidate of candidates) {
    const version = await versionOf(candidate.go);
    if (version !== undefined && isAtLeast(version, MINIMUM_GO)) return { ...candidate, version };
  }
  const sha256 = ARCHIVES[platform];
  if (sha256 === undefined) return { missing: `Go >= ${MINIMUM_GO} is not installed and there is no archive for ${platform}` };
  try {
    await download({ platform, sha256, into: downloaded, log, signal });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { missing: `Go >= ${MINIMUM_GO} is not installed and its archive could not be had (${why}); install Go and run again` };
  }
  return { go: join(downloaded, "go", "bin", "go"), version: MINIMUM_GO, env: own };
}

/** Version of a go command ("1.26.8"), or undefined if it is not there or is a development build. */
async function versionOf(go) {
  try {
    const { stdout } = await run(go, ["env", "GOVERSION"], { env: { ...process.env, GOTOOLCHAIN: "local" }, timeout: 20_000 });
    return /^go(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  } catch {
    return undefined; // not there, or not a Go: the next candidate is tried, and the last one says so
  }
}

/** True when dotted version `a` is the same as or newer than `b`. */
export function isAtLeast(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

async function download({ platform, sha256, into, log, signal }) {
  const name = `go${MINIMUM_GO}.${platform}.tar.gz`;
  const part = `${into}.tmp-${process.pid}`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  try {
    log(`downloading ${name} (about 70 MB) from the Go project`);
    const archive = join(part, name);
    const digest = await fetchTo(`https://go.dev/dl/${name}`, archive, signal, 3);
    if (digest !== sha256) throw new Error(`${name} has SHA-256 ${digest}, not ${sha256}: deleted`);
    await run("tar", ["-xzf", archive, "-C", part], { timeout: 300_000 });
    await rm(archive);
    try {
      await rename(part, into);
    } catch (error) {
      // Another run may have been faster: its copy passed the same check.
      if ((await versionOf(join(into, "go", "bin", "go"))) !== MINIMUM_GO) throw error;
    }
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** Streams one URL into a file, following a few redirects; returns the SHA-256 of what was written, in hex. */
function fetchTo(url, path, signal, redirects) {
  return new Promise((resolve, reject) => {
    const request = get(url, { signal });
    const timer = setTimeout(
      () => request.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)),
      CONNECT_TIMEOUT_MS,
    );
    request.on("socket", (socket) => socket.on("secureConnect", () => clearTimeout(timer)));
    request.setTimeout(IDLE_TIMEOUT_MS, () => request.destroy(new Error(`nothing received for ${IDLE_TIMEOUT_MS / 1000} s`)));
    request.on("error", (cause) => {
      clearTimeout(timer);
      reject(new Error(cause.message, { cause }));
    });
    request.on("response", (response) => {
      clearTimeout(timer);
      const { statusCode = 0, headers } = response;
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined && redirects > 0) {
        response.resume();
        resolve(fetchTo(new URL(headers.location, url).href, path, signal, redirects - 1));
        return;
      }
      if (statusCode !== 200) {
        response.resume();
        reject(new Error(`the download answered ${statusCode}`));
        return;
      }
      const hash = createHash("sha256");
      const file = createWriteStream(path);
      response.on("data", (chunk) => hash.update(chunk));
      response.on("error", reject);
      file.on("error", reject);
      file.on("finish", () => resolve(hash.digest("hex")));
      response.pipe(file);
    });
  });
}
