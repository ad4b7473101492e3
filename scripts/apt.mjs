/** Installs Debian packages, without letting the servers among them start. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const guardFile = "/usr/sbin/policy-rc.d";
const guardText = "#!/bin/sh\n# written by firebreak's setup while it installs packages: services must not start\nexit 101\n";

/** True as root on a system with apt-get, unless FIREBREAK_NO_APT=1. */
export function canInstall() {
  return process.getuid?.() === 0 && existsSync("/usr/bin/apt-get") && process.env.FIREBREAK_NO_APT !== "1";
}

/**
 * Installs packages after saying so; a failure is told, not thrown: the caller looks again at what is there.
 *
 * Packages of servers start them when they are installed. Debian asks policy-rc.d first, and 101 means "do not"; a policy of the
 * machine's owner is left as it is. Package scripts then also skip what only a running system needs.
 *
 * @param {readonly string[]} packages
 */
export function installPackages(packages) {
  const names = [...new Set(packages)];
  console.error(`setup: installing with apt-get: ${names.join(", ")} (FIREBREAK_NO_APT=1 turns this off)`);
  const guarded = putGuard();
  try {
    apt(["update", "-qq"]);
    apt(["install", "-qq", "--yes", "--no-install-recommends", ...names]);
  } finally {
    if (guarded) rmSync(guardFile, { force: true });
  }
}

/** Puts the guard in place; false when somebody else's policy is there. A guard of ours left by a crash is taken over. */
function putGuard() {
  if (existsSync(guardFile) && readFileSync(guardFile, "utf8") !== guardText) return false;
  writeFileSync(guardFile, guardText, { mode: 0o755 });
  return true;
}

/** Runs apt-get without questions; waits for another apt-get; prints its words only when it fails. */
function apt(args) {
  const done = spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=180", "-o", "Acquire::http::Timeout=20", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (done.status === 0) return;
  console.error(
    `setup: apt-get ${args[0]} failed (${done.error?.message ?? `exit ${done.status}`}):\n${done.stdout ?? ""}${done.stderr ?? ""}`,
  );
}
