import { execFile } from "node:child_process";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCheckpoint, signCheckpoint } from "../../../core/audit/checkpoint.ts";
import { formatSignerKey, parseSignerKey, parseVerifierKey } from "../../../core/audit/key.ts";
import { verifyLog } from "../../../core/audit/verify.ts";
import { exportTrail } from "../../../adapters/trail/export.ts";
import { openTrail } from "../../../adapters/trail/open.ts";
import { verifyTrail } from "../../../adapters/trail/verify.ts";
import { buildVerifiers, type Verifiers } from "../../../testbed/verifier/build.ts";
import { findings, optionsIn, temporaryFolder } from "./fixture.ts";

const run = promisify(execFile);

interface World {
  readonly root: string;
  /** The export, of 600 entries: two full bundles, a partial one, a level-1 tile. */
  readonly log: string;
  readonly keyFile: string;
  readonly secret: string;
  /** An export from when the log had 301 entries, and its checkpoint. */
  readonly olderLog: string;
  readonly older: string;
  readonly verifiers: Verifiers;
}

let world: World;
let cleanUp: () => PromiseLike<void>;

beforeAll(async () => {
  const folder = await temporaryFolder();
  cleanUp = () => folder[Symbol.asyncDispose]();
  const options = optionsIn(folder.path);
  const trail = await openTrail(options);
  try {
    await trail.append(findings("a", 300));
    const olderLog = join(folder.path, "older");
    await exportTrail(trail.folder, olderLog);
    await trail.append(findings("b", 299));
    await exportTrail(trail.folder, join(folder.path, "log"));
    const verifiers = await buildVerifiers();
    const keyFile = join(folder.path, "pinned");
    await writeFile(keyFile, `${trail.verifierKey}\n`);
    const secret = await readFile(options.privateKeyFile, "utf8");
    world = {
      root: folder.path,
      log: join(folder.path, "log"),
      keyFile,
      secret,
      olderLog,
      older: join(olderLog, "checkpoint"),
      verifiers,
    };
  } finally {
    await trail.close();
  }
}, 300_000);

afterAll(async () => {
  await cleanUp();
});

interface Verdicts {
  readonly ours: string;
  readonly go: string;
  readonly fsck: string;
}

/** What the three verifiers say of a folder. The older checkpoint is not given to fsck, which cannot take one. */
async function verdicts(log: string, keyFile: string, older?: string): Promise<Verdicts> {
  const verifierKey = await readFile(keyFile, "utf8");
  const ours = await verifyTrail(log, {
    verifierKey,
    olderCheckpoint: older === undefined ? undefined : await readFile(older, "utf8"),
  });
  const go = await run(world.verifiers.verifier, ["-key", keyFile, ...(older === undefined ? [] : ["-older", older]), log]).then(
    () => "verified",
    () => "rejected",
  );
  // fsck ends with 0 whatever it found; eight workers, because a worker that found a fault ends and the last one would block it.
  const args = ["-ui=false", "-N", "8", `--storage_url=file://${log}/`, `--public_key=${keyFile}`];
  const { stderr } = await run(world.verifiers.fsck, args, { timeout: 20_000 });
  return { ours: ours.verdict, go, fsck: stderr.includes("Successfully fsck'd") ? "verified" : "rejected" };
}

/** A copy of the export, changed. */
async function tampered(change: (log: string) => Promise<void>): Promise<{ readonly log: string } & AsyncDisposable> {
  const log = join(world.root, `tampered-${crypto.randomUUID()}`);
  await cp(world.log, log, { recursive: true });
  await change(log);
  return { log, [Symbol.asyncDispose]: () => rm(log, { recursive: true, force: true }) };
}

const flip = (path: string, offset: number) => async (log: string) => {
  const bytes = await readFile(join(log, path));
  bytes[offset] = (bytes[offset] as number) ^ 1;
  await writeFile(join(log, path), bytes);
};

const edit = (change: (checkpoint: string) => string) => async (log: string) => {
  const path = join(log, "checkpoint");
  await writeFile(path, change(await readFile(path, "utf8")));
};

/** The checkpoint signed again by whoever holds the key, over another size or root. */
const resign = (
  change: (head: { origin: string; size: number; root: Uint8Array }) => { origin: string; size: number; root: Uint8Array },
) =>
  edit((text) => {
    const head = parseCheckpoint(text.slice(0, text.indexOf("\n\n") + 1));
    if (head === undefined) return expect.unreachable();
    return signCheckpoint(change(head), parseSignerKey(world.secret));
  });

