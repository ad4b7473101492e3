import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FirebreakError } from "../../core/ground/error.ts";
import type { HostTransport } from "./connection.ts";
import { converse, run, shellQuote } from "./run.ts";
import type { Conversation, RunResult } from "./run.ts";
import { checkTransport, keyUnknown, optionPath, plainText, sshArguments, sshFailure } from "./ssh.ts";
import type { SshTransport } from "./ssh.ts";

/** Text for `sh -c`, with positional arguments. */
export interface RemoteScript {
  readonly script: string;
  readonly args: readonly string[];
}

/** One command on a host. */
export interface RemoteCommand {
  /** A script; or the name that a forced command expects. */
  readonly command: RemoteScript | { readonly forced: string };
  readonly input?: string;
  readonly deadlineMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** True: over a connection of its own, which proves that the host can be reached now. */
  readonly fresh?: boolean;
}

/** Runs commands on one host. */
export interface Remote {
  /** The key the host proves; empty without ssh. */
  identity(): Promise<string>;
  /** Throws what ssh's own failures mean; otherwise the result of the command, whatever its status. */
  execute(command: RemoteCommand): Promise<RunResult>;
  /** Starts a script to talk with, over the shared connection or one of its own. */
  converse(script: RemoteScript, limits: Pick<RemoteCommand, "maxBytes" | "signal" | "fresh">): Promise<Conversation>;
  /** What ssh's own failure means, of a conversation that ended; undefined when it is the script's own end. */
  failure(result: RunResult): FirebreakError | undefined;
  close(): Promise<void>;
}

const MASTER_IDLE_SECONDS = 60;
/** `sun_path` holds 108 bytes, and ssh appends 17 characters while it sets a socket up. */
const LONGEST_SOCKET = 88;
const MASTER_DEADLINE_MS = 20_000;

/** A way to run commands. Nothing is connected yet. Throws HOST_REFUSED or CONFIG_INVALID for what may not go near ssh. */
export function openRemote(target: string, transport: HostTransport): Remote {
  if (transport.kind === "ssh") return openSsh(target, transport);
  const prefix = transport.kind === "netns" ? ["ip", "netns", "exec", transport.name] : [];
  const program = (command: RemoteCommand["command"]): { readonly file: string; readonly args: readonly string[] } => {
    const [file = "sh", ...args] = [...prefix, ...wordsOf(command)];
    return { file, args };
  };
  return {
    identity: () => Promise.resolve(""),
    execute: ({ command, fresh: _, ...limits }) => run({ ...program(command), ...limits }),
    converse: (script, { fresh: _, ...limits }) => Promise.resolve(converse({ ...program(script), ...limits })),
    failure: ({ ended }) =>
      ended === undefined
        ? undefined
        : new FirebreakError("HOST_UNREACHABLE", `talk to ${target}: no end within the deadline, or too much said`),
    close: () => Promise.resolve(),
  };
}

