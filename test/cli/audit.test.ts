import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTrail } from "../../adapters/trail/open.ts";
import type { StoredEntry } from "../../core/audit/entry.ts";
import { expectGolden } from "../support/golden.ts";
import { runCli, scratchFolder, transcript } from "./run-cli.ts";

let scratch: Awaited<ReturnType<typeof scratchFolder>>;
let verifierKey: string;
let older: string;

/** A log of a small day: started, a revision, an apply, a finding. */
beforeAll(async () => {
  scratch = await scratchFolder();
  let tick = Date.parse("2026-11-21T08:00:00Z");
  const trail = await openTrail({
    folder: scratch.file("audit"),
    origin: "firebreak.test",
    privateKeyFile: scratch.file("audit.key"),
    producer: { service: "syncer", instance: "test-instance" },
    now: () => new Date((tick += 1_000)),
  });
  const target = { kind: "cluster", id: "cluster/shop-eu" } as const;
  const effect = { opened: [], closed: [], openedCount: 0, closedCount: 3 };
  older = scratch.file("older.txt");
  await trail.append([
    {
      type: "revision.accepted",
      id: "r1",
      commit: "4".repeat(40),
      revision: 1,
      actor: { kind: "person", id: "ada" },
      reason: "Close the shop \u001b[2J",
      detail: { author: "Ann Author <ann@example.org>" },
    },
  ]);
  await writeFile(older, trail.checkpoint());
  await trail.append([
    { type: "plan.computed", id: "p1", target, plan: "abc", effect },
    { type: "apply.intent", id: "i1", target, plan: "abc", causedBy: 2, revision: 1, effect },
    {
      type: "apply.outcome",
      id: "o1",
      target,
      plan: "abc",
      outcome: "failed",
      causedBy: 3,
      error: { code: "CONFLICT", messages: ["write shop/a\u001b[2J"] },
    },
    {
      type: "finding.opened",
      id: randomUUID(),
      target,
      finding: { fingerprint: "f", kind: "modified", summary: "somebody opened shop/a" },
    },
  ]);
  verifierKey = trail.verifierKey;
  await trail[Symbol.asyncDispose]();
  await writeFile(scratch.file("firebreak.yaml"), 'repository: {url: "http://git.invalid/p.git"}\nstateFolder: .\n');
});

afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
});

function audit(...args: readonly string[]) {
  return runCli(["audit", ...args], { cwd: scratch.folder });
}

/** The root differs with every key and run. */
function plain(text: string): string {
  return text.replaceAll(verifierKey, "KEY").replaceAll(/[A-Za-z0-9+/]{43}=/g, "ROOT");
}

// Bug: a log that was verified with the key beside it looks as good as with a pinned one.
test("verify says whether the key was pinned, and compares with an older checkpoint", async () => {
  const pinned = await audit("verify", "--key", verifierKey, "--checkpoint", older);
  const beside = await audit("verify");
  const texts = [
    transcript(["audit", "verify", "--key", verifierKey, "--checkpoint", "older.txt"], pinned),
    transcript(["audit", "verify"], beside),
  ];
  expectGolden("cli/audit-verify.txt", plain(texts.join("\n")));
  await writeFile(scratch.file("pinned.pub"), `${verifierKey}\n`);
  const json = await audit("verify", "--key", "pinned.pub", "-o", "json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    verdict: "verified",
    key: "pinned",
    checkpoint: { size: 7 },
    consistentWith: null,
  });
});

// Bug: a rewritten entry passes; exit 0 for a rejected log.
test("verify rejects a log with a changed entry, and another key", async () => {
  await using copy = await scratchFolder();
  expect((await audit("export", copy.file("log"))).code).toBe(0);
  const bundle = copy.file("log/tile/entries/000.p/7");
  const bytes = await readFile(bundle, "latin1");
  await writeFile(bundle, bytes.replace('"ada"', '"eve"'), "latin1");
  const changed = await audit("verify", "--folder", copy.file("log"), "--key", verifierKey);
  expect(changed.code).toBe(1);
  expect(changed.stdout).toMatch(/^REJECTED tile-mismatch/);
  const other = "firebreak.test+00000000+AAAA";
  const refused = await audit("verify", "--key", other);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("error CONFIG_INVALID");
});

// Bug: an export that its own tools do not take, or one that overwrites another.
test("export copies the log once, with its key", async () => {
  await using copy = await scratchFolder();
  const done = await audit("export", copy.file("log"), "-o", "json");
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ size: 7, verdict: { verdict: "verified", key: "beside" } });
  expect((await readFile(copy.file("log/verifier-key"), "utf8")).trim()).toBe(verifierKey);
  const again = await audit("export", copy.file("log"));
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("is not empty");
});

// Bug: a checkpoint that was reformatted and does not verify any more.
test("checkpoint prints the signed text byte for byte", async () => {
  const { stdout } = await audit("checkpoint");
  expect(stdout).toBe(await readFile(scratch.file("audit/checkpoint"), "utf8"));
});

// Bug: a filter that hides entries, or one that is ignored; escapes from an error message reach the terminal.
test("log lists entries, and only those asked for", async () => {
  const all = await audit("log");
  expectGolden("cli/audit-log.txt", transcript(["audit", "log"], all));
  const some = await audit("log", "--type", "apply.intent,apply.outcome", "--target", "cluster/shop-eu", "-o", "json");
  expect((JSON.parse(some.stdout) as StoredEntry[]).map(({ seq }) => seq)).toEqual([3, 4]);
  const late = await audit("log", "--since", "2026-11-21T08:00:05Z", "-o", "json");
  expect((JSON.parse(late.stdout) as StoredEntry[]).every(({ time }) => time >= "2026-11-21T08:00:05")).toBe(true);
  expect((await audit("log", "--until", "2026-11-21")).stdout).toBe("no entries\n");
});

// Bug: a typo in a type or a time lists nothing, as if nothing had happened.
test("log refuses a type or a time that is none", async () => {
  const type = await audit("log", "--type", "apply.outcom");
  expect(type.code).toBe(1);
  expect(type.stderr).toContain('Did you mean "apply.outcome"?');
  const time = await audit("log", "--since", "yesterday");
  expect(time.code).toBe(1);
  expect(time.stderr).toContain("neither a time");
});

// Bug: no log at all is verified, or is an empty one.
test("without a log every verb says so", async () => {
  await using empty = await scratchFolder({ "firebreak.yaml": 'repository: {url: "http://git.invalid/p.git"}\n' });
  await rm(empty.file("audit"), { recursive: true, force: true });
  for (const verb of ["verify", "log", "checkpoint"]) {
    const { code, stderr } = await runCli(["audit", verb], { cwd: empty.folder });
    expect(code).toBe(1);
    expect(stderr).toContain("error NOT_FOUND");
  }
});
