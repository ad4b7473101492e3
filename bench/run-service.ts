/** `firebreak up` as a process of its own, as operators run it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "undici";
import { ApiClient } from "../cli/api.ts";
import { loadSettings } from "../cli/settings.ts";
import { API, type StatusAnswer } from "../core/api/shapes.ts";
import type { Run } from "../testbed/run.ts";
import { waitFor } from "../testbed/wait.ts";

/** How often conditions are looked at: what is measured is known to this much. */
export const LOOK_MS = 20;
const PATIENCE_MS = 300_000; // a shared machine may be ten times slower than an idle one

/** A running service. Dispose it, and it is asked to end (SIGTERM) and waited for. */
export interface Service extends AsyncDisposable {
  readonly pid: number;
  readonly api: ApiClient;
  /** http://ADDRESS:PORT */
  readonly address: string;
  status(): Promise<StatusAnswer>;
  /** Resolves once every target is in sync, at this revision if one is given. */
  inSync(sequence?: number): Promise<void>;
  /** As `inSync`, and nothing is left to do: no run will look at a target by itself. */
  quiet(): Promise<void>;
  /** Value of a metric without labels. */
  metric(name: string): Promise<number>;
}

/** Starts it and waits until its API answers. */
export async function startService(run: Run, settingsFile: string): Promise<Service> {
  const settings = await loadSettings(settingsFile);
  const entry = join(import.meta.dirname, "..", "cli", "firebreak.ts");
  const daemon = run.start({ label: "firebreak up", argv: [process.execPath, entry, "up", "--config", settingsFile] });
  const api = await waitFor(
    async () => {
      daemon.check();
      const client = await ApiClient.open(settings);
      await client.get(API.status);
      return client;
    },
    { what: "the API answers", timeoutMs: PATIENCE_MS, everyMs: 100 },
  );
  const inFile = (file: string): string => readFileSync(join(settings.stateFolder, file), "utf8").trim();
  const address = inFile("api.address");
  const status = async (): Promise<StatusAnswer> => await api.get<StatusAnswer>(API.status);
  const metric = async (name: string): Promise<number> => {
    const { body } = await request(`${address}/metrics`, { headers: { authorization: `Bearer ${inFile("api.token")}` } });
    const line = (await body.text()).split("\n").find((text) => text.startsWith(`${name} `));
    return Number(line?.split(" ")[1]);
  };
  const inSync = async (sequence?: number): Promise<void> => {
    const isThere = async (): Promise<boolean> => {
      daemon.check();
      const { targets } = await status();
      return (
        targets.length > 0 && targets.every(({ state, revision }) => state === "in sync" && revision === (sequence ?? revision))
      );
    };
    await waitFor(isThere, { what: "all targets are in sync", timeoutMs: PATIENCE_MS, everyMs: LOOK_MS });
  };
  const isQuiet = async (): Promise<boolean> => (await metric("firebreak_work_open")) === 0;
  return {
    pid: daemon.pid,
    api,
    address,
    status,
    inSync,
    quiet: async () => {
      await waitFor(isQuiet, { what: "nothing is left to do", timeoutMs: PATIENCE_MS, everyMs: LOOK_MS });
      await inSync();
    },
    metric,
    [Symbol.asyncDispose]: async () => await daemon.stop("SIGTERM"),
  };
}
