/** Firebreak as its users run it: one process on the embedded default, or syncer, drift and console on Redis and PostgreSQL. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyTrail } from "../../adapters/trail/verify.ts";
import { ApiClient } from "../../cli/api.ts";
import { readEntries } from "../../cli/audit-folder.ts";
import { loadSettings } from "../../cli/settings.ts";
import { API, type FindingAnswer, type StatusAnswer, type TargetStatus } from "../../core/api/shapes.ts";
import type { StoredEntry } from "../../core/audit/entry.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import type { FindingKind } from "../../core/finding/finding.ts";
import { formatFindings, formatStatus } from "../../core/text/answers.ts";
import { TOKEN_FILE } from "../../services/api-token.ts";
import type { StepName } from "../../services/syncer/context.ts";
import type { Daemon } from "../../testbed/daemon.ts";
import { writeSettings, type SettingsOptions } from "../../testbed/organisation.ts";
import { freePort } from "../../testbed/ports.ts";
import { startPostgres } from "../../testbed/postgres.ts";
import { startRedis, type TestRedis } from "../../testbed/redis.ts";
import { Gone, waitFor } from "../../testbed/wait.ts";
import type { Organisation } from "./e2e-organisation.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Long enough for a loaded machine; conditions end the wait, this only ends a hopeless one. */
const PATIENCE_MS = 90_000;

export type Mode = "embedded" | "scale-out";
/** A process: all of it, or one service. */
export type Part = "up" | "syncer" | "drift" | "console";

export interface Firebreak {
  readonly mode: Mode;
  readonly settings: SettingsFile;
  /** Its firebreak.yaml; in scale-out the console's. */
  readonly settingsFile: string;
  /** Where the log, its key and the store are; in scale-out the syncer's. */
  readonly stateFolder: string;
  readonly redis: TestRedis | undefined;
  /** Starts every process that does not run, and waits until the API answers. */
  start(): Promise<void>;
  /** Ends processes as a crash would (SIGKILL); all, or one. */
  kill(part?: Part): Promise<void>;
  /** Makes the process kill itself when a run of the target comes to this step; only with `endsAtSteps`. */
  killAt(step: StepName, target: string): void;
  /** Waits until a process has ended by itself. */
  ended(): Promise<void>;
  /** Ends all as an operator would (SIGTERM). */
  stop(): Promise<void>;
  api(): Promise<ApiClient>;
  status(): Promise<StatusAnswer>;
  target(id: string): Promise<TargetStatus>;
  findings(options?: { readonly all?: boolean; readonly target?: string }): Promise<readonly FindingAnswer[]>;
  /** Waits until this commit is in force and every target that Git names is in sync with it. */
  converged(commit: string): Promise<StatusAnswer>;
  /** Waits for a finding, open or, with `all`, one that may be over already. */
  finding(
    kind: FindingKind,
    where: { readonly target: string; readonly subject?: string | RegExp; readonly all?: boolean; readonly since?: number },
  ): Promise<FindingAnswer>;
  /** Waits until a finding is resolved. */
  resolved(fingerprint: string): Promise<FindingAnswer>;
  /** The entries of the log, in order. */
  log(): Promise<readonly StoredEntry[]>;
  /** Verifies the log with the key that was pinned when it was made. */
  verifyLog(): Promise<string>;
  /** What the processes wrote to standard error. */
  output(): string;
}

export interface FirebreakOptions {
  readonly mode?: Mode;
  /** Laid over the settings, top level; what it says of the repository is laid over that. */
  readonly settings?: NonNullable<SettingsOptions["extra"]>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Runs the services in a process that {@link Firebreak.killAt} works on, instead of the command. */
  readonly endsAtSteps?: boolean;
}