function openSsh(target: string, transport: SshTransport): Remote {
  checkTransport(target, transport);
  const socket = join(transport.controlFolder, randomBytes(6).toString("hex"));
  if (Buffer.byteLength(socket) > LONGEST_SOCKET) {
    throw new FirebreakError("CONFIG_INVALID", `connect to ${target}: the folder for control sockets has too long a path`);
  }
  const path = `ControlPath=${optionPath(socket)}`;
  const control = async (verb: "exit" | "stop"): Promise<void> => {
    const args = [...sshArguments(target, transport, [path]), "-O", verb, "--", transport.address];
    await run({ file: "ssh", args, deadlineMs: 5000, maxBytes: 4096, signal: new AbortController().signal });
  };
  let starting: Promise<void> | undefined;
  let startedWith: string | undefined;
  let isClosed = false;
  const ensureMaster = async (signal: AbortSignal): Promise<void> => {
    const files = await Promise.all([transport.knownHostsFile, transport.identityFile].map(versionOf));
    const version = files.join("; ");
    if (existsSync(socket)) {
      if (version === startedWith) return;
      // A pin or a key that was changed counts from now on, and what is under way comes to its end.
      await control("stop");
    }
    if (isClosed) throw new FirebreakError("HOST_UNREACHABLE", `talk to ${target}: its connection was closed`);
    starting ??= startMaster(target, transport, path, signal)
      .then(() => void (startedWith = version))
      .finally(() => (starting = undefined));
    await starting;
  };
  const program = async (command: RemoteCommand["command"], fresh: boolean, signal: AbortSignal) => {
    if (!fresh) await ensureMaster(signal);
    const shared = fresh ? ["ControlMaster=no", "ControlPath=none"] : ["ControlMaster=no", path];
    const args = [...sshArguments(target, transport, shared), "--", transport.address, commandLine(command)];
    return { file: "ssh", args };
  };
  return {
    identity: () => pinnedKey(target, transport.knownHostsFile),
    execute: async ({ command, fresh = false, ...limits }) => {
      const result = await run({ ...(await program(command, fresh, limits.signal)), ...limits });
      const failure = sshFailure(target, result);
      if (failure !== undefined) throw failure;
      return result;
    },
    converse: async (script, { fresh = false, ...limits }) =>
      converse({ ...(await program(script, fresh, limits.signal)), ...limits }),
    failure: (result) => sshFailure(target, result),
    close: async () => {
      isClosed = true;
      // One that is just being made would live on for a minute, with nobody who uses it.
      await starting?.catch(() => undefined);
      if (existsSync(socket)) await control("exit");
    },
  };
}

/** A connection in the background that later commands share; it ends by itself when nobody has used it for a minute. */
async function startMaster(target: string, transport: SshTransport, path: string, signal: AbortSignal): Promise<void> {
  await mkdir(transport.controlFolder, { recursive: true, mode: 0o700 });
  await chmod(transport.controlFolder, 0o700);
  const control = ["ControlMaster=yes", `ControlPersist=${MASTER_IDLE_SECONDS}`, path];
  const args = ["-f", "-N", ...sshArguments(target, transport, control), "--", transport.address];
  const result = await run({ file: "ssh", args, deadlineMs: MASTER_DEADLINE_MS, maxBytes: 4096, signal });
  const failure = sshFailure(target, result);
  if (failure !== undefined) throw failure;
  if (result.status !== 0)
    throw new FirebreakError("HOST_UNREACHABLE", `connect to ${target}`, { cause: new Error(plainText(result.stderr)) });
}

function wordsOf(command: RemoteCommand["command"]): readonly string[] {
  return "forced" in command ? [command.forced] : ["sh", "-c", command.script, "firebreak", ...command.args];
}

/** The host's shell takes one line; every word of it is quoted, and the shell that starts is replaced. */
function commandLine(command: RemoteCommand["command"]): string {
  return "forced" in command ? command.forced : ["exec", ...wordsOf(command).map(shellQuote)].join(" ");
}

/**
 * `KEYTYPE KEY` of the target's line in the known hosts file. With strict checking it is what the host has proved to hold.
 *
 * Throws HOST_KEY_UNKNOWN when none is pinned, CONFIG_INVALID when the file cannot be read.
 */
async function pinnedKey(target: string, file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new FirebreakError("CONFIG_INVALID", "read the pinned host keys", { cause });
  }
  for (const line of text.split("\n")) {
    const [names = "", type, key] = line.trim().split(/\s+/);
    if (names.split(",").includes(target) && type !== undefined && key !== undefined) return `${type} ${key}`;
  }
  throw keyUnknown(target);
}

/** What changes when a file is written or replaced; `gone` for one that is not there. */
async function versionOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined); // whoever reads it says why
  return found === undefined ? "gone" : `${found.ino} ${found.size} ${found.mtimeMs}`;
}
