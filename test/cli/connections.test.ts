import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { API, type DiffAnswer, type ReachAnswer } from "../../core/api/shapes.ts";
import type { ExplainAnswer } from "../../core/explain/answer.ts";
import type { TestReport } from "../../core/guardrail/report.ts";
import type { SegmentsAnswer } from "../../core/segments/list.ts";
import { expectGolden } from "../support/golden.ts";
import { SmallClone } from "../support/small-clone.ts";
import { FakeService } from "./fake-service.ts";
import { runCli, scratchFolder, transcript, type CliResult } from "./run-cli.ts";
import { EXAMPLE, shopInventory } from "./shop-inventory.ts";

/** The sample organisation in Git: the second commit lets the developers at the customers, the third only adds a comment. */
let clone: SmallClone;
let inventory: string;

beforeAll(async () => {
  clone = new SmallClone({ "README.md": "The policies of a shop.\n" }, "Begin");
  await cp(EXAMPLE, join(clone.folder, "policies"), { recursive: true });
  clone.commit({}, "The organisation");
  const flow = "policies/policies/order-flow.yaml";
  const rule = "{from: [any], to: [order-input]";
  clone.commit(
    { [flow]: clone.read(flow).replace(rule, "{from: [any, dev], to: [order-input, cust-record]") },
    "Let them try it \u001b[2J",
  );
  clone.commit({ [flow]: `${clone.read(flow)}# nothing below\n` }, "A comment");
  inventory = join(clone.folder, ".git", "seen.json");
  await writeFile(inventory, JSON.stringify(await shopInventory()));
}, 120_000);

afterAll(() => clone[Symbol.dispose]());

async function firebreak(...args: readonly string[]): Promise<CliResult> {
  return await runCli(args, { cwd: clone.folder });
}

async function expectTranscript(name: string, ...args: readonly string[]): Promise<CliResult> {
  const result = await firebreak(...args);
  expectGolden(
    `cli/${name}.txt`,
    transcript(args, result)
      .replaceAll(inventory, "seen.json")
      .replaceAll(/\b[0-9a-f]{10}\b/g, "COMMIT"),
  );
  return result;
}

describe("test", () => {
  // Bug: a violation without the way and the line that makes it; exit 0 for it; the same way printed for every colour.
  test("prints claims, ways and lines, and exits with 1 when one fails", async () => {
    const { code } = await expectTranscript("test", "test");
    expect(code).toBe(1);
  });

  // Bug: one format forgets a claim that another tells, or notes get mixed into what a program reads.
  test("prints the same claims in each format", async () => {
    const json = JSON.parse((await firebreak("test", "-o", "json")).stdout) as TestReport;
    expect(json).toMatchObject({ basis: "definitions", gaps: [] });
    expect([...json.guardrails, ...json.tests].map(({ id, outcome }) => [id, outcome])).toEqual([
      ["production/never/0", "violated"],
      ["production/never/1", "passed"],
      ["directory/tests/0", "passed"],
      ["directory/tests/1", "passed"],
      ["order-flow/tests/0", "passed"],
      ["order-flow/tests/1", "violated"],
    ]);
    expect(json.guardrails[0]?.violations[0]).toMatchObject({ from: "dev-network", ports: "8443/tcp", notYetEnforced: false });
    const github = await expectTranscript("test-github", "test", "-o", "github");
    expect(github.stdout.split("\n").filter((line) => line.startsWith("::error "))).toHaveLength(2);
    const junit = await firebreak("test", "-o", "junit", "--inventory", inventory);
    expect(junit).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^<\?xml[^]+<testsuites name="firebreak" tests="6" failures="2"/) as string,
    });
    const sarif = await firebreak("test", "-o", "sarif");
    expect(JSON.parse(sarif.stdout)).toMatchObject({
      version: "2.1.0",
      runs: [{ results: [{ level: "error" }, { level: "error" }] }],
    });
  });

  // Bug: a report of the service printed otherwise than one made here; what it cannot say left out.
  test("--live prints what the service says, and what it cannot say", async () => {
    const report: TestReport = {
      basis: "live",
      guardrails: [],
      tests: [],
      gaps: ["the workloads of cluster/eu\u001b[2J are not known whole"],
    };
    await using service = await FakeService.start(({ path }) => (path === API.test ? { body: report } : undefined));
    const live = await runCli(["test", "--live", ...service.config]);
    expect(live).toEqual({
      code: 0,
      stdout: "0 claims of guardrails, 0 tests, on the workloads of now: 0 passed, 0 failed\n",
      stderr: "the workloads of cluster/eu\\u001b[2J are not known whole\n",
    });
    expect((await runCli(["test", "policies", "--live", ...service.config])).stderr).toMatch(
      /^error USAGE: --live asks the service/,
    );
  });
});

