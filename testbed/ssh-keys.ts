/** The SSH keys of a world: one that applies, one that may only read back, and the pinned keys of the hosts. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "./command.ts";
import type { Run } from "./run.ts";

export interface SshKeys {
  /** Private key files, mode 0600. */
  readonly applyKey: string;
  readonly readKey: string;
  /** known_hosts, one line per host; grows as hosts start. */
  readonly knownHosts: string;
  /** Text of every host's authorized_keys. */
  readonly authorized: string;
}

/** Makes the keys. `readCommand` is what the read key runs whatever was asked for (SSH_ORIGINAL_COMMAND holds that). */
export async function makeSshKeys(run: Run, readCommand: string): Promise<SshKeys> {
  const folder = run.makeFolder("ssh");
  const [applyKey, readKey] = [join(folder, "apply"), join(folder, "read")];
  for (const [path, comment] of [
    [applyKey, "firebreak-apply"],
    [readKey, "firebreak-read"],
  ] as const) {
    await command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path]);
  }
  const quoted = readCommand.replaceAll('"', '\\"');
  const lines = [
    `restrict ${readFileSync(`${applyKey}.pub`, "utf8").trim()}`,
    `restrict,command="${quoted}" ${readFileSync(`${readKey}.pub`, "utf8").trim()}`,
  ];
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(knownHosts, "");
  return { applyKey, readKey, knownHosts, authorized: `${lines.join("\n")}\n` };
}
