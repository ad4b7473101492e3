import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realDisk, type Disk } from "../../../adapters/trail/disk.ts";
import { exportTrail } from "../../../adapters/trail/export.ts";
import { lockByProcess, lockFile } from "../../../adapters/trail/lock.ts";
import { openTrail } from "../../../adapters/trail/open.ts";
import { tilePath } from "../../../core/audit/tiles.ts";
import type { EntryInput } from "../../../core/audit/entry.ts";
import { verifyTrail } from "../../../adapters/trail/verify.ts";
import { findings, optionsIn, temporaryFolder } from "./fixture.ts";

const target = { kind: "host", id: "host/directory/ldap-blue-1" } as const;

describe("appending and reading", () => {
  test("receipts come in order, with a checkpoint that covers the entry", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    const calls = await Promise.all([trail.append(findings("a", 300)), trail.append(findings("b", 300)), trail.append([])]);
    expect(calls[0].map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(calls[1].map(({ id }) => id)).toEqual(findings("b", 300).map(({ id }) => id));
    for (const receipt of calls.flat()) expect(Number(receipt.checkpoint.split("\n")[1])).toBeGreaterThan(receipt.seq);
    expect(trail.size()).toBe(601);
    const page = await trail.read({ from: 250, limit: 10 });
    expect(page.entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 10 }, (_, index) => 250 + index));
    expect(page.next).toBe(260);
    expect((await trail.read({ from: 600, limit: 10 })).next).toBeUndefined();
    expect((await trail.read({ filter: { finding: "b-299" } })).entries).toHaveLength(1);
  });

  // Catches a log that is called writable for as long as nobody happens to write.
  test("a probe fails while the disk takes nothing, leaves nothing, and works again by itself", async () => {
    await using folder = await temporaryFolder();
    let isFull = false;
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    const writeFile: Disk["writeFile"] = async (...args) => {
      if (isFull) throw full;
      await realDisk.writeFile(...args);
    };
    await using trail = await openTrail({ ...optionsIn(folder.path), disk: { ...realDisk, writeFile } });
    const files = await readdir(trail.folder);
    await trail.probe();
    expect(await readdir(trail.folder)).toEqual(files);
    isFull = true;
    await expect(trail.probe()).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE", cause: full });
    isFull = false;
    await trail.probe();
    expect((await trail.append(findings("a", 1))).map(({ seq }) => seq)).toEqual([1]);
  });

  // Catches seals that a restart, or a restored backup, makes worthless: what Firebreak wrote would pass for somebody's forgery.
  test("the key of seals is the same as long as the log's key is, and nobody else's", async () => {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    const keyIn = async (path: string) => {
      await using trail = await openTrail(optionsIn(path));
      return { key: Buffer.from(trail.sealKey).toString("hex"), isNew: trail.isNew };
    };
    const first = await keyIn(folder.path);
    expect(first).toMatchObject({ isNew: true, key: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(await keyIn(folder.path)).toEqual({ ...first, isNew: false });
    expect((await keyIn(other.path)).key).not.toBe(first.key);
    // The key alone in a folder, as from a backup without the log: another log, the same seals.
    const { privateKeyFile } = optionsIn(folder.path);
    await rm(join(folder.path, "audit"), { recursive: true });
    await rm(`${privateKeyFile}.head`);
    expect(await keyIn(folder.path)).toEqual(first);
  });

  // Catches a retry that is logged twice: in one call, at the same time, later, after a restart.
  test("an id is logged once", async () => {
    await using folder = await temporaryFolder();
    const [one] = findings("a", 1);
    if (one === undefined) return expect.unreachable();
    {
      await using trail = await openTrail(optionsIn(folder.path));
      const [same, other] = await Promise.all([trail.append([one, one]), trail.append([one])]);
      expect([...same, ...other].map(({ seq, isDuplicate }) => [seq, isDuplicate])).toEqual([
        [1, false],
        [1, true],
        [1, true],
      ]);
      await trail.append(findings("b", 300));
    }
    await using trail = await openTrail(optionsIn(folder.path));
    expect((await trail.append([one]))[0]).toMatchObject({ seq: 1, isDuplicate: true });
    expect(await trail.append(findings("b", 300))).toMatchObject(
      findings("b", 300).map((_, index) => ({ seq: 2 + index, isDuplicate: true })),
    );
  });

  // Catches an entry that is dropped because its id was used before for something else, e.g. a row number after the database was lost.
  test("other content under a known id is logged too", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    const alert = (channel: string) => ({ type: "alert.sent", id: "alert-1", channel }) as const;
    expect(await trail.append([alert("mail"), alert("chat"), alert("mail")])).toMatchObject([
      { seq: 1 },
      { seq: 2 },
      { seq: 1, isDuplicate: true },
    ]);
    expect(await trail.append([alert("pager"), alert("chat")])).toMatchObject([{ seq: 3 }, { seq: 2, isDuplicate: true }]);
  });

  // Catches a hostile name that makes comparing two entries of one batch fail: nothing could be logged any more.
  test("a retry in one batch is seen also when it had to be changed to fit", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    const odd = { type: "freeze.started", id: "odd", ticket: `\ud800${"x".repeat(70_000)}` } as const;
    expect(await trail.append([odd, odd])).toMatchObject([{ seq: 1 }, { seq: 1, isDuplicate: true }]);
    expect(await trail.append([odd])).toMatchObject([{ seq: 1, isDuplicate: true }]);
  });

  test("an entry that breaks the schema is refused, and nothing of its call is logged", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    const bad = { type: "apply.intent", id: "no-target" } as never;
    await expect(trail.append([...findings("a", 1), bad])).rejects.toMatchObject({ code: "PLAN_INVARIANT_BROKEN" });
    expect(trail.size()).toBe(1);
  });

  // Catches a restart that forgets a half-done apply, or lists one that was finished.
  test("intents without an outcome are listed after a restart, until they are closed", async () => {
    await using folder = await temporaryFolder();
    {
      await using trail = await openTrail(optionsIn(folder.path));
      const [done, left] = await trail.append(["done", "left"].map((id) => ({ type: "apply.intent", id, target, plan: "p" })));
      expect(left?.seq).toBe(2);
      await trail.append([
        { type: "apply.outcome", id: "done/outcome", target, plan: "p", outcome: "ok", causedBy: done?.seq ?? -1 },
      ]);
    }
    await using trail = await openTrail(optionsIn(folder.path));
    const intents = await trail.openIntents();
    expect(intents.map(({ id }) => id)).toEqual(["left"]);
    await trail.append(
      intents.map(({ id, seq }) => ({
        type: "apply.outcome",
        id: `${id}/recovered`,
        target,
        plan: "p",
        outcome: "unknown",
        recovered: true,
        causedBy: seq,
      })),
    );
    expect(await trail.openIntents()).toEqual([]);
  });

  // Catches a store that is lost with what a target was given: whatever was done to it meanwhile is healed and told to nobody.
  test("how a target was left is known, also after opening it again", async () => {
    await using folder = await temporaryFolder();
    const target = { kind: "host", id: "host/f/a" } as const;
    const intent = (id: string, revision: number) => ({ type: "apply.intent", id, target, plan: id, revision }) as const;
    const outcome = (id: string, causedBy: number, how: "ok" | "failed") =>
      ({ type: "apply.outcome", id: `${id}/end`, target, plan: id, outcome: how, causedBy }) as const;
    {
      await using trail = await openTrail(optionsIn(folder.path));
      expect(await trail.lastApply("host/f/a")).toEqual({ applied: undefined, begun: undefined });
      const [first] = await trail.append([intent("first", 1)]);
      await trail.append([outcome("first", first?.seq ?? 0, "ok")]);
      expect(await trail.lastApply("host/f/a")).toMatchObject({ applied: { id: "first/end" }, begun: undefined });
      const [second] = await trail.append([intent("second", 2)]);
      await trail.append([outcome("second", second?.seq ?? 0, "failed")]);
    }
    await using trail = await openTrail(optionsIn(folder.path));
    expect(await trail.lastApply("host/f/a")).toMatchObject({ applied: { id: "first/end" }, begun: { id: "second", revision: 2 } });
    expect(await trail.lastApply("host/f/b")).toEqual({ applied: undefined, begun: undefined });
    await trail.append([{ type: "target.released", id: "released", target, actor: { kind: "person", id: "ada" } }]);
    expect(await trail.lastApply("host/f/a")).toEqual({ applied: undefined, begun: undefined });
  });

  test("after closing nothing is appended, and the log says that it stopped", async () => {
    await using folder = await temporaryFolder();
    const trail = await openTrail(optionsIn(folder.path));
    await trail.close();
    await trail.close();
    await expect(trail.append(findings("a", 1))).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    expect((await trail.read({})).entries.map(({ type }) => type)).toEqual(["log.started", "log.stopped"]);
  });

  // Catches partial files that pile up: 255 of each bundle and tile, for ever.
  test("the partial files of a full tile are removed", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    for (let batch = 0; batch < 20; batch++) await trail.append(findings(`a${batch}`, 20));
    expect(await readdir(join(trail.folder, "tile", "entries"))).toEqual(["000", "001.p"]);
    expect((await readdir(join(trail.folder, "tile", "0"))).toSorted()).toEqual(["000", "001.p"]);
  });
});