describe("explain", () => {
  // Bug: an answer without the line, who wrote it, where it is enforced, or what would allow it.
  test("prints both ends, lines with their authors, enforcement points, and an edit", async () => {
    const denied = await expectTranscript("explain-denied", "explain", "geo-location", "credit-check", "8443");
    expect(denied.code).toBe(0);
    await expectTranscript("explain-allowed", "explain", "dev", "cust-record", "8443/tcp");
    expect((await firebreak("explain", "geo-location", "credit-check", "8443", "--detailed-exitcode")).code).toBe(2);
    expect((await firebreak("explain", "dev", "cust-record", "8443", "--detailed-exitcode")).code).toBe(0);
  });

  // Bug: a patch whose paths fit the folder that was typed, and not the clone that it is applied in.
  test("prints a patch that git takes anywhere in the clone", async () => {
    const args = ["explain", "geo-location", "credit-check", "8443", "-o", "json", "--definitions", "."];
    const { stdout } = await runCli(args, { cwd: join(clone.folder, "policies") });
    const answer = JSON.parse(stdout) as ExplainAnswer;
    expect(answer).toMatchObject({ verdict: "denied", basis: "definitions", live: null });
    expect(answer.lines.find(({ name }) => name === "credit-check")).toMatchObject({
      at: { file: "segments/credit.yaml", line: 3 },
      blame: { author: "Ann Author <ann@example.org>", at: "2026-11-02T08:00:00.000Z", subject: "The organisation" },
    });
    clone.feed(answer.edit?.patch ?? "", "-C", "policies", "apply", "-");
    try {
      expect((await firebreak("explain", "geo-location", "credit-check", "8443")).stdout).toMatch(/^ALLOWED {2}/);
    } finally {
      clone.git("checkout", "-q", ".");
    }
  });

  // Bug: live is not asked although the inventory holds it.
  test("says whether live agrees", async () => {
    await expectTranscript(
      "explain-live",
      "explain",
      "shop-eu/geo/geolocation",
      "shop-eu/shop/custrecord",
      "22",
      "--inventory",
      inventory,
    );
  });

  test("refuses what it does not know, with a suggestion", async () => {
    const unknown = await firebreak("explain", "geo-locaton", "cust-record", "8443");
    expect(unknown).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining('Did you mean "geo-location"?') as string,
    });
  });

  // Bug: the question reaches the service otherwise than it was asked, or its answer is printed otherwise.
  test("asks the service, and prints hostile names harmlessly", async () => {
    const end = {
      direction: "ingress",
      mode: "enforced",
      passes: true,
      allowed: true,
      text: "allowed",
      rules: [],
      segments: [],
      uncertain: ["x\u001b[2J"],
    } as const;
    const answer: ExplainAnswer = {
      from: "a\n::error::b",
      to: "b",
      port: "22/tcp",
      verdict: "uncertain",
      basis: "live",
      pairs: { asked: 1, allowed: 0 },
      pair: { from: "a\u202e", to: "b", port: "22/tcp" },
      ends: [end],
      lines: [],
      enforcedAt: [],
      live: null,
      edit: { patch: "--- a/x\n+++ b/x\n+\u001b[2J\n", file: "x", what: "adds it", breaks: ["guardrail g: \u0007"] },
      notes: ["n\r"],
    };
    await using service = await FakeService.start(({ path }) => (path === API.explain ? { body: answer } : undefined));
    const args = ["explain", "a", "b", "22", ...service.config];
    expectGolden("cli/explain-hostile.txt", transcript(args, await runCli(args), service.folder));
    expect(service.requests[0]?.query).toEqual({ from: "a", to: "b", port: "22" });
    expect(JSON.parse((await runCli([...args, "-o", "json"])).stdout)).toEqual(answer);
  });
});

