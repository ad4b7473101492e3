import { spawn } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { API } from "../../core/api/shapes.ts";
import { expectGolden } from "../support/golden.ts";
import { findingAnswers, planAnswers, releaseAnswer, statusAnswer } from "./answers.ts";
import { wholeCommit } from "../../cli/commits.ts";
import { FakeService } from "./fake-service.ts";
import { ENTRY, runCli, scratchFolder, transcript } from "./run-cli.ts";
import { shopInventory } from "./shop-inventory.ts";

// Bug: a status that hides what is refused or failing; a commit subject that clears the terminal.
test("status prints revision, repository and targets, in each format", async () => {
  const answer = statusAnswer();
  await using service = await FakeService.start(({ path }) => (path === API.status ? { body: answer } : undefined));
  const args = ["status", ...service.config];
  expectGolden("cli/status.txt", transcript(args, await runCli(args), service.folder));
  expect(JSON.parse((await runCli([...args, "-o", "json"])).stdout)).toEqual(answer);
  expect(parse((await runCli([...args, "-o", "yaml"])).stdout)).toEqual(answer);
  const { code } = await runCli([...args, "--detailed-exitcode"]);
  expect(code).toBe(2);
});

// Bug: exit 2 for a target that is only pending, or 0 with open findings.
test("status tells drift by its exit code only for drift and open findings", async () => {
  const answer = statusAnswer();
  const repository = { ...answer.repository, refused: null };
  const calm = { ...answer, repository, targets: answer.targets.filter(({ state }) => state !== "drifted") };
  await using service = await FakeService.start(() => ({ body: calm }));
  expect((await runCli(["status", "--detailed-exitcode", ...service.config])).code).toBe(0);
});

// Bug: a merged commit that is refused is green for whoever runs this every hour.
test("status tells by its exit code that a commit is refused", async () => {
  const calm = { ...statusAnswer(), targets: [] };
  await using service = await FakeService.start(() => ({ body: calm }));
  expect((await runCli(["status", "--detailed-exitcode", ...service.config])).code).toBe(2);
});

// Bug: the drift detector is dead, nothing is compared, and the job that asks every hour stays green.
test("status tells by its exit code that nobody compares", async () => {
  const answer = statusAnswer();
  const calm = { ...answer, repository: { ...answer.repository, refused: null }, targets: [] };
  const silent = {
    service: "drift",
    since: answer.repository.fetchedAt ?? "",
    error: { code: "SERVICE_SILENT", message: "not heard of" },
  };
  const stale = answer.targets.slice(1, 2).map((target) => ({ ...target, state: "stale" as const, openFindings: 0 }));
  for (const told of [
    { ...calm, troubles: [silent] },
    { ...calm, targets: stale },
  ]) {
    await using service = await FakeService.start(() => ({ body: told }));
    expect((await runCli(["status", "--detailed-exitcode", ...service.config])).code).toBe(2);
  }
});

// Bug: explain fails beside a firebreak.yaml whose service is not running, although the definitions are there.
test("explain answers from the definitions when the service is away, and says so", async () => {
  await using scratch = await scratchFolder();
  await runCli(["init", "."], { cwd: scratch.folder });
  const away = await runCli(["explain", "web", "database", "5432"], { cwd: scratch.folder });
  expect(away.stderr).toContain("the service does not answer");
  expect(away.stdout).toContain("web → database: 5432/tcp");
  const named = await runCli(["explain", "web", "database", "5432", "--config", "firebreak.yaml"], { cwd: scratch.folder });
  expect(named.code).toBe(1);
});

// Bug: a watch that prints once, or JSON that a reader of lines cannot take apart.
test("status --watch goes on, a document a line", async () => {
  const answer = statusAnswer();
  await using service = await FakeService.start(() => ({ body: answer }));
  const args = [ENTRY, "status", "--watch", "-o", "json", ...service.config];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"], env: { PATH: process.env["PATH"] } });
  try {
    const lines: unknown[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(JSON.parse(line));
      if (lines.length === 2) break;
    }
    expect(lines).toEqual([answer, answer]);
  } finally {
    child.kill("SIGKILL");
  }
});

// Bug: findings without what they open, or filters that are not sent.
test("findings prints what each opens and closes", async () => {
  await using service = await FakeService.start(({ path }) => (path === API.findings ? { body: findingAnswers() } : undefined));
  const args = ["findings", "--all", "--target", "cluster/shop-eu", "--detailed-exitcode", ...service.config];
  expectGolden("cli/findings.txt", transcript(args, await runCli(args), service.folder));
  expect(service.requests[0]?.query).toEqual({ all: "true", target: "cluster/shop-eu" });
});

// Bug: "no findings" read as a failure, or drift told when all are resolved.
test("findings exits with 0 when none is open", async () => {
  await using service = await FakeService.start(() => ({ body: findingAnswers().filter(({ resolvedAt }) => resolvedAt !== null) }));
  const { code, stdout } = await runCli(["findings", "--detailed-exitcode", ...service.config]);
  expect(code).toBe(0);
  expect(stdout).toContain("1 finding, 0 open");
});

