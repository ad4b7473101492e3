import { READBACK_COMMAND } from "./readback-script.ts";

/** Where `readback.sh` is installed on a host, mode 0755, owned by root. */
export const READBACK_PATH = `/usr/local/sbin/${READBACK_COMMAND}`;

/** Every command that our scripts run as root, word for word: sudo takes no other arguments. */
const READ_COMMANDS = [
  "/usr/sbin/nft -s -j list ruleset",
  "/usr/sbin/nft -s list ruleset",
  "/usr/sbin/nft -s -j list table inet firebreak",
  "/usr/sbin/nft -j list set inet firebreak fence",
  "/usr/sbin/nft -j list chain inet firebreak about",
  "/usr/sbin/nft -s list table inet firebreak",
  "/usr/bin/sha256sum /etc/firebreak/ruleset.json",
  "/usr/bin/cat /proc/net/ip_tables_names",
  "/usr/bin/cat /proc/net/ip6_tables_names",
];
const APPLY_COMMANDS = [
  "/usr/sbin/nft -c -f -",
  "/usr/sbin/nft -f -",
  "/usr/sbin/nft -j -f -",
  "/usr/sbin/nft -j -c -f -",
  "/usr/bin/mkdir -p -m 0700 /etc/firebreak",
  "/usr/bin/tee /etc/firebreak/ruleset.json.new",
  "/usr/bin/chmod 0600 /etc/firebreak/ruleset.json.new",
  "/usr/bin/sync /etc/firebreak/ruleset.json.new",
  "/usr/bin/mv -f /etc/firebreak/ruleset.json.new /etc/firebreak/ruleset.json",
  "/usr/bin/rm -f /etc/firebreak/ruleset.json",
];

/** The line for `authorized_keys` of the read-back user: whatever is asked with this key, the script runs and nothing else. */
export function readbackAuthorizedKey(publicKey: string, path: string = READBACK_PATH): string {
  return `restrict,command="${path}" ${publicKey.trim()}`;
}

/** The line for `authorized_keys` of the apply user: no forwarding, no terminal. */
export function applyAuthorizedKey(publicKey: string): string {
  return `restrict ${publicKey.trim()}`;
}

/** Every command that the apply user runs as root. */
export function rootCommands(): readonly string[] {
  return [...READ_COMMANDS, ...APPLY_COMMANDS];
}

/** A file for /etc/sudoers.d: what a user may do without a password. */
export function sudoersLines(user: string, access: "apply" | "readback"): string {
  const commands = access === "apply" ? rootCommands() : READ_COMMANDS;
  return commands.map((command) => `${user} ALL=(root) NOPASSWD: ${command}\n`).join("");
}
