import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";

// Each call is a process of its own; on a machine that does other things besides, a dozen of them take a while.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** The entry point as users start it. */
export const ENTRY = join(import.meta.dirname, "../../cli/firebreak.ts");

const ROOT = join(import.meta.dirname, "../..");

/** What a call of the command line gave. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to call it. */
export interface CliOptions {
  /** Default: the root of the repository. */
  readonly cwd?: string;
  /** Added to a bare environment: no colours, no FIREBREAK_… of the machine that tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

/** Calls the command line in a process of its own, with nobody at the terminal. */
export function runCli(args: readonly string[], { cwd = ROOT, env = {}, node = [] }: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const bare = { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), ...env };
    const child = spawn(process.execPath, [...node, ENTRY, ...args], { cwd, env: bare, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A folder of its own with these files, removed at the end of the block. */
export async function scratchFolder(
  files: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly folder: string; readonly file: (name: string) => string }> {
  const folder = await mkdtemp(join(tmpdir(), "firebreak-cli-"));
  const file = (name: string): string => join(folder, name);
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
  return { folder, file, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }) };
}

/** Everything of a call in one text, for golden files: what a folder is called does not matter. */
export function transcript(args: readonly string[], { code, stdout, stderr }: CliResult, folder?: string): string {
  const plain = (text: string): string => (folder === undefined ? text : text.replaceAll(folder, "FOLDER"));
  const parts = [`$ firebreak ${plain(args.join(" "))}`, plain(stdout).trimEnd()];
  if (stderr !== "") parts.push("--- stderr", plain(stderr).trimEnd());
  return `${[...parts, `--- exit ${code}`].join("\n")}\n`;
}
