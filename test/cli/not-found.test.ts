/** Whatever names a thing that is not there is told so, with what was probably meant or the way to what there is: in every verb. */
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { buildProgram } from "../../cli/program.ts";
import { describeTree, type CommandInfo } from "../../cli/command-tree.ts";
import { API } from "../../core/api/shapes.ts";
import { unknownName, unknownTarget } from "../../core/model/unknown-name.ts";
import { findingAnswers, statusAnswer } from "./answers.ts";
import { FakeService } from "./fake-service.ts";
import { runCli, scratchFolder } from "./run-cli.ts";
import { EXAMPLE, shopInventory } from "./shop-inventory.ts";

const SETTINGS = `repository: {url: ., branch: main, path: policies}
stateFolder: state
kubernetes: {kubeconfig: kubeconfig}
ssh: {identityFile: id, knownHosts: known_hosts}
channels: {oncall: {webhook: {urlFrom: "env:HOOK"}}}
allow: {contexts: [shop-eu, shop-us], hosts: [0.0.0.0/0], users: [root, firebreak]}
`;

const SEEN = ["--inventory", "seen.json", "--definitions", "policies"];

/** What is answered here: the argument or option by its command, how it is called, and what is said. */
const HERE: Readonly<Record<string, readonly [args: readonly string[], said: RegExp]>> = {
  "plan target": [["plan", "shop-ue", ...SEEN], /no target shop-ue\. Did you mean cluster\/shop-eu\?/],
  "render --target": [
    ["render", "--target", "cluster/shop-ue", "--definitions", "policies"],
    /no target cluster\/shop-ue\. Did you mean cluster\/shop-eu\?/,
  ],
  "doctor --target": [["doctor", "--target", "ldap-blu-1"], /no target ldap-blu-1\. Did you mean host\/directory\/ldap-blue-1\?/],
  "hosts setup host": [["hosts", "setup", "ldap-blue-1"], /no target ldap-blue-1\. Did you mean host\/directory\/ldap-blue-1\?/],
  "hosts persist hosts": [
    ["hosts", "persist", "--off", "host/directory/ldap-blue-9"],
    /Did you mean host\/directory\/ldap-blue-\d\?/,
  ],
  "clusters setup cluster": [["clusters", "setup", "shop-eu"], /no target shop-eu\. Did you mean cluster\/shop-eu\?/],
  "guard cluster": [["guard", "shop-eu", "--break-glass", "g"], /no target shop-eu\. Did you mean cluster\/shop-eu\?/],
  "ready segment": [
    ["ready", "cust-recrod", "--flows", "flows.json", ...SEEN],
    /no segment cust-recrod\. Did you mean cust-record\?/,
  ],
  "propose segments": [
    ["propose", "cust-recrod", "--flows", "flows.json", ...SEEN],
    /no segment cust-recrod\. Did you mean cust-record\?/,
  ],
  "segments segment": [["segments", "cust-recrod", ...SEEN], /no segment cust-recrod\. Did you mean cust-record\?/],
  "explain from": [["explain", "cust-recrod", "geo-location", "443", ...SEEN], /no "cust-recrod"\. Did you mean "cust-record"\?/],
  "explain to": [["explain", "geo-location", "zzz", "443", ...SEEN], /no "zzz"\. Name a segment/],
  "explain --at": [
    ["explain", "geo-location", "cust-record", "443", "--definitions", "policies", "--at", "mian"],
    /no commit mian\. Did you mean main\?/,
  ],
  ...Object.fromEntries(
    [
      ["validate"],
      ["test"],
      ["segments"],
      ["reach"],
      ["render", "--target", "cluster/shop-eu"],
      ["plan", "--inventory", "seen.json"],
    ].map(([verb = "", ...more]) => [
      `${verb} --at`,
      [[verb, ...more, "--at", "mian"], /no commit mian\. Did you mean main\?/] as const,
    ]),
  ),
  "diff before": [["diff", "mian", "HEAD"], /no commit mian\. Did you mean main\?/],
  "diff after": [["diff", "HEAD", "0123456"], /no commit 0123456\. There is main; `git log --all --oneline` lists/],
  "review base": [["review", "mian", "HEAD"], /no commit mian\. Did you mean main\?/],
  "review head": [["review", "main", "nosuch"], /no commit nosuch\. There is main; `git log --all --oneline` lists/],
  "notify test channel": [["notify", "test", "oncal"], /no channel "oncal" .*: it has oncall\. Did you mean "oncall"\?/],
};

/** What is looked up in answers of the service. */
const THERE: Readonly<Record<string, readonly [args: readonly string[], said: RegExp]>> = {
  "status --wait": [["status", "--wait", "7777abc"], /no commit 7777abc\. There are .+ Say the whole id/],
  "findings finding": [["findings", "feedfeed"], /no finding feedfeed\. .*firebreak findings --all lists them/],
  "accept revision": [
    ["accept", "7777abc"],
    /no commit 7777abc\. There is [0-9a-f]{40}; firebreak status shows which one is refused now/,
  ],
};

