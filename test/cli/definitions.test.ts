import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, writeFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { PlanAnswer } from "../../core/api/shapes.ts";
import type { Want } from "../../core/compile/want.ts";
import { parseInventoryFile } from "../../core/observed/inventory-file.ts";
import { readDefinitionFolder } from "../../cli/source.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { compileOffline, targetsAsked } from "../../core/plan/offline.ts";
import { createTransaction } from "../../core/plan/host-transaction.ts";
import { wantDigest } from "../../core/render/digest.ts";
import type { Mark } from "../../core/render/mark.ts";
import { renderNetworkPolicies } from "../../core/render/networkpolicy.ts";
import { renderRuleset } from "../../core/render/nft.ts";
import { expectGolden } from "../support/golden.ts";
import { runCli, scratchFolder, transcript } from "./run-cli.ts";
import { EXAMPLE, shopInventory } from "./shop-inventory.ts";

const MISTAKE = "apiVersion: firebreak.dev/v1alpha1\nkind: Segmnt\nmetadata: {name: x}\nspec: {}\n";

describe("validate", () => {
  // Bug: the example does not validate, or what holds by default is not shown.
  test("prints what is in force and how much there is", async () => {
    const args = ["validate", "policies/example"];
    expectGolden("cli/validate.txt", transcript(args, await runCli(args)));
  });

  // Bug: exit 0 although a definition is refused; a note without its place.
  test("exits with 1 for an error, in each format, with the same notes", async () => {
    await using scratch = await scratchFolder({ "mistake.yaml": MISTAKE });
    const args = ["validate", scratch.folder];
    const text = await runCli(args);
    expectGolden("cli/validate-mistake.txt", transcript(args, text, scratch.folder));
    const json = await runCli([...args, "-o", "json"]);
    expect(json.code).toBe(1);
    const answer = JSON.parse(json.stdout) as { notes: { code: string }[]; counts: { errors: number } };
    expect(answer.counts.errors).toBe(answer.notes.length);
    const yaml = await runCli([...args, "-o", "yaml"]);
    expect(parse(yaml.stdout)).toEqual(answer);
  });

  // Bug: a definition's text ends an annotation and begins a command of the runner.
  test("prints annotations that nothing in a file can break out of", async () => {
    const evil =
      'apiVersion: firebreak.dev/v1alpha1\nkind: Segment\nmetadata: {name: "a\\n::set-output name=x::y,z:%0A"}\nspec: {}\n';
    await using scratch = await scratchFolder({ "evil.yaml": evil });
    const { stdout, code } = await runCli(["validate", ".", "--github"], { cwd: scratch.folder });
    expect(code).toBe(1);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .every((line) => /^::(error|warning|notice) (file=evil\.yaml,line=\d+,col=\d+,)?title=[a-z-]+::/.test(line)),
    ).toBe(true);
  });

  // Bug: `validate` in a pull request passes what the service will refuse.
  test("checks what the operator allows when settings are named, and exits with 0 for warnings only", async () => {
    await using scratch = await scratchFolder({ "firebreak.yaml": 'repository: {url: "http://git.invalid/p.git"}\n' });
    const refused = await runCli(["validate", EXAMPLE, "--config", scratch.file("firebreak.yaml")]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('the context "shop-eu" is not allowed');
    expect((await runCli(["validate", EXAMPLE])).code).toBe(0);
  });

  // Bug: a missing folder is an empty set of definitions that is fine.
  test("a folder that is not there is an error", async () => {
    const { code, stderr } = await runCli(["validate", "no-such-folder"]);
    expect(code).toBe(1);
    expect(stderr).toContain("error NOT_FOUND: there is no folder no-such-folder");
  });

  // Bug: the wrong folder passes in CI, because nothing in it fails; a file is answered with ENOTDIR.
  test.each(["validate", "test", "segments", "reach"])(
    "%s takes no folder without definitions, and no file, for fine",
    async (name) => {
      await using scratch = await scratchFolder({ "one.yaml": "" });
      const inFolder = (folder: string): readonly string[] => (name === "segments" ? ["--definitions", folder] : [folder]);
      await mkdir(scratch.file("empty"));
      const empty = await runCli([name, ...inFolder("empty")], { cwd: scratch.folder });
      expect([empty.code, empty.stdout]).toEqual([1, ""]);
      expect(empty.stderr).toContain("error NOT_FOUND: empty holds no definitions: no file that ends in .yaml or .yml");
      const file = await runCli([name, ...inFolder("one.yaml")], { cwd: scratch.folder });
      expect([file.code, file.stderr]).toEqual([1, expect.stringContaining("error USAGE: one.yaml is a file: ")]);
    },
  );

  // Bug: mistakes of the file that --config names are told under the name of another one.
  test("mistakes of settings stand under the name of their file", async () => {
    await using scratch = await scratchFolder({ "other.yaml": "repositry: {}\n", "broken.yaml": "a: [\n" });
    for (const [file, said] of [
      ["other.yaml", "error CONFIG_INVALID: other.yaml:\n"],
      ["broken.yaml", "error CONFIG_INVALID: broken.yaml is not valid YAML"],
    ] as const) {
      const { stderr } = await runCli(["validate", EXAMPLE, "--config", file], { cwd: scratch.folder });
      expect(stderr).toContain(said);
      expect(stderr).not.toContain("firebreak.yaml");
    }
  });

  // Bug: a host is written on which a wrong rule keeps everybody out, and nobody said so before.
  test("a host that is written and has no lifeline is a warning", async () => {
    const text = "repository: {url: .}\nallow: {contexts: [shop-eu, shop-us], hosts: [0.0.0.0/0], users: [root]}\n";
    await using scratch = await scratchFolder({ "bare.yaml": text, "way.yaml": `${text}lifeline: {from: [10.0.0.0/8]}\n` });
    const fleet =
      "apiVersion: firebreak.dev/v1alpha1\nkind: HostFleet\nmetadata: {name: bare, labels: {env: prod}}\nspec:\n  mode: MODE\n";
    const hosts = "  transport: {ssh: {user: root}}\n  hosts: [{name: h1, addresses: [10.20.9.9], labels: {role: ldap-server}}]\n";
    await cp(EXAMPLE, scratch.file("policies"), { recursive: true });
    const check = async (mode: string, config: string) => {
      await writeFile(scratch.file("policies/bare.yaml"), `${fleet.replace("MODE", mode)}${hosts}`);
      const { stdout, code } = await runCli(["validate", "policies", "--config", config], { cwd: scratch.folder });
      return [code, /policies\/bare\.yaml:\d+:\d+: warning: host\/bare\/h1 has no lifeline/.test(stdout)];
    };
    expect(await check("apply", "bare.yaml")).toEqual([0, true]);
    expect(await check("apply", "way.yaml")).toEqual([0, false]);
    expect(await check("plan", "bare.yaml")).toEqual([0, false]);
  });
});

