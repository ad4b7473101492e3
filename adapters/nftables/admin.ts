import { FirebreakError } from "../../core/ground/error.ts";
import { run } from "./run.ts";
import { optionPath, plainText, sshFailure } from "./ssh.ts";

/** Who sets a host up: a person's own way in, used once. */
export interface AdminAccess {
  readonly target: string;
  readonly address: string;
  readonly port: number;
  /** root, or a user whose sudo needs no password. */
  readonly user: string;
  /** Undefined: the person's ssh agent. */
  readonly identityFile: string | undefined;
  readonly knownHostsFile: string;
}

const SETUP_MS = 120_000;

/**
 * Runs a script on a host as root, by an administrator's login, against the pinned key.
 *
 * @param agent SSH_AUTH_SOCK of whoever called
 * @returns what it printed
 * @throws FirebreakError HOST_UNREACHABLE, HOST_KEY_CHANGED, AUTH_DENIED; HOST_REFUSED when the script fails
 */
export async function runAsAdmin(
  admin: AdminAccess,
  script: string,
  agent: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { target, address, port, user, identityFile, knownHostsFile } = admin;
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${optionPath(knownHostsFile)}`,
    "GlobalKnownHostsFile=/dev/null",
    `HostKeyAlias=${target}`,
    "UpdateHostKeys=no",
    "CheckHostIP=no",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "LogLevel=ERROR",
    "ConnectTimeout=10",
    `Port=${port}`,
    `User=${user}`,
    ...(identityFile === undefined
      ? [agent === undefined ? "IdentityAgent=none" : `IdentityAgent=${optionPath(agent)}`]
      : ["IdentitiesOnly=yes", "IdentityAgent=none", `IdentityFile=${optionPath(identityFile)}`]),
  ];
  const remote = user === "root" ? "exec sh -s" : "exec sudo -n sh -s";
  const args = ["-F", "/dev/null", ...options.flatMap((option) => ["-o", option]), "-T", "--", address, remote];
  const result = await run({ file: "ssh", args, input: script, deadlineMs: SETUP_MS, maxBytes: 1024 * 1024, signal });
  const failure = sshFailure(target, result);
  if (failure !== undefined) throw failure;
  if (result.status === 0) return `${result.stdout}${result.stderr}`;
  const cause = new Error(plainText(result.stderr));
  throw new FirebreakError("HOST_REFUSED", `set up ${target} as ${user}`, { cause });
}

/** `KEYTYPE KEY` of a private key file. @throws FirebreakError CONFIG_INVALID */
export async function publicKeyOf(identityFile: string, signal: AbortSignal): Promise<string> {
  const result = await run({
    file: "ssh-keygen",
    args: ["-y", "-P", "", "-f", identityFile],
    deadlineMs: 10_000,
    maxBytes: 65_536,
    signal,
  });
  const [type = "", key = ""] = result.stdout.trim().split(/\s+/);
  if (result.status === 0 && /^[A-Za-z0-9@.-]+$/.test(type) && /^[A-Za-z0-9+/=]+$/.test(key)) return `${type} ${key}`;
  const cause = new Error(plainText(result.stderr));
  throw new FirebreakError(
    "CONFIG_INVALID",
    `read the key ${identityFile}; \`ssh-keygen -t ed25519 -N '' -f ${identityFile}\` makes one`,
    {
      cause,
    },
  );
}