describe("diff", () => {
  // Bug: lines of YAML instead of connections; "equivalent" for what opens, or the other way.
  test("prints what opens and closes between two revisions, and equivalent when only text changed", async () => {
    await expectTranscript("diff", "diff", "HEAD~2", "HEAD~1", "--detailed-exitcode");
    await expectTranscript("diff-equivalent", "diff", "HEAD~1", "HEAD", "--detailed-exitcode");
    const { stdout } = await firebreak("diff", "HEAD~1", "HEAD~2", "-o", "json", "--inventory", inventory);
    expect(JSON.parse(stdout)).toEqual({
      // What passes on between the two is told, too.
      stays: [expect.objectContaining({ from: "prometheus", to: "cust-record", ports: "9100/tcp" })],
      before: "HEAD~1",
      after: "HEAD~2",
      basis: "inventory",
      planned: [],
      kind: "closes",
      opened: [],
      closed: [
        {
          from: "any but ldap-clients-red",
          to: "cust-record",
          fromWorkloads: 22,
          toWorkloads: 2,
          workloads: 22,
          ports: "8443/tcp",
          isObservedOnly: false,
          witness: {
            from: "cluster/shop-eu/credit/creditcheck-0",
            to: "cluster/shop-eu/shop/custrecord-0",
            port: 8443,
            protocol: "tcp",
          },
        },
      ],
      counts: { opened: 0, closed: 50, unchanged: 886 },
      uncertain: [],
      notes: [],
    });
  });

  // Bug: live is compared with the wrong thing, or a host that nobody could read counts as equal.
  test("prints what is enforced and not meant", async () => {
    const { stdout } = await firebreak("diff", "--live", "--inventory", inventory);
    expect(stdout).toMatch(/^definitions → live, on the workloads of the inventory\nCHANGE /);
    expect(stdout).toMatch(/\nuncertain: host\/directory\/ldap-red-2 was not read \(\d+ connections, for example /);
    expect(stdout).not.toMatch(/closes[^\n]* icmpv6\/1-4 /); // which no IPv4 address can get
  });

  // Bug: a folder that is in neither revision reads as "nothing changes".
  test("refuses what is not there", async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["diff"], /^error USAGE: BEFORE is missing/],
      [["diff", "HEAD"], /^error USAGE: AFTER is missing/],
      [
        ["diff", "HEAD", "nosuch"],
        /^error NOT_FOUND: there is no commit nosuch\. .*`git log --all --oneline` lists what this clone has\nnext/,
      ],
      [
        ["diff", "HEAD~1", "HEAD", "--definitions", "polices"],
        /^error NOT_FOUND: neither HEAD~1 nor HEAD has definitions in polices; --definitions/,
      ],
      [["diff", "--manifests", "a"], /^error USAGE: AFTER is missing/],
      [["diff", "--manifests", "--live", "a", "b"], /^error USAGE: --manifests is another question/],
      [["diff", "--live", "HEAD"], /^error USAGE: --live compares/],
      [
        ["diff", "--manifests", "--enforcer", "calcio", "a", "b"],
        /^error: option '--enforcer <name>' argument 'calcio' is invalid/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await firebreak(...args);
      expect(stderr, args.join(" ")).toMatch(message);
      expect([code, stdout]).toEqual([1, ""]);
    }
    await using bare = await scratchFolder();
    expect(await runCli(["diff", "a", "b"], { cwd: bare.folder })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error USAGE: policies is in no clone of a repository, and no settings name a service/,
      ) as string,
    });
  });

  // Bug: the service is asked about other revisions; the port sets of an answer break the printing.
  test("asks the service where there is no clone", async () => {
    const set = {
      tcp: [22, 23],
      udp: [],
      sctp: [],
      icmp: [],
      icmpv6: [],
      other: [],
    } as unknown as DiffAnswer["diff"]["opened"][number]["portSet"];
    const line = {
      from: "a\u001b[2J",
      to: "b",
      fromWorkloads: 1,
      toWorkloads: 1,
      workloads: 2,
      ports: "22/tcp",
      portSet: set,
      fromFull: "a\u001b[2J",
      toFull: "b",
      isAnyFrom: false,
      isAnyTo: false,
      isObservedOnly: true,
    };
    const witness = { from: "cluster/eu/s/a", to: "cluster/eu/s/b", port: 22, protocol: "tcp" };
    const counted = { openedCount: 1, closedCount: 0, unchangedCount: 9 };
    const diff: DiffAnswer["diff"] = {
      kind: "opens",
      opened: [{ ...line, witness }],
      closed: [],
      stays: [],
      ...counted,
      uncertain: [],
      notes: ["n\n::error::"],
    };
    await using service = await FakeService.start(({ path, query }) =>
      path === API.diff
        ? { body: { before: query["before"] ?? "definitions", after: query["after"] ?? "live", basis: "live", diff } }
        : undefined,
    );
    const between = await runCli(["diff", "3", "4", ...service.config], { cwd: service.folder });
    expect(between.stdout).toBe(
      [
        "3 → 4, on the workloads of now",
        "CHANGE            FROM        TO  PORTS   WORKLOADS  FOR EXAMPLE",
        "opens (observed)  a\\u001b[2J  b   22/tcp  2          cluster/eu/s/a → cluster/eu/s/b: 22/tcp",
        "",
        "note: n\\u000a::error::",
        "(observed): no rule allows it; it passes only where `isolate` says observe, and closes with enforce",
        "opens 1 connection, closes none, 9 unchanged",
        "",
      ].join("\n"),
    );
    const live = await runCli(["diff", "--live", "-o", "json", ...service.config], { cwd: service.folder });
    expect(live.stdout).not.toContain("portSet");
    expect(service.requests.map(({ query }) => query)).toEqual([{ before: "3", after: "4" }, { live: "true" }]);
  });
});