// Bug: one finding of many cannot be asked for; or a wrong fingerprint reads as "no findings".
test("findings takes one by its fingerprint, or how it begins", async () => {
  const [first] = findingAnswers();
  if (first === undefined) throw new Error("there is a finding");
  const other = { ...first, fingerprint: "ffff0000" };
  await using service = await FakeService.start(() => ({ body: [{ ...first, fingerprint: "ffff1111" }, other] }));
  const one = await runCli(["findings", "ffff0", "-o", "json", ...service.config]);
  expect(JSON.parse(one.stdout)).toEqual([JSON.parse(JSON.stringify(other))]);
  expect(service.requests[0]?.query).toEqual({ all: "true" });
  expect((await runCli(["findings", "ffff", ...service.config])).stderr).toContain("ffff may be ffff1111 or ffff0000");
  expect(await runCli(["findings", "abc", ...service.config])).toMatchObject({ code: 1, stdout: "" });
});

// Bug: a live plan that looks different from an offline one.
test("plan prints what the service would do", async () => {
  await using service = await FakeService.start(({ path }) => (path === API.plan ? { body: planAnswers() } : undefined));
  const args = ["plan", ...service.config];
  expectGolden("cli/plan-live.txt", transcript(args, await runCli(args), service.folder));
  expect((await runCli([...args, "cluster/shop-eu", "--detailed-exitcode"])).code).toBe(2);
  expect(service.requests.map(({ query }) => query)).toEqual([{}, { target: "cluster/shop-eu" }]);
});

// Bug: definitions that are silently not the ones that were planned.
test("plan refuses definitions without an inventory", async () => {
  const { code, stderr } = await runCli(["plan", "--definitions", "policies/example"]);
  expect(code).toBe(1);
  expect(stderr).toContain("--definitions needs --inventory");
});

// Bug: a file that `plan --inventory` cannot read; names of workloads that everybody can read.
test("inventory save writes a private file that a plan can be made from", async () => {
  const seen = await shopInventory();
  const [target] = statusAnswer().targets;
  const away = { ...target, target: "host/directory/away", state: "unreachable" };
  const bodies: Readonly<Record<string, unknown>> = {
    [API.inventory]: seen,
    [API.status]: { ...statusAnswer(), targets: [...statusAnswer().targets, away] },
  };
  await using service = await FakeService.start(({ path }) => (Object.hasOwn(bodies, path) ? { body: bodies[path] } : undefined));
  const file = join(service.folder, "seen.json");
  const saved = await runCli(["inventory", "save", file, ...service.config]);
  expect(saved).toMatchObject({ code: 0, stdout: "" });
  expect(saved.stderr).toContain("2 clusters and 3 hosts");
  expect(saved.stderr).toContain("not saved: host/directory/away, which was not seen whole (unreachable)");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(seen)));
});

// Bug: an answer that is not whole replaces a good file.
test("inventory save keeps the file when the answer is not what it should be", async () => {
  await using service = await FakeService.start(() => ({ body: { version: 2 } }));
  const file = join(service.folder, "seen.json");
  await writeFile(file, "mine");
  expect((await runCli(["inventory", "save", file, ...service.config])).code).toBe(1);
  expect(await readFile(file, "utf8")).toBe("mine");
});

// Bug: reconcile of everything when one target was meant.
test("reconcile sends the target that was named", async () => {
  await using service = await FakeService.start(({ body }) => ({
    body: { targets: [(body as { target?: string }).target ?? "all"] },
  }));
  const args = ["reconcile", "host/directory/ldap-red-1", ...service.config];
  expectGolden("cli/reconcile.txt", transcript(args, await runCli(args), service.folder));
  expect(service.requests).toMatchObject([{ method: "POST", path: API.reconcile, body: { target: "host/directory/ldap-red-1" } }]);
});

// Bug: a short commit id that may come to mean another commit; or 40 digits have to be copied of what status shows.
test("accept takes a whole commit id, and a short one only of the commit that is refused now", async () => {
  const commit = "5".repeat(40);
  const body = { commit, accepted: true, sequence: 5, message: `${commit} is in force` };
  const refused = { commit: `0a62bc9${"1".repeat(33)}`, code: "REVISION_UNAPPROVED", message: "no approval", notes: [] };
  const status = { ...statusAnswer(), repository: { ...statusAnswer().repository, refused } };
  await using service = await FakeService.start(({ path }) =>
    path === API.accept ? { body } : path === API.status ? { body: status } : undefined,
  );
  const posted = () => service.requests.filter(({ path }) => path === API.accept).map((request) => request.body);
  expect((await runCli(["accept", "5555555", ...service.config])).stderr).toContain("there is no commit 5555555");
  expect((await runCli(["accept", "0a62", ...service.config])).stderr).toContain("at least 7 hexadecimal digits");
  expect(posted()).toEqual([]);
  const short = await runCli(["accept", "0a62bc9", ...service.config]);
  expect(short).toMatchObject({ code: 0, stderr: `0a62bc9 is ${refused.commit}\n` });
  const { code, stdout } = await runCli(["accept", commit, ...service.config]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `accepted ${commit} as revision 5\n` });
  expect(posted()).toEqual([{ revision: refused.commit }, { revision: commit }]);
});