describe("three verifiers that share no code", () => {
  test("accept the export, also as an extension of the older checkpoint", async () => {
    expect(await verdicts(world.log, world.keyFile, world.older)).toEqual({ ours: "verified", go: "verified", fsck: "verified" });
  });

  const REJECTED = { ours: "rejected", go: "rejected", fsck: "rejected" };

  test.each<readonly [string, (log: string) => Promise<void>]>([
    ["a byte of an entry in a full bundle", flip("tile/entries/000", 5000)],
    ["a byte of an entry in the last bundle", flip("tile/entries/002.p/88", 500)],
    ["the length of an entry", flip("tile/entries/001", 1)],
    ["a byte of a level-0 tile", flip("tile/0/001", 100)],
    ["a byte of the partial level-0 tile", flip("tile/0/002.p/88", 100)],
    ["a byte of the level-1 tile", flip("tile/1/000.p/2", 40)],
    ["the size", edit((text) => text.replace("\n600\n", "\n599\n"))],
    [
      "the root",
      edit((text) =>
        text.replace(/^([^\n]*\n[^\n]*\n)(.)/, (_, head: string, first: string) => head + (first === "A" ? "B" : "A")),
      ),
    ],
    [
      "the signature",
      edit((text) => text.replace(/(.)(...)\n$/, (_, first: string, rest: string) => `${first === "A" ? "B" : "A"}${rest}\n`)),
    ],
    ["the size, signed again with the key", resign((head) => ({ ...head, size: 599 }))],
    ["the root, signed again with the key", resign((head) => ({ ...head, root: new Uint8Array(32) }))],
    ["the origin, signed again with the key", resign((head) => ({ ...head, origin: "firebreak.dev/other" }))],
    ["a bundle that is missing", (log) => rm(join(log, "tile/entries/001"))],
    ["a tile that is missing", (log) => rm(join(log, "tile/0/001"))],
  ])("reject %s", async (_, change) => {
    await using copy = await tampered(change);
    expect(await verdicts(copy.log, world.keyFile)).toEqual(REJECTED);
  });

  test("reject another key", async () => {
    const other = parseSignerKey(formatSignerKey("firebreak.dev/test", new Uint8Array(32).fill(7)));
    const keyFile = join(world.root, "other-key");
    await writeFile(keyFile, other.verifier.text);
    expect(await verdicts(world.log, keyFile)).toEqual(REJECTED);
  });

  // fsck takes no older checkpoint: a rollback is a valid log to it, which is why checkpoints are kept elsewhere.
  test("a rollback is seen by those who are given the newer checkpoint", async () => {
    expect(await verdicts(world.olderLog, world.keyFile)).toEqual({ ours: "verified", go: "verified", fsck: "verified" });
    const newer = join(world.log, "checkpoint");
    expect(await verdicts(world.olderLog, world.keyFile, newer)).toMatchObject({ ours: "rejected", go: "rejected" });
  });

  // Catches trust in the key alone: an insider who has it writes another history, and every file of it is consistent.
  test("a history rewritten with the key is seen by those who are given an older checkpoint", async () => {
    await using folder = await temporaryFolder();
    const options = optionsIn(folder.path);
    await (await openTrail(options)).close();
    await rm(options.folder, { recursive: true });
    await rm(`${options.privateKeyFile}.head`);
    await writeFile(options.privateKeyFile, world.secret);
    const forged = await openTrail(options);
    await forged.append(findings("forged", 599));
    await forged.close();
    const log = join(folder.path, "log");
    await exportTrail(options.folder, log);
    expect(await verdicts(log, world.keyFile)).toEqual({ ours: "verified", go: "verified", fsck: "verified" });
    expect(await verdicts(log, world.keyFile, world.older)).toMatchObject({ ours: "rejected", go: "rejected" });
  });
});

// Catches any byte of any file that the checkpoint covers and that nobody looks at.
test("every changed byte of every file is rejected, with the first entry it touches", async () => {
  await using folder = await temporaryFolder();
  const options = optionsIn(folder.path);
  const trail = await openTrail(options);
  await trail.append(findings("a", 4));
  await exportTrail(trail.folder, join(folder.path, "log"));
  await trail.close();

  const log = join(folder.path, "log");
  const files = new Map<string, Uint8Array>();
  for (const entry of await readdir(log, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== "verifier-key") files.set(path.slice(log.length + 1), await readFile(path));
  }
  expect([...files.keys()].toSorted()).toEqual(["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5"]);
  const verifier = parseVerifierKey(trail.verifierKey);
  for (const [path, bytes] of files) {
    for (let offset = 0; offset < bytes.length; offset++) {
      const changed = Uint8Array.from(bytes);
      changed[offset] = (changed[offset] as number) ^ (1 << (offset % 8));
      const verdict = await verifyLog({ readFile: async (name) => (name === path ? changed : files.get(name)) }, { verifier });
      expect(verdict.verdict, `${path}, byte ${offset}`).toBe("rejected");
      if (path === "tile/0/000.p/5") expect(verdict).toMatchObject({ index: Math.floor(offset / 32) });
    }
  }
});
