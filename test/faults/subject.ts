/** Firebreak under faults: its processes, as a supervisor runs them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportTrail } from "../../adapters/trail/export.ts";
import { API, type FindingAnswer, type StatusAnswer } from "../../core/api/shapes.ts";
import { command, tryCommand, type CommandResult } from "../../testbed/command.ts";
import type { Daemon } from "../../testbed/daemon.ts";
import { writeSettings } from "../../testbed/organisation.ts";
import { freePort } from "../../testbed/ports.ts";
import { CLUSTER, FLEET } from "./definitions.ts";
import { mountDisk, type Disk } from "./disk.ts";
import type { Form, Part } from "./schedule.ts";
import type { Stage } from "./stage.ts";

const ROOT = join(import.meta.dirname, "../..");
const CLOCK = fileURLToPath(new URL("./clock.ts", import.meta.url));
const TOKEN = "faults-token";
const ANSWER_MS = 3_000;
/** Longer than the command's own patience, on a slow machine. */
const ASK_MS = 180_000;
const STOP_MS = 20_000;
/** As a service manager would: a process that ended by itself is started again after a second. */
const RESTART_MS = 1_000;

/** An end of a process that the driver did not bring about. */
export interface Ended {
  readonly at: number;
  readonly part: Part;
  readonly how: string;
  /** How long it had run. */
  readonly afterMs: number;
}

export interface Answer {
  readonly code: number;
  readonly text: string;
}

export interface Subject {
  readonly form: Form;
  readonly parts: readonly Part[];
  /** The process that answers people. */
  readonly front: Part;
  /** URL of its database; undefined for the embedded one. */
  readonly database: string | undefined;
  /** Where the log and its key are. */
  readonly logFolder: string;
  readonly keyFile: string;
  readonly ended: readonly Ended[];
  /** Its state folder. */
  folderOf(part: Part): string;
  pidOf(part: Part): number | undefined;
  start(part: Part): void;
  kill(part: Part): Promise<void>;
  signal(part: Part, signal: "SIGSTOP" | "SIGCONT"): void;
  /** SIGTERM to all; how each of them ended. */
  stop(): Promise<ReadonlyMap<Part, string>>;
  get(part: Part, path: string): Promise<Answer | undefined>;
  status(): Promise<StatusAnswer | undefined>;
  /** The command line, asking the front: `firebreak WORDS`. */
  ask(words: readonly string[]): Promise<CommandResult>;
  findings(): Promise<readonly FindingAnswer[] | undefined>;
  /** The disk that the log is on. */
  readonly disk: Disk;
  setClock(offsetMs: number): void;
  backup(): Promise<void>;
  /** Kills everything, and puts back what the backup holds; whoever is to be started meanwhile is started afterwards. */
  restore(): Promise<void>;
  output(part: Part): string;
  remove(): Promise<void>;
}

/** What of a state folder cannot be made again, beside the log; some of it is there only in one form. */
const KEPT = ["audit.key", "audit.key.pub", "audit.key.head", "instance", "firebreak.yaml", "known_hosts", "git.token"];

let subjects = 0;