/** What the service looks up; see the tests of the console and of the syncer. */
const ASKED = ["reconcile target", "release target", "findings --target", "denials target"] as const;

/** Names that are given, not looked up; or of an audit log (see audit.test.ts); or of a plan or a channel, which the service knows. */
const ELSEWHERE = ["audit log --target", "approve plan", "notify retry channel"];

let scratch: Awaited<ReturnType<typeof scratchFolder>>;

beforeAll(async () => {
  scratch = await scratchFolder({
    "firebreak.yaml": SETTINGS,
    "seen.json": JSON.stringify(await shopInventory()),
    "flows.json": `{"version": 1, "flows": [], "coverage": []}`,
  });
  cpSync(EXAMPLE, scratch.file("policies"), { recursive: true });
  const git = (...args: readonly string[]): void =>
    void execFileSync("git", ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", ...args], { cwd: scratch.folder });
  git("init", "-q", "-b", "main");
  git("add", "policies");
  git("commit", "-qm", "first");
});
afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
});

describe("a name that nothing has", () => {
  test.each(Object.entries(HERE))("%s", async (_, [args, said]) => {
    const { code, stdout, stderr } = await runCli(args, { cwd: scratch.folder });
    expect(stderr).toMatch(said);
    expect([code, stdout]).toEqual([1, ""]);
  });

  it("is looked up in what the service answers", async () => {
    await using service = await FakeService.start(({ path }) =>
      path === API.status ? { body: statusAnswer() } : path === API.findings ? { body: findingAnswers() } : undefined,
    );
    await using nowhere = await scratchFolder();
    for (const [name, [args, said]] of Object.entries(THERE)) {
      const { code, stderr } = await runCli([...args, ...service.config], { cwd: nowhere.folder });
      expect([code, stderr], name).toEqual([1, expect.stringMatching(said)]);
    }
    for (const args of [
      ["diff", "7777abc", "6"],
      ["explain", "a", "b", "1", "--at", "7777abc"],
    ]) {
      const { code, stderr } = await runCli([...args, ...service.config], { cwd: nowhere.folder });
      expect([code, stderr], args[0]).toEqual([
        1,
        expect.stringMatching(/no commit 7777abc\. There are .+ firebreak audit log lists them/),
      ]);
    }
    const host = await runCli(["hosts", "persist", "host/directory/ldap-blue-9", ...service.config]);
    expect(host.stderr).toMatch(/no target host\/directory\/ldap-blue-9\. There is host\/directory\/ldap-red-1; firebreak status/);
  });

  it("is told as the service tells it", async () => {
    const { code, message } = unknownTarget("shop-ue", ["cluster/shop-eu"]);
    await using service = await FakeService.start(() => ({ status: 404, body: { code, message } }));
    const calls = [
      ["reconcile", "shop-ue"],
      ["release", "shop-ue", "--yes"],
      ["findings", "--target", "shop-ue"],
      ["denials", "shop-ue"],
    ];
    for (const args of [...calls, ["plan", "shop-ue"]]) {
      const { stderr, ...result } = await runCli([...args, ...service.config]);
      expect([result.code, stderr], args[0]).toEqual([1, expect.stringContaining("Did you mean cluster/shop-eu?")]);
    }
  });

  // Bug: a verb is added that takes a name, and answers a typo with an empty list.
  it("has a row here for every argument and option that names something", () => {
    const NAMES = ["before", "after", "base", "head", "revision", "plan", "channel", "--at", "--wait"];
    const named = (command: CommandInfo): readonly string[] => [
      ...[
        ...command.arguments,
        ...command.options.filter(({ takesValue }) => takesValue).map(({ flags, names }) => ({ name: flags[0] ?? "", names })),
      ]
        .filter(({ name, names }) => names !== undefined || NAMES.includes(name))
        .map(({ name }) => `${command.path.slice("firebreak ".length)} ${name}`),
      ...command.commands.flatMap(named),
    ];
    const rows = [...Object.keys(HERE), ...Object.keys(THERE), ...ASKED, ...ELSEWHERE];
    expect(named(describeTree(buildProgram())).toSorted()).toEqual(rows.toSorted());
  });
});

// Bug: the advice is a list of a thousand names; or a name with a line break writes a line of its own.
test("a few names are told, many have a list, and what is typed stays in its line", () => {
  const many = Array.from({ length: 9 }, (_, index) => `cluster/c${index}-of-many`);
  expect(unknownTarget("nosuch", many).message).toBe("there is no target nosuch. firebreak status lists them");
  expect(unknownTarget("nosuch", []).message).toBe("there is no target nosuch. firebreak status lists them");
  expect(unknownName("segment", "a\nb", ["x"], "LIST").message).toBe('there is no segment "a\\nb". There is x; LIST');
});
