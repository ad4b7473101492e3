import { PGlite } from "@electric-sql/pglite";
import { CamelCasePlugin, Kysely, PGliteDialect, sql } from "kysely";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { FirebreakError } from "../../core/ground/error.ts";
import { makeEmptyDatabase } from "./empty-database.ts";
import { localLocks } from "./exclusive.ts";
import { lockStateFolder } from "./lock.ts";
import { migrate } from "./migrate.ts";
import { CHANNEL, createHub } from "./notify.ts";
import type { StoreReport } from "./open.ts";
import type { EmbeddedSession, Store } from "./session.ts";
import type { Tables } from "./tables.ts";

/** 128 MB of buffers (the default) cost 126 MB of resident memory and 60 ms of start-up for a database of a few megabytes. */
const CONFIGURATION = ["shared_buffers=16MB"] as const;

/**
 * PGlite's code is compiled once, by the baseline compiler. To make it quicker V8 compiles what is used much a second time, with 400 to
 * 500 MB of memory for its largest functions, and keeps half of that; for our few statements that is never paid back.
 */
const COMPILE_ONCE = ["--liftoff-only", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering"] as const;

/** Copies of unreadable databases that are kept for a look; older ones go. */
const KEPT_COPIES = 2;

/** Failures of the machine, not of the files: moving the database aside would not help. */
const MACHINE_ERRORS = /\b(ENOSPC|EACCES|EPERM|EROFS|EMFILE|ENFILE|EDQUOT)\b/;

/**
 * Postgres inside this process (PGlite), in `FOLDER/store`.
 *
 * PGlite does not fsync: after a power loss the files may be unreadable. Everything in the store can be rebuilt, so they are
 * moved to `store.corrupt-TIME` and a fresh store takes their place, loudly (`recovered`).
 */
export async function openEmbedded(folder: string, signal: AbortSignal, report: StoreReport): Promise<Store> {
  signal.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  undo.use(await lockStateFolder(folder));
  const { database, db, recovered } = await openOrReplace(folder, report);
  undo.defer(() => close(database));
  const hub = createHub((error) => report("subscriber-failed", error));
  await database.listen(CHANNEL, (payload) => hub.receive(payload));
  signal.throwIfAborted();
  const owned = undo.move();
  return {
    kind: "embedded",
    recovered,
    db,
    hub,
    locks: localLocks(),
    session: sessionOf(database),
    close: () => owned.disposeAsync(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Opened {
  readonly database: PGlite;
  readonly db: Kysely<Tables>;
}

async function openOrReplace(folder: string, report: StoreReport): Promise<Opened & { readonly recovered: boolean }> {
  const path = join(folder, "store");
  try {
    return { ...(await openAt(path)), recovered: false };
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    if (MACHINE_ERRORS.test(String(cause)) || !(await exists(path))) {
      throw new FirebreakError("STORE_UNAVAILABLE", `open the embedded store in ${folder}`, { cause });
    }
    const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
    await rename(path, aside);
    await removeOldCopies(folder);
    report("recovered", { movedTo: aside, cause });
  }
  try {
    return { ...(await openAt(path)), recovered: true };
  } catch (cause) {
    throw cause instanceof FirebreakError
      ? cause
      : new FirebreakError("STORE_UNAVAILABLE", `make a fresh embedded store in ${folder}`, { cause });
  }
}

async function openAt(path: string): Promise<Opened> {
  for (const flag of COMPILE_ONCE) setFlagsFromString(flag);
  if (!(await exists(path))) await makeEmptyDatabase(path);
  const database = await PGlite.create({ dataDir: path, parsers: { 20: Number }, postgresqlconf: [...CONFIGURATION] });
  try {
    const db = new Kysely<Tables>({
      dialect: new PGliteDialect({ pglite: database }),
      plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
    });
    await migrate(db);
    await readEverything(db);
    return { database, db };
  } catch (error) {
    await close(database);
    throw error;
  }
}

/** A damaged page shows when it is read, so every table is read once now rather than in the middle of an apply. */
async function readEverything(db: Kysely<Tables>): Promise<void> {
  const tables = await sql<{ name: string }>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'firebreak'`.execute(db);
  for (const { name } of tables.rows) await sql`SELECT count(t.*) FROM ${sql.table(`firebreak.${name}`)} t`.execute(db);
}

async function close(database: PGlite): Promise<void> {
  if (!database.closed) await database.close();
}

function sessionOf(database: PGlite): EmbeddedSession {
  return {
    async query(text, params) {
      const { rows, affectedRows } = await database.query(text, params);
      return { rows, ...(affectedRows === undefined ? {} : { affectedRows }) };
    },
    exclusively: (work) =>
      database.transaction((tx) =>
        work({ query: async (text, params) => ({ rows: (await tx.query(text, params)).rows }), exec: (text) => tx.exec(text) }),
      ),
    exec: (text) => database.exec(text),
    listen: (channel, onPayload) => database.listen(channel, onPayload),
  };
}

async function exists(path: string): Promise<boolean> {
  const entries = await readdir(path).catch(() => []);
  return entries.length > 0;
}

async function removeOldCopies(folder: string): Promise<void> {
  const copies = (await readdir(folder)).filter((name) => name.startsWith("store.corrupt-")).sort();
  for (const name of copies.slice(0, -KEPT_COPIES)) await rm(join(folder, name), { recursive: true, force: true });
}