/** Settings and folders; nothing runs yet. */
export async function prepareSubject(stage: Stage, form: Form): Promise<Subject> {
  const { world, servers } = stage;
  subjects += 1;
  const name = `subject-${subjects}`;
  const parts: readonly Part[] = form === "embedded" ? ["up"] : ["syncer", "drift", "console"];
  const hands: Part = form === "embedded" ? "up" : "syncer";
  const front: Part = form === "embedded" ? "up" : "console";
  const disk = await mountDisk(world.run, `${name}-disk`);
  const clockFile = join(world.run.folder, `${name}-clock`);
  writeFileSync(clockFile, "0");
  if (form === "scale-out" && servers === undefined) throw new Error("this stage has no servers for three processes");
  const database = form === "scale-out" ? await servers?.postgres.createDatabase(name) : undefined;
  const environment = {
    FAULT_CLOCK: clockFile,
    FAULT_TOKEN: TOKEN,
    ...(database === undefined ? {} : { FAULT_DATABASE: database, FAULT_REDIS: servers?.redis.url ?? "" }),
  };
  const folders = new Map<Part, string>();
  const ports = new Map<Part, number>();
  for (const part of parts) {
    const folder = part === hands ? disk.folder : world.run.makeFolder(`${name}-${part}`);
    const port = await freePort();
    folders.set(part, folder);
    ports.set(part, port);
    writeOwnSettings(stage, folder, port, form);
  }
  const running = new Map<Part, Daemon>();
  const since = new Map<Part, number>();
  const wanted = new Set<Part>();
  const ended: Ended[] = [];
  let isHeld = false;
  const logFile = (part: Part): string => join(world.run.folder, `${name}-${part}.log`);
  const start = (part: Part): void => {
    if (running.has(part) || isHeld) return;
    wanted.add(part);
    since.set(part, Date.now());
    const file = join(folders.get(part) ?? "", "firebreak.yaml");
    const argv = [process.execPath, "--import", CLOCK, join(ROOT, "cli/firebreak.ts"), part, "--config", file];
    running.set(part, world.run.start({ label: `firebreak ${part}`, argv, env: environment, logFile: logFile(part) }));
  };
  const supervision = setInterval(() => {
    for (const [part, daemon] of running) {
      const how = endOf(daemon);
      if (how === undefined) continue;
      running.delete(part);
      ended.push({ at: Date.now(), part, how, afterMs: Date.now() - (since.get(part) ?? 0) });
      setTimeout(() => wanted.has(part) && start(part), RESTART_MS);
    }
  }, 100);
  const kill = async (part: Part): Promise<void> => {
    wanted.delete(part);
    const daemon = running.get(part);
    running.delete(part);
    await daemon?.stop("SIGKILL");
  };
  const get = async (part: Part, path: string): Promise<Answer | undefined> => {
    try {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const response = await fetch(`http://127.0.0.1:${ports.get(part)}${path}`, {
        headers,
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      return { code: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  };
  const json = async <T>(path: string): Promise<T | undefined> => {
    const answer = await get(front, path);
    return answer?.code === 200 ? (JSON.parse(answer.text) as T) : undefined;
  };
  const backupFolder = join(world.run.folder, `${name}-backup`);
  const dump = join(world.run.folder, `${name}.dump`);
  return {
    form,
    parts,
    front,
    database,
    logFolder: join(disk.folder, "audit"),
    keyFile: join(disk.folder, "audit.key.pub"),
    ended,
    folderOf: (part) => folders.get(part) ?? "",
    pidOf: (part) => running.get(part)?.pid,
    start,
    kill,
    signal(part, signal) {
      const daemon = running.get(part);
      if (daemon !== undefined && endOf(daemon) === undefined) process.kill(daemon.pid, signal);
    },
    async stop() {
      wanted.clear();
      clearInterval(supervision);
      const ending = [...running];
      running.clear();
      const ends = new Map<Part, string>();
      const end = async ([part, daemon]: readonly [Part, Daemon]): Promise<void> => {
        const late = setTimeout(() => {
          ends.set(part, `did not stop within ${STOP_MS} ms`);
          process.kill(daemon.pid, "SIGKILL");
        }, STOP_MS);
        await daemon.stop("SIGTERM");
        clearTimeout(late);
        if (!ends.has(part)) ends.set(part, endOf(daemon) ?? "unknown");
      };
      await Promise.all(ending.map(end));
      return ends;
    },
    get,
    ask: async (words) =>
      await tryCommand([process.execPath, join(ROOT, "cli/firebreak.ts"), ...words], {
        env: { FIREBREAK_SERVICE_URL: `http://127.0.0.1:${ports.get(front)}`, FIREBREAK_SERVICE_TOKEN: TOKEN },
        cwd: world.run.folder,
        timeoutMs: ASK_MS,
      }),
    status: async () => await json<StatusAnswer>(API.status),
    findings: async () => await json<readonly FindingAnswer[]>(`${API.findings}?all=true`),
    disk,
    setClock: (offsetMs) => writeFileSync(clockFile, String(offsetMs)),
    async backup() {
      await rm(backupFolder, { recursive: true, force: true });
      if (database !== undefined) await command(["pg_dump", "--format=custom", "--file", dump, database]);
      // As docs/design/work-and-store.md says: the store first, then the key and what it remembers, the log last.
      for (const name of KEPT) await cp(join(disk.folder, name), join(backupFolder, name), { force: true }).catch(unlessMissing);
      await exportTrail(join(disk.folder, "audit"), join(backupFolder, "audit"));
    },
    async restore() {
      isHeld = true;
      try {
        for (const part of parts) await kill(part);
        // Workers that end with the process may still be keeping their compiled code.
        await rm(disk.folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
        await cp(backupFolder, disk.folder, { recursive: true });
        if (database !== undefined) await command(["pg_restore", "--clean", "--if-exists", "--dbname", database, dump]);
      } finally {
        isHeld = false;
      }
    },
    output: (part) => (existsSync(logFile(part)) ? readFileSync(logFile(part), "utf8") : ""),
    async remove() {
      clearInterval(supervision);
      wanted.clear();
      for (const part of parts) await kill(part);
      await disk.remove();
    },
  };
}

function writeOwnSettings({ world }: Stage, folder: string, port: number, form: Form): void {
  const servers = form === "embedded" ? {} : { database: "env:FAULT_DATABASE", redis: "env:FAULT_REDIS" };
  writeSettings({
    world,
    stateFolder: folder,
    listen: `127.0.0.1:${port}`,
    extra: {
      allow: { contexts: [CLUSTER], hosts: [world.plan.hosts], users: ["root"] },
      api: { token: "env:FAULT_TOKEN" },
      hosts: { settle: "200ms", deadMan: "10s", readEvery: "1s" },
      clusters: { readEvery: "2s" },
      ...servers,
    },
  });
  const pinned = [...world.hosts.values()].map((host) => `host/${FLEET}/${host.name} ${host.hostKey}\n`);
  writeFileSync(join(folder, "known_hosts"), pinned.join(""), { mode: 0o600 });
}

function unlessMissing(error: unknown): void {
  if ((error as { code?: string }).code !== "ENOENT") throw error;
}

/** How a process ended; undefined while it runs. */
function endOf(daemon: Daemon): string | undefined {
  try {
    daemon.check();
    return undefined;
  } catch (error) {
    return /ended with (\S+?);/.exec(String(error))?.[1] ?? String(error).slice(0, 200);
  }
}

/** Resident memory, open descriptors and child processes of a process; undefined when it is gone. */
export function resourcesOf(
  pid: number,
): { readonly rssMb: number; readonly descriptors: number; readonly children: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const rssMb = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).length;
    return { rssMb, descriptors: readdirSync(`/proc/${pid}/fd`).length, children };
  } catch {
    return undefined;
  }
}

/** Processor time that a process and those of its children that have ended took so far, ms; 0 when it is gone. */
export function processorMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10; // 100 ticks a second on every Linux
  } catch {
    return 0;
  }
}
