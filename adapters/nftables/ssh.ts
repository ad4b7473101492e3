import { FirebreakError } from "../../core/ground/error.ts";
import { readAddress } from "../../core/address/index.ts";
import type { RunResult } from "./run.ts";

/** How to reach a host with OpenSSH. Address, user and port come from Git; the files from the service's own settings. */
export interface SshTransport {
  readonly kind: "ssh";
  /** IP address or RFC 1123 name. */
  readonly address: string;
  readonly user: string;
  readonly port: number;
  /** Private key; no agent is asked. */
  readonly identityFile: string;
  /** Pinned host keys, one line `TARGET-ID KEYTYPE KEY` per target; nothing else is trusted and nothing is added. */
  readonly knownHostsFile: string;
  /** Folder (0700) for control sockets; a short path, because socket paths end at about 104 bytes. */
  readonly controlFolder: string;
}

const NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const USER = /^[a-z_][a-z0-9_-]{0,31}$/;

/** True for what can be nothing but the name of a user, in a shell and for ssh. */
export function isUserName(text: string): boolean {
  return USER.test(text);
}

const ALIAS = /^[a-z0-9][a-z0-9./-]{0,250}$/;
const PATH = /^\/[^"\n\r\0]*$/;

/** Seconds that one connection may take to come up. */
export const CONNECT_SECONDS = 10;

/**
 * Refuses, once more after the parser, what could be anything but an address, a user or a file. Throws HOST_REFUSED.
 *
 * A host named `-oProxyCommand=…` has run a command in other software.
 */
export function checkTransport(target: string, transport: SshTransport): void {
  const { address, user, port } = transport;
  const isAddress = typeof readAddress(address) !== "string" || NAME.test(address);
  if (!isAddress) throw new FirebreakError("HOST_REFUSED", `connect to ${target}: its address is neither an IP address nor a name`);
  if (!isUserName(user)) throw new FirebreakError("HOST_REFUSED", `connect to ${target}: its user is not a user name`);
  if (!ALIAS.test(target)) throw new FirebreakError("HOST_REFUSED", "connect to a host whose target id is not one");
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new FirebreakError("HOST_REFUSED", `connect to ${target}: its port is not one`);
  }
  for (const path of [transport.identityFile, transport.knownHostsFile, transport.controlFolder]) {
    if (!PATH.test(path))
      throw new FirebreakError("CONFIG_INVALID", `connect to ${target}: ssh files need absolute paths without quotes`);
  }
}

/** Arguments of `ssh` up to the command: nothing is read from the user's or the system's configuration, agent or known hosts. */
export function sshArguments(target: string, transport: SshTransport, control: readonly string[]): readonly string[] {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${optionPath(transport.knownHostsFile)}`,
    "GlobalKnownHostsFile=/dev/null",
    `HostKeyAlias=${target}`,
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "CheckHostIP=no",
    "CanonicalizeHostname=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "AddKeysToAgent=no",
    `IdentityFile=${optionPath(transport.identityFile)}`,
    "PreferredAuthentications=publickey",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ProxyCommand=none",
    "ProxyJump=none",
    "Tunnel=no",
    "RequestTTY=no",
    "EscapeChar=none",
    "LogLevel=ERROR",
    `ConnectTimeout=${CONNECT_SECONDS}`,
    "ConnectionAttempts=1",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    `User=${transport.user}`,
    `Port=${transport.port}`,
    ...control,
  ];
  return ["-F", "/dev/null", ...options.flatMap((option) => ["-o", option]), "-T"];
}

/** A path as an ssh option value: quoted, and with its percent signs kept from being expanded. */
export function optionPath(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}

/** What a failed ssh means. OpenSSH says 255 for its own failures, everything else is the remote command's status. */
export function sshFailure(target: string, result: RunResult): FirebreakError | undefined {
  if (result.ended === "size") return new FirebreakError("HOST_NOT_UNDERSTOOD", `read from ${target}: it sent more than we accept`);
  if (result.ended === "deadline") {
    const hint = "a start-up file of its login shell, or nft itself, may be waiting for something";
    return new FirebreakError("HOST_UNREACHABLE", `talk to ${target}: no end within the deadline; ${hint}`);
  }
  if (result.status !== 255) return undefined;
  const cause = new Error(plainText(result.stderr));
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(result.stderr)) {
    return new FirebreakError("HOST_KEY_CHANGED", `connect to ${target}: it shows another host key than the pinned one`, { cause });
  }
  if (/Host key verification failed|host key is known/.test(result.stderr)) {
    return keyUnknown(target, cause);
  }
  if (/Permission denied|Too many authentication failures|UNPROTECTED PRIVATE KEY/.test(result.stderr)) {
    return new FirebreakError("AUTH_DENIED", `connect to ${target}: the host does not accept our key`, { cause });
  }
  return new FirebreakError("HOST_UNREACHABLE", `connect to ${target}`, { cause });
}

/** The file of pinned keys has no line for the host: nobody claims that it changed. */
export function keyUnknown(target: string, cause?: Error): FirebreakError {
  const what = `connect to ${target}: no key of the host is pinned`;
  const toDo = `after you have compared the key with the host's own, pin it: firebreak hosts setup ${target} --pin`;
  return new FirebreakError("HOST_KEY_UNKNOWN", `${what}; ${toDo}`, { cause });
}

/** What a host said, as one line without control characters and of bounded length: it is not ours to trust. */
export function plainText(text: string): string {
  return text
    .slice(0, 8192)
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/[^\x20-\x7e]/g, "?").trim())
    .filter((line) => line !== "")
    .join("; ")
    .slice(0, 1000);
}
