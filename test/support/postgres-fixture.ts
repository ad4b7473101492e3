import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { until } from "./until.ts";

/** A real PostgreSQL server of its own, on a free port of loopback. */
export interface PostgresFixture extends AsyncDisposable {
  readonly url: string;
  /** A new, empty database on it. */
  createDatabase(): Promise<string>;
  /** Ends every connection, as a restart of the server would. */
  breakConnections(): Promise<void>;
}

/** Starts Debian's PostgreSQL in a temporary folder, as user postgres (the server refuses root). */
export async function startPostgres(): Promise<PostgresFixture> {
  const folder = mkdtempSync(join(tmpdir(), "fb-postgres-"));
  const bin = binFolder();
  const user = process.getuid?.() === 0 ? idOf("postgres") : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  const port = await freePort();
  const data = join(folder, "data");
  const as = { ...user, cwd: folder, env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", HOME: folder } };
  const made = spawnSync(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], {
    ...as,
    encoding: "utf8",
  });
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`initdb failed: ${made.stderr}`);
  }
  const options = [
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    `unix_socket_directories=${folder}`,
    "-c",
    "fsync=off",
    "-c",
    "max_connections=200",
  ];
  const server = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...options], { ...as, stdio: "ignore" });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const admin = async (text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  };
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill("SIGINT");
      await once(server, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(
      () =>
        admin("SELECT 1").then(
          () => true,
          () => false,
        ),
      30_000,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  let databases = 0;
  return {
    url,
    async createDatabase() {
      databases += 1;
      await admin(`CREATE DATABASE test_${databases}`);
      return url.replace(/postgres$/, `test_${databases}`);
    },
    breakConnections: () =>
      admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"),
    [Symbol.asyncDispose]: stop,
  };
}

function binFolder(): string {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  if (versions[0] === undefined) throw new Error("PostgreSQL is missing: apt-get install postgresql");
  return join(root, versions[0], "bin");
}

function idOf(name: string): { readonly uid: number; readonly gid: number } {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`there is no user ${name}`);
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** A TCP port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