describe("real failures", () => {
  // Catches what the disk in memory does not model: a real process, killed in the middle, on a real file system.
  test("a killed process leaves everything it was told is durable", async () => {
    await using folder = await temporaryFolder();
    const { now: _, ...options } = optionsIn(folder.path);
    const source = (path: string) => JSON.stringify(join(import.meta.dirname, "../../..", path));
    const script = `
      import { openTrail } from ${source("adapters/trail/open.ts")};
      import { findings } from ${source("test/adapters/trail/fixture.ts")};
      const trail = await openTrail({ ...${JSON.stringify(options)}, now: () => new Date() });
      for (let batch = 0; ; batch++) for (const { id, seq } of await trail.append(findings("b" + batch, 7))) console.log(id, seq);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    try {
      for await (const chunk of child.stdout) {
        printed += String(chunk);
        if (printed.split("\n").length > 400) child.kill("SIGKILL");
      }
    } finally {
      child.kill("SIGKILL");
    }
    await using trail = await openTrail(optionsIn(folder.path));
    const stored = new Map((await trail.read({ limit: 100_000 })).entries.map(({ id, seq }) => [id, seq]));
    const told = printed.slice(0, printed.lastIndexOf("\n")).split("\n");
    expect(told.length).toBeGreaterThan(390);
    for (const line of told) expect(stored.get(line.split(" ")[0] ?? "")).toBe(Number(line.split(" ")[1]));
    expect(await verifyTrail(trail.folder, { verifierKey: trail.verifierKey })).toMatchObject({ verdict: "verified" });
  });

  // Catches an error code of the disk that is not turned into a refusal: the folder vanishes under a running process.
  test("a folder that is removed while the log is open refuses appends, and does not begin a new log", async () => {
    await using folder = await temporaryFolder();
    const trail = await openTrail(optionsIn(folder.path));
    try {
      await trail.append(findings("a", 3));
      await rm(trail.folder, { recursive: true });
      for (const id of ["b", "c"])
        await expect(trail.append(findings(id, 1))).rejects.toMatchObject({ code: expect.stringMatching(/^AUDIT_/) });
    } finally {
      await expect(trail.close()).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    }
    await expect(openTrail(optionsIn(folder.path))).rejects.toMatchObject({ code: "AUDIT_CORRUPT" });
  });
});

describe("one owner", () => {
  test("a second opening is refused, and works once the first is closed", async () => {
    await using folder = await temporaryFolder();
    const first = await openTrail(optionsIn(folder.path));
    await expect(openTrail(optionsIn(folder.path))).rejects.toMatchObject({
      code: "STATE_LOCKED",
      message: expect.stringContaining(String(process.pid)),
    });
    await first.close();
    await using again = await openTrail(optionsIn(folder.path));
    expect(again.size()).toBe(3);
  });

  // Catches a lock that outlives its owner: after a crash nobody could start.
  test.each(["flock", "process"])("a killed owner's lock (%s) is taken over", async (how) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "lock");
    const lock = how === "flock" ? lockFile : lockByProcess;
    const source = join(import.meta.dirname, "../../../adapters/trail/lock.ts");
    const script = `import { ${lock.name} as lock } from ${JSON.stringify(source)}; await lock(${JSON.stringify(path)}); console.log("held"); setInterval(() => {}, 1e6);`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(owner.stdout, "data");
      await expect(lock(path)).rejects.toMatchObject({ code: "STATE_LOCKED" });
    } finally {
      owner.kill("SIGKILL");
      await once(owner, "exit");
    }
    const held = await lock(path);
    await expect(lock(path)).rejects.toMatchObject({ code: "STATE_LOCKED" });
    await held.release();
    await (await lock(path)).release();
  });

  test("an owner whose process id now belongs to a later process is taken over", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "lock");
    await writeFile(path, `process ${process.pid} started 1\n`);
    await (await lockByProcess(path)).release();
  });
});

describe("key, log and what is remembered", () => {
  async function closedTrail(folder: string) {
    const trail = await openTrail(optionsIn(folder));
    await trail.append(findings("a", 5));
    await trail.close();
    return trail;
  }

  test("the secret is for its owner only, its verifier key lies beside", async () => {
    await using folder = await temporaryFolder();
    const trail = await closedTrail(folder.path);
    const { privateKeyFile } = optionsIn(folder.path);
    expect((await stat(privateKeyFile)).mode & 0o777).toBe(0o600);
    expect((await readFile(`${privateKeyFile}.pub`, "utf8")).trim()).toBe(trail.verifierKey);
  });

  // Catches a log that silently begins again at zero: what was proven before would be gone, unseen.
  const losses: readonly (readonly [string, (folder: string) => Promise<unknown>])[] = [
    ["the log is gone", (folder) => rm(join(folder, "audit"), { recursive: true })],
    ["its checkpoint is gone", (folder) => rm(join(folder, "audit", "checkpoint"))],
    ["the key is gone", (folder) => rm(join(folder, "keys", "audit.key"))],
    [
      "the log and the key are gone",
      async (folder) => {
        await rm(join(folder, "audit"), { recursive: true });
        await rm(join(folder, "keys", "audit.key"));
      },
    ],
    [
      "the end of the log was changed",
      async (folder) => {
        const [name] = await readdir(join(folder, "audit", "tile", "entries", "000.p")).then((names) =>
          names.filter((each) => each === "7"),
        );
        const path = join(folder, "audit", "tile", "entries", "000.p", name ?? "");
        await writeFile(path, (await readFile(path, "utf8")).replace("a-3", "a-9"));
      },
    ],
  ];
  test.each(losses)("refused when %s, unless told to start over", async (_, lose) => {
    await using folder = await temporaryFolder();
    const before = await closedTrail(folder.path);
    await lose(folder.path);
    await expect(openTrail(optionsIn(folder.path))).rejects.toMatchObject({ code: "AUDIT_CORRUPT" });
    await using trail = await openTrail({ ...optionsIn(folder.path), startOver: true });
    expect(trail.size()).toBe(1);
    expect(trail.verifierKey).not.toBe(before.verifierKey);
    expect((await trail.read({})).entries[0]).toMatchObject({ type: "log.started", detail: { setAside: expect.any(String) } });
  });

  // Would catch: only the end of the log is checked, and the accepted commit of an older entry is obeyed as somebody wrote it.
  test("refused when an entry in the middle was changed, in the words of `audit verify`", async () => {
    await using folder = await temporaryFolder();
    const first = await openTrail(optionsIn(folder.path));
    await first.append(findings("a", 600));
    await first.close();
    const path = join(first.folder, tilePath("entries", 0));
    await writeFile(path, (await readFile(path, "latin1")).replace("a-100", "a-999"), "latin1");
    await expect(openTrail(optionsIn(folder.path))).rejects.toMatchObject({
      code: "AUDIT_CORRUPT",
      message: expect.stringMatching(/REJECTED tile-mismatch.*first at entry 101/),
    });
  });

  test("decisions are found again without reading what lies between, also after an append that failed and stands", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    const decision = (revision: number): EntryInput => ({
      type: "revision.accepted",
      id: `r${revision}`,
      commit: "c".repeat(40),
      revision,
    });
    await trail.append([decision(1), ...findings("a", 600), decision(2), ...findings("b", 300)]);
    const types = ["revision.accepted"];
    const all = await trail.read({ filter: { types } });
    expect(all.entries.map(({ id }) => id)).toEqual(["r1", "r2"]);
    expect((await trail.read({ from: 2, filter: { types } })).entries.map(({ id }) => id)).toEqual(["r2"]);
    expect((await trail.read({ from: 700, filter: { types } })).entries).toEqual([]);
  });

  test("refused when the log was rolled back to an older copy, or replaced by another one", async () => {
    await using folder = await temporaryFolder();
    const { folder: log } = optionsIn(folder.path);
    const first = await openTrail(optionsIn(folder.path));
    await exportTrail(log, join(folder.path, "old"));
    await first.append(findings("a", 5));
    await first.close();
    await rename(log, join(folder.path, "new"));
    await rename(join(folder.path, "old"), log);
    await expect(openTrail(optionsIn(folder.path))).rejects.toThrow(/rolled back/);
  });

  test("a key that an operator put there is used", async () => {
    await using folder = await temporaryFolder();
    const made = await closedTrail(folder.path);
    await rm(join(folder.path, "audit"), { recursive: true });
    await rm(`${optionsIn(folder.path).privateKeyFile}.head`);
    await using trail = await openTrail(optionsIn(folder.path));
    expect(trail.verifierKey).toBe(made.verifierKey);
  });

  test("the key of another log is refused", async () => {
    await using folder = await temporaryFolder();
    await closedTrail(folder.path);
    await expect(openTrail({ ...optionsIn(folder.path), origin: "firebreak.dev/other" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
    await expect(openTrail({ ...optionsIn(folder.path), origin: "two words" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("exporting", () => {
  // Catches an export that mixes two states of a log which grows meanwhile.
  test("while entries are appended, every export verifies and extends the one before", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    let isDone = false;
    const appending = (async () => {
      for (let batch = 0; !isDone; batch++) await trail.append(findings(`b${batch}`, 1 + (batch % 40)));
    })();
    let olderCheckpoint: string | undefined;
    for (let index = 0; index < 6; index++) {
      const out = join(folder.path, `export-${index}`);
      const exported = await exportTrail(trail.folder, out);
      expect(exported.verdict.verdict).toBe("verified");
      expect(await verifyTrail(out, { verifierKey: trail.verifierKey, olderCheckpoint })).toMatchObject({ verdict: "verified" });
      expect(await verifyTrail(trail.folder, { verifierKey: trail.verifierKey, olderCheckpoint })).toMatchObject({
        verdict: "verified",
      });
      olderCheckpoint = exported.checkpoint;
    }
    isDone = true;
    await appending;
    expect((await readdir(folder.path)).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("a folder that is not empty is refused, and so is a log that is not there", async () => {
    await using folder = await temporaryFolder();
    await using trail = await openTrail(optionsIn(folder.path));
    await expect(exportTrail(trail.folder, folder.path)).rejects.toMatchObject({ code: "USAGE" });
    await expect(exportTrail(join(folder.path, "nothing"), join(folder.path, "out"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