/** Writes settings for the organisation; nothing runs yet. */
export async function prepareFirebreak(organisation: Organisation, options: FirebreakOptions = {}): Promise<Firebreak> {
  const { world } = organisation;
  const { mode = "embedded" } = options;
  const parts: readonly Part[] = mode === "embedded" ? ["up"] : ["syncer", "drift", "console"];
  const redis = mode === "embedded" ? undefined : await startRedis({ run: world.run });
  const postgres = mode === "embedded" ? undefined : await startPostgres({ run: world.run });
  const servers = mode === "embedded" ? {} : { database: "env:E2E_DATABASE", redis: "env:E2E_REDIS" };
  const environment = {
    ...(postgres === undefined ? {} : { E2E_DATABASE: postgres.url }),
    ...(redis === undefined ? {} : { E2E_REDIS: redis.url }),
    ...options.environment,
  };
  const token = randomUUID();
  const folders = new Map<Part, string>();
  const files = new Map<Part, string>();
  for (const part of parts) {
    const stateFolder = world.run.makeFolder(`state-${part}`);
    const listen = `127.0.0.1:${await freePort()}`;
    folders.set(part, stateFolder);
    // Console and syncer share the token, by which the syncer knows what the API asked; drift has one of its own.
    if (part === "syncer" || part === "console") writeFileSync(join(stateFolder, TOKEN_FILE), token, { mode: 0o600 });
    files.set(part, writeSettings({ world, stateFolder, listen, extra: { ...servers, ...options.settings } }));
  }
  const front: Part = mode === "embedded" ? "up" : "console";
  const hands: Part = mode === "embedded" ? "up" : "syncer";
  const settingsFile = files.get(front) ?? "";
  const stateFolder = folders.get(hands) ?? "";
  const settings = await loadSettings(settingsFile);
  const running = new Map<Part, Daemon>();
  const logFile = (part: Part): string => join(world.run.folder, `firebreak-${part}.log`);
  const killFile = join(world.run.folder, "kill-at");
  let pinnedKey: string | undefined;

  const firebreak: Firebreak = {
    mode,
    settings,
    settingsFile,
    stateFolder,
    redis,
    async start() {
      for (const part of parts) {
        if (running.has(part)) continue;
        const file = files.get(part) ?? "";
        const command =
          options.endsAtSteps === true
            ? ["test/support/e2e-child.ts", file, killFile]
            : ["cli/firebreak.ts", part, "--config", file];
        const argv = [process.execPath, join(ROOT, command[0] ?? ""), ...command.slice(1)];
        running.set(part, world.run.start({ label: `firebreak ${part}`, argv, env: environment, logFile: logFile(part) }));
      }
      const answers = async (): Promise<StatusAnswer> => {
        for (const daemon of running.values()) daemon.check();
        return await firebreak.status();
      };
      await waitFor(answers, { what: "the API answers", timeoutMs: PATIENCE_MS, everyMs: 100 });
    },
    async kill(part) {
      for (const [name, daemon] of running) {
        if (part !== undefined && part !== name) continue;
        running.delete(name);
        await daemon.stop("SIGKILL");
      }
    },
    killAt: (step, target) => writeFileSync(killFile, `${step} ${target}`),
    async ended() {
      const hasEnded = (): boolean => [...running.values()].some(isGone);
      await waitFor(hasEnded, { what: "a process has ended", timeoutMs: PATIENCE_MS });
      for (const [part, daemon] of running) if (isGone(daemon)) running.delete(part);
    },
    async stop() {
      const ending = [...running.values()];
      running.clear();
      await Promise.all(ending.map(async (daemon) => await daemon.stop("SIGTERM")));
    },
    api: async () => await ApiClient.open(settings),
    status: async () => await (await firebreak.api()).get<StatusAnswer>(API.status),
    async target(id) {
      const found = (await firebreak.status()).targets.find(({ target }) => target === id);
      if (found === undefined) throw new Error(`status names no ${id}`);
      return found;
    },
    async findings({ all = false, target } = {}) {
      const query = { ...(all ? { all: "true" } : {}), ...(target === undefined ? {} : { target }) };
      return await (await firebreak.api()).get<readonly FindingAnswer[]>(API.findings, query);
    },
    async converged(commit) {
      const isThere = async (): Promise<StatusAnswer | undefined> => {
        const status = await firebreak.status();
        const inGit = status.targets.filter(({ state }) => state !== "orphaned" && state !== "plan only");
        // A revision is in force a moment before its targets have heard of it.
        const done = inGit.every(({ state, revision }) => state === "in sync" && revision === status.revision?.sequence);
        return status.revision?.commit === commit && inGit.length > 0 && done ? status : undefined;
      };
      return await explaining(`every target is in sync with ${commit.slice(0, 10)}`, isThere);
    },
    async finding(kind, { target, subject, all = false, since = 0 }) {
      const fits = (finding: FindingAnswer): boolean =>
        finding.kind === kind &&
        Date.parse(finding.firstSeen) >= since &&
        (subject === undefined || matches(finding.subject, subject));
      const look = async (): Promise<FindingAnswer | undefined> => (await firebreak.findings({ all, target })).find(fits);
      return await explaining(`there is a finding ${kind} on ${target}`, look);
    },
    async resolved(fingerprint) {
      const look = async (): Promise<FindingAnswer | undefined> =>
        (await firebreak.findings({ all: true })).find(
          (finding) => finding.fingerprint === fingerprint && finding.resolvedAt !== null,
        );
      return await explaining(`finding ${fingerprint} is resolved`, look);
    },
    async log() {
      const entries: StoredEntry[] = [];
      for await (const entry of readEntries(join(stateFolder, "audit"))) entries.push(entry);
      return entries;
    },
    async verifyLog() {
      pinnedKey ??= readFileSync(join(stateFolder, "audit.key.pub"), "utf8").trim();
      return (await verifyTrail(join(stateFolder, "audit"), { verifierKey: pinnedKey })).verdict;
    },
    output: () => parts.map((part) => readFileSync(logFile(part), "utf8")).join(""),
  };

  /** Waits, and when it was in vain says what Firebreak thinks of the world: the reader of a failed test has nothing else. */
  async function explaining<T>(what: string, condition: () => Promise<T | undefined>): Promise<T> {
    try {
      return await waitFor(condition, { what, timeoutMs: PATIENCE_MS, everyMs: 100 });
    } catch (cause) {
      const told = await tell().catch(String);
      throw new Error(`waited in vain until ${what}\n${told}\n${firebreak.output().slice(-6_000)}`, { cause });
    }
  }
  async function tell(): Promise<string> {
    const [status, findings] = [await firebreak.status(), await firebreak.findings({ all: true })];
    return `${formatStatus(status, Date.now())}\n${formatFindings(findings, Date.now())}`;
  }
  return firebreak;
}

/** Firebreak on the organisation, started and converged on the head of the branch. */
export async function startFirebreak(organisation: Organisation, options: FirebreakOptions = {}): Promise<Firebreak> {
  const firebreak = await prepareFirebreak(organisation, options);
  await firebreak.start();
  await firebreak.converged((await organisation.world.repository.head()) ?? "");
  return firebreak;
}

/** Deletes the embedded store, as a lost volume would: log, key and instance stay. */
export function loseStore({ stateFolder }: Firebreak): void {
  rmSync(join(stateFolder, "store"), { recursive: true, force: true });
  mkdirSync(stateFolder, { recursive: true });
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === "string" ? text === wanted : wanted.test(text);
}

function isGone(daemon: Daemon): boolean {
  try {
    daemon.check();
    return false;
  } catch (error) {
    if (error instanceof Gone) return true;
    throw error;
  }
}
