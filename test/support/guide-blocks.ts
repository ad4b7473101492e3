/**
 * The guide as something that can be run. Each fenced block of docs/guide has a line above it that readers do not see:
 *
 *     <!-- run -->            its `$ ` lines are typed in the page's scratch folder; what follows each is what it prints
 *     <!-- run: exits 1 -->   the same, and its last command ends with that code
 *     <!-- service -->        as `run`, beside a service and a world of its own; `<!-- service: exits 1 -->`
 *     <!-- service: again --> the same, asked a few times: on a busy machine a host may not answer within its deadline
 *     <!-- start -->          a command that stays: typed beside the world, and left running
 *     <!-- file: PATH -->     it is written to PATH in the scratch folder
 *     <!-- not run: WHY -->   it cannot be run, or is no command
 *
 * In what is printed, a line of `…` stands for any lines, and `…` inside one for any characters.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ENTRY } from "../cli/run-cli.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");

export const GUIDE = join(ROOT, "docs/guide");

/** Pages that go on in one another's folder, in this order. */
export const STORY: readonly string[] = ["quick-start.md", "observe-enforce.md", "day-2.md"];

export interface Block {
  /** The page and the line, where the fence is. */
  readonly at: string;
  readonly kind: "run" | "service" | "start" | "file" | "not run" | "unmarked";
  /** What follows the colon of the marker. */
  readonly detail: string;
  readonly text: string;
}

export function pagesOfGuide(): readonly string[] {
  return readdirSync(GUIDE).filter((name) => name.endsWith(".md"));
}