const MANIFESTS = `apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}
`;

// Bug: two folders are compared as text; a bad one is compared as if the bad part were absent.
test("diff --manifests tells connections, and refuses a folder with a mistake", async () => {
  await using before = await scratchFolder({ "a.yaml": MANIFESTS });
  await using after = await scratchFolder({ "a.yaml": MANIFESTS.replace("{port: 5432}", "{port: 5433}") });
  const { code, stdout } = await runCli(["diff", "--manifests", before.folder, after.folder, "-o", "json", "--detailed-exitcode"]);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    basis: null,
    kind: "both",
    opened: [{ from: "shop/web", to: "shop/db", ports: "5433/tcp" }],
    closed: [{ ports: "5432/tcp", witness: { from: "shop/web", to: "shop/db", port: 5432, protocol: "tcp" } }],
    counts: { opened: 1, closed: 1 },
  });
  expect((await runCli(["diff", "--manifests", before.folder, before.folder, "--detailed-exitcode"])).code).toBe(0);
  await using bad = await scratchFolder({ "a.yaml": MANIFESTS.replace("podSelector", "podSelecter") });
  const refused = await runCli(["diff", "--manifests", before.folder, bad.folder]);
  expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("refused; nothing is analysed") as string });
});

describe("reach", () => {
  // Bug: another shape than programs were promised; a class with itself, or addresses with addresses.
  test("of definitions prints classes and connections, in each format", async () => {
    const json = JSON.parse((await firebreak("reach", "-o", "json", "--inventory", inventory)).stdout) as {
      readonly classes: Readonly<Record<string, readonly string[]>>;
      readonly connections: readonly { readonly src: string; readonly dst: string; readonly conn: string }[];
    };
    expect(Object.keys(json)).toEqual(["classes", "connections"]);
    const members = (id: string): string => (json.classes[id] ?? []).join(" ");
    const named = json.connections.map(({ src, dst, conn }) => `${members(src)} → ${members(dst)}: ${conn}`);
    expect(named).toContain("dev-network → shop-eu shop/custrecord[ReplicaSet]: TCP 8443");
    for (const { src, dst } of json.connections) expect(src.startsWith("x") && dst.startsWith("x")).toBe(false);
    const csv = await firebreak("reach", "-o", "csv", "--inventory", inventory);
    expect(csv.stdout.split("\n")).toHaveLength(json.connections.length + 2);
    const dot = await firebreak("reach", "-o", "dot", "--inventory", inventory);
    expect(dot.stdout.match(/ -> /g)).toHaveLength(json.connections.length);
    const pairs = JSON.parse((await firebreak("reach", "--expand", "--inventory", inventory)).stdout) as readonly {
      src: string;
      dst: string;
    }[];
    expect(pairs).toContainEqual({ src: "dev-network", dst: "shop-eu shop/custrecord[ReplicaSet]", conn: "TCP 8443" });
    for (const { src, dst } of pairs) expect(src).not.toBe(dst);
  });

  // Bug: --live prints what is meant; a host that could not be read is listed as open or closed without a word.
  test("--live prints what is enforced, and says what was not read", async () => {
    const { stdout, stderr } = await firebreak("reach", "--live", "--expand", "--inventory", inventory);
    const pairs = (JSON.parse(stdout) as readonly { src: string; dst: string; conn: string }[]).map(
      ({ src, dst, conn }) => `${src} → ${dst}: ${conn}`,
    );
    expect(pairs).toContain("dev-network → shop-eu shop/custrecord[ReplicaSet]: All Connections");
    expect(stderr).toContain("warning: host/directory/ldap-red-2 was not read");
  });

  test("asks the service about what is in force, or what is live", async () => {
    const answer: ReachAnswer = {
      classes: [{ id: "c1", kind: "workloads", members: ["eu s/a\u001b[2J[Pod]", "=1+1"] }],
      connections: [{ src: "c1", dst: "c1", conn: "TCP 22" }],
      notes: [{ severity: "warning", code: "uncertain", summary: "not\u0007 read" }],
    };
    await using service = await FakeService.start(({ path }) => (path === API.reach ? { body: answer } : undefined));
    const table = await runCli(["reach", "--running", ...service.config]);
    expect(table).toEqual({
      code: 0,
      stdout: "CLASS  MEMBERS\nc1     eu s/a\\u001b[2J[Pod] =1+1\n\nSRC  DST  CONNECTION\nc1   c1   TCP 22\n",
      stderr: "warning: not\\u0007 read\n",
    });
    const csv = await runCli(["reach", "--live", "--expand", "-o", "csv", ...service.config]);
    expect(csv.stdout).toBe("src,dst,conn\n'=1+1,eu s/a\\u001b[2J[Pod],TCP 22\neu s/a\\u001b[2J[Pod],'=1+1,TCP 22\n");
    expect(service.requests.map(({ query }) => query)).toEqual([{}, { live: "true" }]);
    expect((await runCli(["reach", "policies", "--running", ...service.config])).stderr).toMatch(
      /^error USAGE: the service is asked/,
    );
    expect((await runCli(["reach", "policies", "--manifests", "x"])).stderr).toMatch(
      /^error USAGE: --manifests is another question/,
    );
  });
});