describe("init", () => {
  // Bug: what init writes does not validate, or needs settings that it does not write.
  test("writes settings and definitions that validate together", async () => {
    await using scratch = await scratchFolder();
    expect((await runCli(["init"], { cwd: scratch.folder })).code).toBe(0);
    const { code, stdout, stderr } = await runCli(["validate"], { cwd: scratch.folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("no problems");
  });

  // Bug: a second init overwrites somebody's settings.
  test("never overwrites", async () => {
    await using scratch = await scratchFolder({ "firebreak.yaml": "mine: true\n" });
    const { code, stderr } = await runCli(["init"], { cwd: scratch.folder });
    expect(code).toBe(0);
    expect(stderr).toContain("kept   firebreak.yaml");
    expect(await readFile(scratch.file("firebreak.yaml"), "utf8")).toBe("mine: true\n");
  });

  // Bug: `git add .` in what init writes commits the operator's settings, keys and kubeconfig.
  test("git add takes nothing of the operator's", async () => {
    await using scratch = await scratchFolder();
    await runCli(["init", "."], { cwd: scratch.folder });
    const secrets = [
      "kubeconfig.yaml",
      "kubeconfig-read.yaml",
      "id_ed25519",
      "id_ed25519.pub",
      "known_hosts",
      "api.token",
      "webhook.secret",
    ];
    for (const name of [...secrets, "app.pem", "prod", ".env", "policies/id_rsa", "policies/segments/token"])
      await writeFile(join(scratch.folder, name), "secret");
    await mkdir(join(scratch.folder, ".firebreak"));
    await writeFile(join(scratch.folder, ".firebreak", "api.token"), "secret");
    const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: scratch.folder, encoding: "utf8" });
    git("init", "-q", ".");
    git("add", ".");
    expect(git("ls-files").trim().split("\n").sort()).toEqual([
      ".gitignore",
      "policies/policies/shop.yaml",
      "policies/segments/web.yaml",
      "policies/targets.yaml",
      "policies/workspace.yaml",
    ]);
  });
});