export function blocksOf(page: string, text = readFileSync(join(GUIDE, page), "utf8")): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const fence = /^\s*(`{3,})/.exec(lines[index] ?? "")?.[1];
    if (fence === undefined) continue;
    const begin = index;
    do index += 1;
    while (index < lines.length && lines[index]?.trim() !== fence);
    const marker = /^\s*<!-- (run|service|start|file|not run)(?:: (.+))? -->$/.exec(lines[begin - 1] ?? "");
    // The cast: the pattern lists them.
    const kind = (marker?.[1] ?? "unmarked") as Block["kind"];
    blocks.push({ at: `${page}:${begin + 1}`, kind, detail: marker?.[2] ?? "", text: lines.slice(begin + 1, index).join("\n") });
  }
  return blocks;
}

/** What is wrong with a block that can be seen without running it. */
export function problemOf({ kind, detail, text }: Block): string | undefined {
  if (kind === "unmarked") return "has no marker: run, service, start, file, or `not run: WHY`";
  if (kind === "not run" && detail.length < 10) return "says in its marker why it cannot be run";
  if (kind === "file") return detail === "" ? "names the file that it is" : undefined;
  if (kind !== "not run" && !text.startsWith("$ ")) return "begins with a command: `$ …`";
  return undefined;
}

interface Command {
  readonly command: string;
  readonly prints: readonly string[];
}

function commandsOf(text: string): readonly Command[] {
  const commands: { command: string; prints: string[] }[] = [];
  let goesOn = false;
  for (const line of text.split("\n")) {
    const last = commands.at(-1);
    if (goesOn && last !== undefined) last.command += `\n${line}`;
    else if (line.startsWith("$ ")) commands.push({ command: line.slice(2), prints: [] });
    else last?.prints.push(line.trimEnd());
    goesOn = (goesOn || line.startsWith("$ ")) && line.endsWith("\\");
  }
  return commands;
}

/** True when what was printed is what the page says. */
export function isAsPrinted(said: readonly string[], printed: string): boolean {
  const parts = said.map((line) =>
    line.trim() === "…" ? "(?:[^\n]*\n)*?" : `${line.split("…").map(escape).join("[^\n]*")}[ \t]*\n`,
  );
  return new RegExp(`^${parts.join("")}$`).test(`${printed.replaceAll(/[ \t]+$/gm, "").trimEnd()}\n`);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** A scratch folder in which the blocks of one page are typed one after the other, by somebody who has `firebreak` on the path and a clone in ~/firebreak. */
export class Typist implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "fb-guide-"));
  readonly #environment: Readonly<Record<string, string>>;
  readonly #places: readonly (readonly [string, string])[];
  readonly #running: ChildProcess[] = [];
  #cwd: string;

  /**
   * @param places what stands in the page for something of this world, such as an address
   */
  constructor({
    environment = {},
    places = {},
  }: { readonly environment?: Record<string, string>; readonly places?: Record<string, string> } = {}) {
    const bin = join(this.folder, ".bin");
    for (const folder of [bin, join(this.folder, "work")]) mkdirSync(folder);
    writeFileSync(join(bin, "firebreak"), `#!/bin/sh\nexec '${process.execPath}' '${ENTRY}' "$@"\n`, { mode: 0o755 });
    symlinkSync(ROOT, join(this.folder, "firebreak"));
    writeFileSync(join(this.folder, ".gitconfig"), "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n");
    this.#cwd = join(this.folder, "work");
    this.#places = Object.entries(places);
    const path = `${bin}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
    this.#environment = { PATH: path, HOME: this.folder, LC_ALL: "C.UTF-8", GIT_CONFIG_NOSYSTEM: "1", ...environment };
  }

  /** @returns what is not as the page says */
  async type(block: Block): Promise<readonly string[]> {
    if (block.kind === "not run") return [];
    if (block.kind === "file") {
      const file = join(this.#cwd, block.detail);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${this.#here(block.text)}\n`);
      return [];
    }
    if (block.kind === "start") {
      return await this.#start(block.text.replace(/^\$ /, ""));
    }
    return await this.#run(block);
  }

  #here(text: string): string {
    return this.#places.reduce((so, [name, real]) => so.replaceAll(name, real), text);
  }

  /** Waits, as its reader does, until it listens. */
  async #start(command: string): Promise<readonly string[]> {
    const child = spawn("bash", ["-c", `exec ${this.#here(command)}`], { cwd: this.#cwd, env: this.#environment, stdio: "ignore" });
    child.on("error", () => undefined);
    this.#running.push(child);
    const address = join(this.#cwd, ".firebreak/api.address");
    const listens = async (): Promise<boolean> => {
      if (child.exitCode !== null || child.signalCode !== null) return true;
      return existsSync(address) && (await fetch(`${readFileSync(address, "utf8").trim()}/livez`)).ok;
    };
    await until(listens, 120_000);
    return child.exitCode === null ? [] : [`$ ${command} ended with ${child.exitCode}`];
  }

  async #run({ at, detail, text }: Block): Promise<readonly string[]> {
    const commands = commandsOf(this.#here(text));
    const problems: string[] = [];
    const wanted = Number(/^exits (\d+)$/.exec(detail)?.[1] ?? 0);
    for (const [index, { command, prints }] of commands.entries()) {
      const expected = index === commands.length - 1 ? wanted : 0;
      let { code, printed } = await this.#shell(command);
      for (let tries = 1; detail === "again" && code !== expected && tries < 6; tries += 1)
        ({ code, printed } = await this.#shell(command));
      const told = `${at}\n$ ${command}\n${printed}`;
      if (code !== expected) problems.push(`${told}--- ended with ${code} and not ${expected}`);
      const said = prints.filter((line, place) => line !== "" || place < prints.length - 1);
      if (said.length > 0 && !isAsPrinted(said, printed)) problems.push(`${told}--- the page says\n${said.join("\n")}`);
    }
    return problems;
  }

  async #shell(command: string): Promise<{ readonly code: number; readonly printed: string }> {
    const after = join(this.folder, ".cwd");
    const script = `{ ${command}\n} 2>&1 </dev/null; code=$?; pwd > '${after}'; exit $code`;
    const options = { cwd: this.#cwd, env: this.#environment, timeout: 240_000, maxBuffer: 64 * 1024 * 1024 };
    const done = await new Promise<{ code: number; printed: string }>((resolve) => {
      execFile("bash", ["-c", script], options, (error, stdout) => {
        resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, printed: stdout });
      });
    });
    this.#cwd = readFileSync(after, "utf8").trim();
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
