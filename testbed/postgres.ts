/** A real PostgreSQL server on a free loopback port, with its data in a temporary folder. */
import { chownSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { command } from "./command.ts";
import type { Daemon } from "./daemon.ts";
import { freePort } from "./ports.ts";
import type { Run } from "./run.ts";
import { waitFor } from "./wait.ts";

export interface PostgresOptions {
  readonly run: Run;
  readonly signal?: AbortSignal | undefined;
}

export interface TestPostgres extends AsyncDisposable {
  readonly port: number;
  /** postgresql://firebreak@127.0.0.1:PORT/firebreak (superuser, trusted on loopback). */
  readonly url: string;
  /** Creates an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Ends it at once, as a crash would; the data stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const ROLE = "firebreak";

/** Creates a cluster (no fsync), starts it, creates database `firebreak`. About 1.5 s. */
export async function startPostgres({ run, signal }: PostgresOptions): Promise<TestPostgres> {
  const port = await freePort();
  const folder = run.makePublicFolder(`postgres-${port}`);
  run.defer(() => rmSync(folder, { recursive: true, force: true }));
  const user = await serverUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const become = user === undefined ? [] : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const initdb = [
    programPath("initdb"),
    "--pgdata",
    data,
    "--username",
    ROLE,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
  ];
  await command([...become, ...initdb], { cwd: folder, signal, timeoutMs: 240_000 }); // 3 s, but for a machine that does much else

  const fast = ["-c", "fsync=off", "-c", "full_page_writes=off"];
  const where = ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${folder}`];
  const urlOf = (database: string): string => `postgresql://${ROLE}@127.0.0.1:${port}/${database}`;
  let daemon: Daemon;
  const start = async (): Promise<void> => {
    daemon = run.start({
      label: `postgres on ${port}`,
      argv: [programPath("postgres"), ...where, ...fast],
      cwd: folder,
      stopSignal: "SIGQUIT", // immediate shutdown: its children too, without a checkpoint
      ...(user === undefined ? {} : { user }),
    });
    const answers = async (): Promise<boolean> => {
      daemon.check();
      await query(urlOf("postgres"), "select 1");
      return true;
    };
    await waitFor(answers, { what: "PostgreSQL answers", timeoutMs: 120_000, everyMs: 50, signal });
  };
  const stop = (): Promise<void> => daemon.stop();
  await start();
  const createDatabase = async (name: string): Promise<string> => {
    await query(urlOf("postgres"), `create database "${name.replaceAll('"', '""')}"`);
    return urlOf(name);
  };
  const url = await createDatabase(ROLE);
  return { port, url, createDatabase, stop, start, [Symbol.asyncDispose]: stop };
}

/** PostgreSQL refuses to run as root: user postgres where the package made one, else nobody. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const script = "for u in postgres nobody; do id -u $u && id -g $u && exit 0; done 2>/dev/null";
  const [uid, gid] = (await command(["sh", "-c", script])).trim().split("\n").map(Number);
  if (uid === undefined || gid === undefined) throw new Error("there is neither a user postgres nor nobody to run PostgreSQL as");
  return { uid, gid };
}

/** Debian keeps the servers' programs off PATH, one folder per version: the newest is taken. */
function programPath(name: string): string {
  const root = "/usr/lib/postgresql";
  let versions: string[] = [];
  try {
    versions = readdirSync(root).filter((entry) => /^\d+$/.test(entry));
  } catch {
    return name; // not Debian's layout: PATH decides
  }
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? name : join(root, newest, "bin", name);
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined); // a server that is being started or stopped cuts connections; the query's promise tells
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}