// Bug: the example is broken from the start, or loses the guardrails that it is there to show.
test("the example passes its own guardrails and tests", async () => {
  const { code, stdout } = await runCli(["test", EXAMPLE]);
  expect([code, stdout.split("\n").at(-2)]).toEqual([
    0,
    "2 claims of guardrails, 4 tests, on workloads made up from the definitions: 6 passed, 0 failed",
  ]);
  const guardrails = await readFile(join(EXAMPLE, "guardrails/production.yaml"), "utf8");
  expect(guardrails).toContain("{from: [dev], to: [prod], ports: [any]}");
  expect(guardrails).toContain("{from: [dev], reaches: [prometheus], ports: [any]}");
});

describe("segments", () => {
  // Bug: who is in a segment cannot be asked without a service; the empty ones and those in none are not told.
  test("are answered offline, with an inventory and without", async () => {
    await expectTranscript("segments", "segments", "--inventory", inventory);
    await expectTranscript("segments-one", "segments", "cust-record", "--inventory", inventory);
    const json = JSON.parse((await firebreak("segments", "-o", "json", "--inventory", inventory)).stdout) as SegmentsAnswer;
    expect(json.inNone?.map(({ workload }) => workload)).toContain("cluster/shop-eu/kube-system/coredns-0");
    const bare = await firebreak("segments", "ldap-servers-blue");
    expect(bare.stdout).toContain("ldap-blue-1");
    // Bug: "on workloads made up from the definitions", where none is made up; and a folder without pods reads as a typo of labels.
    const alone = await firebreak("segments");
    expect(alone.stdout).toMatch(/^17 segments, from the definitions alone: their hosts, externals and addresses, and no pods\n/);
    expect(alone.stdout).toMatch(/nobody known is in [^\n]*cust-record[^\n]*: pods are known with --inventory FILE/);
    expect(alone.stdout).not.toMatch(/made up|typo|every workload/);
    expect((await firebreak("segments")).stderr).toContain("the workloads of cluster/shop-eu are not known whole");
    expect(await firebreak("segments", "cust-recrod", "--inventory", inventory)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Did you mean cust-record?") as string,
    });
  });

  // Bug: a running service is not asked, or is asked for everything where one segment was meant.
  test("are asked of the running service", async () => {
    const answer: SegmentsAnswer = {
      basis: "live",
      segments: [],
      inNone: [],
      gaps: ["the workloads of cluster/x are not known whole"],
    };
    await using service = await FakeService.start(({ path }) => (path === API.segments ? { body: answer } : undefined));
    const result = await runCli(["segments", "web", ...service.config], { cwd: service.folder });
    expect(result).toMatchObject({ code: 0, stderr: "the workloads of cluster/x are not known whole\n" });
    expect(service.requests.map(({ path, query }) => [path, query])).toEqual([[API.segments, { name: "web" }]]);
  });
});

