/** Firebreak itself: `firebreak up` as a process of its own, and the API it serves. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { VERIFIER_KEY_PATH } from "../../adapters/trail/open.ts";
import { ApiClient } from "../../cli/api.ts";
import { loadSettings } from "../../cli/settings.ts";
import { API, type SignInAnswer, type FindingAnswer, type StatusAnswer, type TargetStatus } from "../../core/api/shapes.ts";
import { CHECKPOINT_PATH } from "../../core/audit/tiles.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import type { Daemon } from "../daemon.ts";
import type { Run } from "../run.ts";
import { waitFor } from "../wait.ts";

const FIREBREAK = fileURLToPath(new URL("../../cli/firebreak.ts", import.meta.url));
const START_TIMEOUT_MS = 120_000;
const APPLY_TIMEOUT_MS = 180_000; // seconds on an idle machine; a first build may share it
const STOP_TIMEOUT_MS = 20_000;

export interface ServiceOptions {
  readonly run: Run;
  readonly settingsFile: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/** `firebreak up` that runs, and what it says. */
export interface Service {
  readonly settings: SettingsFile;
  readonly auditFolder: string;
  /** The log's key as it was when the log was new: kept here, it cannot be replaced there. */
  readonly pinnedKey: string;
  readonly firstCheckpoint: string;
  status(): Promise<StatusAnswer>;
  /** Findings of a target that were opened at or after this moment (ms since the epoch), resolved ones too. */
  findingsSince(target: string, since: number): Promise<readonly FindingAnswer[]>;
  /** Waits until this commit is in force, and in sync on all of its targets (at least `count`). */
  inForce(commit: string, count: number): Promise<StatusAnswer>;
  /** Waits until a target is in sync and nothing is found there. */
  settled(target: string): Promise<TargetStatus>;
  /** A link into its console, which counts once. */
  signIn(): Promise<string>;
  /** Asks it to stop; after 20 s it is not asked any more. */
  stop(): Promise<void>;
}

/** Starts `firebreak up` and waits until its API answers. */
export async function startService({ run, settingsFile, logFile, signal }: ServiceOptions): Promise<Service> {
  const settings = await loadSettings(settingsFile);
  // ssh's control sockets go to the temporary folder when the state folder's path is too long for them; this one goes with the run.
  const env = { TMPDIR: run.makePublicFolder(`tmp-${randomUUID().slice(0, 4)}`) };
  const argv = [process.execPath, FIREBREAK, "up", "--config", settingsFile];
  const daemon = run.start({ label: "firebreak up", argv, logFile, env, stopSignal: "SIGTERM" });
  const wait = async <T>(what: string, timeoutMs: number, condition: () => Promise<T | undefined>): Promise<T> =>
    await waitFor(async () => (daemon.check(), await condition()), { what, timeoutMs, everyMs: 50, signal });
  const api = await wait("Firebreak answers", START_TIMEOUT_MS, async () => {
    const client = await ApiClient.open(settings);
    await client.get(API.status);
    return client;
  });
  const auditFolder = settings.audit.folder ?? join(settings.stateFolder, "audit");
  const status = async (): Promise<StatusAnswer> => await api.get<StatusAnswer>(API.status);
  return {
    settings,
    auditFolder,
    pinnedKey: await readFile(join(auditFolder, VERIFIER_KEY_PATH), "utf8"),
    firstCheckpoint: await readFile(join(auditFolder, CHECKPOINT_PATH), "utf8"),
    status,
    async findingsSince(target, since) {
      const findings = await api.get<readonly FindingAnswer[]>(API.findings, { all: "1", target });
      return findings.filter(({ firstSeen }) => Date.parse(firstSeen) >= since);
    },
    inForce: async (commit, count) =>
      await wait(`commit ${commit.slice(0, 10)} is in force on ${count} targets`, APPLY_TIMEOUT_MS, async () => {
        const answer = await status();
        const isThere = answer.revision?.commit === commit && answer.targets.length >= count;
        return isThere && answer.targets.every((target) => isApplied(target, answer)) ? answer : undefined;
      }),
    settled: async (target) =>
      await wait(`${target} is in sync without findings`, APPLY_TIMEOUT_MS, async () =>
        (await status()).targets.find((row) => row.target === target && row.state === "in sync" && row.openFindings === 0),
      ),
    signIn: async () => api.addressOf((await api.post<SignInAnswer>(API.signIn, {})).path),
    stop: async () => await stop(daemon),
  };
}

function isApplied({ state, revision }: TargetStatus, answer: StatusAnswer): boolean {
  return state === "in sync" && revision === answer.revision?.sequence;
}

async function stop(daemon: Daemon): Promise<void> {
  const patience = setTimeout(() => void daemon.stop("SIGKILL"), STOP_TIMEOUT_MS);
  await daemon.stop();
  clearTimeout(patience);
}
