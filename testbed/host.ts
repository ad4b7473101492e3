/** Linux hosts: a network namespace each, with its own nftables, conntrack and sshd. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { parsePort } from "./agent/protocol.ts";
import { command } from "./command.ts";
import type { Daemon } from "./daemon.ts";
import { GATEWAY, createNetns, linkLeaf, lowerLeaf, raiseLeaf, type Leaf } from "./netns.ts";
import { listenOn, place, type Place } from "./probe.ts";
import type { Run } from "./run.ts";
import type { SshKeys } from "./ssh-keys.ts";
import { waitFor } from "./wait.ts";

export interface HostOptions {
  readonly run: Run;
  readonly name: string;
  readonly address: string;
  readonly router: string;
  /** Device name, free in the router. */
  readonly device: string;
  readonly keys: SshKeys;
  /** Where it listens (and echoes) beside sshd, as "636/tcp". */
  readonly ports?: readonly string[];
  /** Nameservers in its own /etc/resolv.conf. */
  readonly resolvers?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A host that runs. It has a private /run (empty at first) and /etc/resolv.conf; all other files are the machine's. */
export interface TestHost extends Place {
  readonly name: string;
  readonly sshPort: 22;
  /** Public host key, "ssh-ed25519 AAAA…": what is pinned. */
  readonly hostKey: string;
  /** Runs a shell command on the host as root, past sshd: for tampering and for looking. */
  exec(script: string): Promise<string>;
  /** Ends sshd's listener and starts it again; open sessions go on. */
  restartSshd(): Promise<void>;
  /** Ends sshd, and every session with it: nobody gets in until {@link startSshd}. */
  stopSshd(): Promise<void>;
  startSshd(): Promise<void>;
  /** Pulls its cable. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** Starts a host and waits until its sshd answers (which the root namespace must have a route to). */
export async function startHost(options: HostOptions): Promise<TestHost> {
  const { run, name, address, router, device, keys, signal } = options;
  const namespace = `${run.id}-host-${name}`;
  const leaf: Leaf = { namespace, router, device, address, gateway: GATEWAY.router };
  await createNetns(namespace, { signal });
  await linkLeaf(leaf, signal);
  const folder = run.makeFolder(`host-${name}`);
  const resolvConf = join(folder, "resolv.conf");
  writeFileSync(resolvConf, (options.resolvers ?? []).map((server) => `nameserver ${server}\n`).join(""));
  const at = place(run, { label: `host ${name}`, address, namespace, isReal: true, prepare: privateFiles(resolvConf) });
  const agent = await at.agent();
  await listenOn(at, (options.ports ?? []).map(parsePort));
  const enter = ["nsenter", `--target=${agent.pid}`, "--mount", "--net"];

  const { config, hostKey } = await writeSshd(folder, address, keys, signal);
  let sshd: Daemon;
  const startSshd = async (): Promise<void> => {
    sshd = run.start({ label: `sshd of ${name}`, argv: [...enter, await sshdPath(), "-D", "-e", "-f", config] });
    const what = `the sshd of ${name} answers`;
    await waitFor(() => (sshd.check(), saysSsh(address)), { what, timeoutMs: 20_000, signal });
  };
  await startSshd();
  appendFileSync(keys.knownHosts, `${address} ${hostKey}\n`);
  return {
    ...at,
    name,
    sshPort: 22,
    hostKey,
    exec: (script) => command([...enter, "sh", "-ec", script]),
    async restartSshd() {
      await sshd.stop();
      await startSshd();
    },
    async stopSshd() {
      await sshd.stop();
      // Sessions of this host, not of another: each host has its own network namespace.
      for (const pid of (await command(["ip", "netns", "pids", namespace], { signal })).split("\n").filter(Boolean)) {
        if (nameOf(pid).startsWith("sshd")) endQuietly(Number(pid));
      }
    },
    startSshd,
    down: () => lowerLeaf(leaf),
    up: () => raiseLeaf(leaf),
  };
}

/** What a process is called; empty when it has just ended. */
function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    return "";
  }
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it ended by itself
  }
}

/**
 * A host of its own: an empty /run (so no systemd of the machine is found, and files of one host are not seen by another) and its
 * own resolv.conf, which may be a link into /run. What root of this machine starts at a log-in is no part of it: bash runs `.bashrc`
 * for every command over ssh, and a file that waits there (for a lock that an ended process left) would hold up every host. The mounts are in a mount namespace that `ip netns exec` has made private.
 */
function privateFiles(resolvConf: string): string {
  return [
    "mount -t tmpfs -o mode=0755 firebreak /run",
    "mkdir -m 0755 /run/sshd",
    "target=$(readlink -m /etc/resolv.conf)",
    'case "$target" in /run/*) mkdir -p "$(dirname "$target")"; : > "$target";; esac',
    `if [ -e "$target" ]; then mount --bind '${resolvConf}' "$target"; fi`,
    'for file in .bashrc .bash_profile .bash_login .profile; do if [ -e ~/"$file" ]; then mount --bind /dev/null ~/"$file"; fi; done',
  ].join("\n");
}

async function writeSshd(
  folder: string,
  address: string,
  keys: SshKeys,
  signal?: AbortSignal,
): Promise<{ config: string; hostKey: string }> {
  const key = join(folder, "ssh_host_key");
  await command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], { signal });
  const authorized = join(folder, "authorized_keys");
  writeFileSync(authorized, keys.authorized);
  const config = join(folder, "sshd_config");
  const lines = [
    "Port 22",
    `ListenAddress ${address}`,
    `HostKey ${key}`,
    `AuthorizedKeysFile ${authorized}`,
    "StrictModes no", // the folder is under /tmp, which others may write to; the keys are of this run only
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    `UsePAM ${rootIsLocked() ? "yes" : "no"}`, // without PAM, sshd refuses an account whose password is locked
    "PidFile none",
    "PrintMotd no",
    "PrintLastLog no",
    "UseDNS no",
    "X11Forwarding no",
    "MaxStartups 100:30:200",
    "MaxSessions 100",
    "SetEnv TMPDIR=/run", // what sessions leave there goes with the host
    "LogLevel VERBOSE",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const [type = "", data = ""] = readFileSync(`${key}.pub`, "utf8").split(/\s+/);
  return { config, hostKey: `${type} ${data}` };
}

function rootIsLocked(): boolean {
  const line = readFileSync("/etc/shadow", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("root:"));
  return line?.split(":")[1]?.startsWith("!") ?? false;
}

/** sshd starts itself again for every connection and wants to know where it is. */
async function sshdPath(): Promise<string> {
  const path = (await command(["sh", "-c", 'PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v sshd || true'])).trim();
  if (path === "") throw new Error("sshd is not installed (Debian package openssh-server)");
  return path;
}

/** True when something that speaks SSH answers on port 22 within a second. */
async function saysSsh(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22, timeout: 1_000 });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (data) => finish(data.toString().startsWith("SSH-")));
    socket.once("error", () => finish(false));
    socket.once("timeout", () => finish(false));
    socket.once("close", () => resolve(false));
  });
}