// Bug: what was allowed last week takes a checkout; or the answer is that of today.
test("explain --at answers as a commit of the clone had it", async () => {
  const at = async (revision: string) => {
    const { stdout, code } = await firebreak("explain", "dev", "cust-record", "8443", "--at", revision, "-o", "json");
    return { code, verdict: (JSON.parse(stdout) as ExplainAnswer).verdict };
  };
  expect(await at("HEAD")).toEqual({ code: 0, verdict: "allowed" });
  expect(await at("HEAD~2")).toEqual({ code: 0, verdict: "denied" });
  const nothing = await firebreak("explain", "dev", "cust-record", "8443", "--at", "HEAD~3");
  expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining("HEAD~3 has no definitions") as string });
});

// Bug: --at is lost on the way to the service, which answers with what is in force.
test("explain --at asks the service for that revision", async () => {
  await using service = await FakeService.start(({ path }) =>
    path === API.explain ? { status: 404, body: { code: "NOT_FOUND", message: "there is no revision 7" } } : undefined,
  );
  const result = await runCli(["explain", "web", "db", "5432", "--at", "7", ...service.config], { cwd: service.folder });
  expect(result.stderr).toContain("there is no revision 7");
  expect(service.requests[0]?.query).toEqual({ from: "web", to: "db", port: "5432", at: "7" });
});

// Bug: targets in mode: plan cannot be asked about on real workloads, before they are applied.
test("--as-applied counts targets in mode: plan, on the workloads of an inventory", async () => {
  await using scratch = await scratchFolder();
  await cp(EXAMPLE, scratch.file("policies"), { recursive: true });
  for (const file of await filesBelow(scratch.file("policies")))
    await writeFile(file, (await readFile(file, "utf8")).replaceAll("mode: apply", "mode: plan"));
  const explain = async (...more: readonly string[]) => {
    const args = ["explain", "geo-location", "credit-check", "8443", "--inventory", inventory, "-o", "json", ...more];
    return (JSON.parse((await runCli(args, { cwd: scratch.folder })).stdout) as ExplainAnswer).verdict;
  };
  expect([await explain(), await explain("--as-applied")]).toEqual(["allowed", "denied"]);
  expect((await runCli(["plan", "--as-applied"], { cwd: scratch.folder })).stderr).toContain("--as-applied needs --inventory");
});

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