// Bug: one of two commits is taken, whichever comes first.
test("a short commit that may be several is refused", () => {
  const [one, other] = [`abcdef1${"0".repeat(33)}`, `abcdef1${"1".repeat(33)}`];
  expect(() => wholeCommit("abcdef1", [one, other])).toThrow(/may be abcdef10+ or abcdef11+: say more of it/);
  expect(wholeCommit("abcdef10", [one, other, one])).toBe(one);
  expect(wholeCommit("abcdef2", [one, other])).toBeUndefined();
  expect(wholeCommit(other, [])).toBe(other);
});

// Bug: a target is opened without anybody having been asked.
test("approve takes the id of a plan and says which head it is for", async () => {
  const body = { pull: 12, head: "5".repeat(40), plan: "3f9a0c12be77" };
  await using service = await FakeService.start(({ path }) => (path === API.approve ? { body } : undefined));
  const wrong = await runCli(["approve", "12", ...service.config]);
  expect(wrong.code).toBe(1);
  expect(service.requests).toEqual([]);
  const { code, stdout } = await runCli(["approve", body.plan, ...service.config]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `approved plan ${body.plan} of pull request #12 at ${body.head}\n`,
  });
  expect(service.requests).toMatchObject([{ method: "POST", body: { plan: body.plan } }]);
});

test("release without a terminal tells what it opens and refuses", async () => {
  await using service = await FakeService.start(({ body }) => ({ body: releaseAnswer((body as { confirm: boolean }).confirm) }));
  const args = ["release", "cluster/shop-old", ...service.config];
  expectGolden("cli/release-refused.txt", transcript(args, await runCli(args), service.folder));
  expect(service.requests.map(({ body }) => body)).toEqual([
    { target: "cluster/shop-old", confirm: false, keep: false, forget: false },
  ]);
});

// Bug: --keep or --forget are lost between the question and the act.
test("release with --yes tells first, then does it with the same options", async () => {
  await using service = await FakeService.start(({ body }) => ({ body: releaseAnswer((body as { confirm: boolean }).confirm) }));
  const { code, stdout } = await runCli([
    "release",
    "cluster/shop-old",
    "--keep",
    "--forget",
    "--yes",
    "-o",
    "json",
    ...service.config,
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(releaseAnswer(true));
  const same = { target: "cluster/shop-old", keep: true, forget: true };
  expect(service.requests.map(({ body }) => body)).toEqual([
    { ...same, confirm: false },
    { ...same, confirm: true },
  ]);
});

// Bug: the service's own words are lost, or a code that this version does not know ends in a stack trace.
test("what the service refuses is told with its code and words", async () => {
  const answers = [
    { status: 409, body: { code: "LIMIT_EXCEEDED", message: "it would un-isolate 3 workloads" } },
    { status: 400, body: { code: "FROM_THE_FUTURE", message: "no such thing yet" } },
    { status: 502, body: "<html>bad gateway</html>" },
    { status: 200, body: "<html>hello</html>" },
  ];
  await using service = await FakeService.start(({ query }) => answers[Number(query["target"])]);
  const errors = [];
  for (const index of answers.keys()) errors.push(await runCli(["findings", "--target", String(index), ...service.config]));
  expect(errors.every(({ code, stdout }) => code === 1 && stdout === "")).toBe(true);
  const first = errors.map(({ stderr }) => stderr.split("\n")[0]?.replace(/:\d{4,5}/, ":PORT"));
  expect(first).toEqual([
    "error LIMIT_EXCEEDED: it would un-isolate 3 workloads",
    "error API_REFUSED: no such thing yet",
    "error API_REFUSED: the service answered HTTP 502",
    "error API_REFUSED: what answers at http://127.0.0.1:PORT is not Firebreak: no JSON",
  ]);
});

// Bug: a wrong token looks like a service that is down.
test("a wrong token is told as such", async () => {
  await using service = await FakeService.start(() => ({ body: [] }));
  await writeFile(join(service.folder, "api.token"), "another\n");
  const { code, stderr } = await runCli(["findings", ...service.config]);
  expect(code).toBe(1);
  expect(stderr).toContain("error AUTH_DENIED: no such token");
});

// Bug: no service hangs, or says only "fetch failed".
test("a service that is not there is told with what to start", async () => {
  const gone = await FakeService.start(() => undefined);
  const { config } = gone;
  const text = await readFile(config[1] ?? "", "utf8");
  await gone[Symbol.asyncDispose]();
  await using service = await FakeService.start(() => undefined);
  await writeFile(service.config[1] ?? "", text);
  const { code, stderr } = await runCli(["status", ...service.config]);
  expect(code).toBe(1);
  expect(stderr).toContain("error API_UNREACHABLE");
  expect(stderr).toContain("firebreak up");
});