// Bug: the operator's settings lie in the repository that everybody clones; or verbs beside them do not find the definitions.
test("init puts the operator's files apart from the repository, and verbs work from there", async () => {
  await using scratch = await scratchFolder();
  expect((await runCli(["init", "repository", "--operator", "operator"], { cwd: scratch.folder })).code).toBe(0);
  expect((await readdir(scratch.file("operator"))).sort()).toEqual(["firebreak.yaml"]);
  expect((await readdir(scratch.file("repository"))).sort()).toEqual([".gitignore", "policies"]);
  expect((await stat(scratch.file("operator"))).mode & 0o077).toBe(0);
  const { code, stdout } = await runCli(["validate"], { cwd: scratch.file("operator") });
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("no problems") as string });
  expect((await runCli(["names", "segments"], { cwd: scratch.file("operator") })).stdout).toBe("database\nweb\n");
});

describe("offline", () => {
  let seen: string;

  beforeAll(async () => {
    seen = JSON.stringify(await shopInventory());
  });

  // Bug: a plan differs from what the service does, hides what opens, or plans a target that was not seen.
  test("plan shows what every target needs, from a file", async () => {
    await using scratch = await scratchFolder({ "seen.json": seen });
    const args = ["plan", "--inventory", scratch.file("seen.json"), "--definitions", "policies/example"];
    const result = await runCli(args);
    expect(result.code).toBe(1); // one target is not in the file
    expectGolden("cli/plan-offline.txt", transcript(args, result, scratch.folder));
  });

  // Bug: a script cannot tell changes from none.
  test("plan tells changes by its exit code, only when asked", async () => {
    await using scratch = await scratchFolder({ "seen.json": seen });
    const plan = async (...more: readonly string[]) => {
      return await runCli(["plan", "--inventory", scratch.file("seen.json"), "--definitions", "policies/example", ...more]);
    };
    expect((await plan("host/directory/ldap-red-1")).code).toBe(0);
    const changes = await plan("host/directory/ldap-red-1", "--detailed-exitcode", "-o", "json");
    expect(changes.code).toBe(2);
    const [answer] = JSON.parse(changes.stdout) as PlanAnswer[];
    expect(answer).toMatchObject({ target: "host/directory/ldap-red-1", mode: "apply", effect: { opened: [] } });
    expect((await plan("host/directory/ldap-blue-2", "--detailed-exitcode")).code).toBe(0);
    expect((await plan("host/directory/ldap-red-2", "--detailed-exitcode")).code).toBe(1);
  });

  // Bug: a typo in a target's name plans nothing and exits with 0.
  test("plan of a target that the definitions do not name says which one was meant", async () => {
    await using scratch = await scratchFolder({ "seen.json": seen });
    const args = ["plan", "cluster/shop", "--inventory", scratch.file("seen.json"), "--definitions", "policies/example"];
    const { code, stderr } = await runCli(args);
    expect(code).toBe(1);
    expect(stderr).toContain("there is no target cluster/shop. Did you mean cluster/shop-eu?");
  });

  // Bug: a file of something else is read as a world in which nothing exists.
  test("a file that is no inventory is refused", async () => {
    await using scratch = await scratchFolder({ "seen.json": '{"version": 1, "clusters": {}}', "broken.json": "{" });
    for (const name of ["seen.json", "broken.json", "missing.json"]) {
      const { code, stderr } = await runCli(["plan", "--inventory", scratch.file(name), "--definitions", "policies/example"]);
      expect(code).toBe(1);
      expect(stderr).toContain("inventory save");
    }
  });

  // Bug: definitions with errors are planned without what could not be read.
  test("definitions with errors are not planned", async () => {
    await using scratch = await scratchFolder({ "seen.json": seen });
    await cp(EXAMPLE, scratch.file("policies"), { recursive: true });
    await writeFile(scratch.file("policies/mistake.yaml"), MISTAKE);
    const { code, stderr } = await runCli(["plan", "--inventory", "seen.json", "--definitions", "policies"], {
      cwd: scratch.folder,
    });
    expect(code).toBe(1);
    expect(stderr).toContain("policies/mistake.yaml:2");
  });

  // Bug: what is rendered here is not what the service writes, or a YAML printer turns an empty rule list into something else.
  test("render prints the policies of a cluster, as YAML documents and as a List", async () => {
    await using scratch = await scratchFolder({ "seen.json": seen });
    const args = [
      "render",
      "--target",
      "cluster/shop-eu",
      "--definitions",
      "policies/example",
      "--inventory",
      scratch.file("seen.json"),
    ];
    const [yaml, json] = [await runCli(args), await runCli([...args, "-o", "json"])];
    const want = await wantOf("cluster/shop-eu");
    const items = want.kind === "cluster" ? renderNetworkPolicies(want, markOf(want)) : [];
    expect(items.length).toBeGreaterThan(10);
    expect(JSON.parse(json.stdout)).toEqual({ apiVersion: "v1", kind: "List", items });
    expect(parseAllDocuments(yaml.stdout).map((document) => document.toJS() as unknown)).toEqual(items);
  });

  // Bug: a host's ruleset is printed in a form that `nft -j -f -` does not read.
  test("render prints the ruleset of a host", async () => {
    await using scratch = await scratchFolder({ "seen.json": seen });
    const id = "host/directory/ldap-blue-1";
    const args = ["render", "--target", id, "--definitions", "policies/example", "--inventory", scratch.file("seen.json")];
    const want = await wantOf(id);
    const nftables =
      want.kind === "host" ? createTransaction(renderRuleset(want, markOf(want), { generation: 1, phase: "final" })) : [];
    expect(JSON.parse((await runCli(args)).stdout)).toEqual({ nftables });
    expect(parse((await runCli([...args, "-o", "yaml"])).stdout)).toEqual({ nftables });
  });

  /** What a target shall enforce, computed here. */
  async function wantOf(id: string): Promise<Want> {
    const { definitions } = parseDefinitions(await readDefinitionFolder("policies/example"));
    if (definitions === undefined) throw new Error("the example does not validate");
    const world = {
      definitions,
      seen: parseInventoryFile(JSON.parse(seen), "seen"),
      operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    };
    const [target] = targetsAsked(definitions, id);
    if (target === undefined) throw new Error(id);
    return compileOffline(world, target).want;
  }

  function markOf(want: Want): Mark {
    return { instance: "test-instance", sequence: 0, digest: wantDigest(want) };
  }

  // Bug: without an inventory it looks as if a cluster needed no policies.
  test("render without an inventory says what is missing", async () => {
    const cluster = await runCli(["render", "--target", "cluster/shop-eu", "--definitions", "policies/example"]);
    expect(cluster).toMatchObject({ code: 0, stdout: "" });
    expect(cluster.stderr).toContain("without --inventory there are no namespaces");
    const host = await runCli(["render", "--target", "host/directory/ldap-blue-1", "--definitions", "policies/example"]);
    expect(host.code).toBe(0);
    expect(host.stderr).toContain("the addresses of pods");
  });
});
