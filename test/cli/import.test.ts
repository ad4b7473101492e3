/** `firebreak import`: what it writes, what it leaves alone, what it says. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const MANIFESTS = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8443}]}]}
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "firebreak-import-"));
  writeFileSync(join(folder, "seen.yaml"), MANIFESTS);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function run(...more: readonly string[]) {
  const from = ["--manifests", join(folder, "seen.yaml"), "--cluster", "prod-eu", "--to", join(folder, "policies")];
  return await runCli(["import", ...from, ...more]);
}

// Bugs: a dry run writes; a second run gives other text, or a conflict with the first; what it wrote does not validate.
test("writes definitions that validate, the same each time, and nothing in a dry run", async () => {
  const first = join(folder, "policies/prod-eu/segments.yaml");
  const dry = await run("--dry-run");
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.stdout).toContain("would be new: ");
  expect(existsSync(first)).toBe(false);
  const once = await run("--detailed-exitcode");
  expect(once, once.stderr).toMatchObject({ code: 0 });
  expect(once.stdout).toContain("1 NetworkPolicy → 1 segment, 1 policy, 1 rule");
  expect(once.stdout).toContain("the same connections as the policies that were read");
  const text = readFileSync(first, "utf8");
  expect((await run()).stdout).toContain(`the same: ${first}`);
  expect(readFileSync(first, "utf8")).toBe(text);
  const validated = await runCli(["validate", join(folder, "policies")]);
  expect(validated, validated.stdout + validated.stderr).toMatchObject({ code: 0 });
});

// Bug: a file that a person wrote is replaced.
test("replaces no file that an import did not write, and then writes none", async () => {
  await run();
  const [mine, other] = ["segments", "policies"].map((name) => join(folder, "policies/prod-eu", `${name}.yaml`)) as [
    string,
    string,
  ];
  writeFileSync(mine, "# mine\n");
  rmSync(other);
  const refused = await run();
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("not written by an import");
  expect(readFileSync(mine, "utf8")).toBe("# mine\n");
  expect(existsSync(other)).toBe(false);
});

// Bug: a policy that cannot be said goes missing without a word, and scripts take that for done.
test("says what it could not import, with an exit code for scripts", async () => {
  writeFileSync(
    join(folder, "seen.yaml"),
    `${MANIFESTS}---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec: {subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
`,
  );
  const { code, stdout, stderr } = await run("--detailed-exitcode");
  expect(code, stderr).toBe(2);
  expect(stdout).toContain("BaselineAdminNetworkPolicy default: a policy for the whole cluster");
  const json = await run("-o", "json");
  expect(JSON.parse(json.stdout)).toMatchObject({ counts: { read: 1 }, leftOut: [expect.stringContaining("default")] });
});

// Bugs: a policy of another kind goes missing behind "the same connections"; a context's name is told as a mistake in Firebreak.
test("says what kinds it does not read, and takes no name that no definition can have", async () => {
  writeFileSync(
    join(folder, "seen.yaml"),
    `${MANIFESTS}---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: extra, namespace: shop}\nspec: {}\n`,
  );
  const { code, stdout } = await run("--detailed-exitcode");
  expect(code).toBe(2);
  expect(stdout).toContain("CiliumNetworkPolicy is not read");
  const named = await runCli(["import", "--manifests", join(folder, "seen.yaml"), "--cluster", "Campus West", "--to", folder]);
  expect(named.code).not.toBe(0);
  expect(named.stderr).toContain("--cluster campus-west --context Campus West");
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

// Bug: a repository whose Workspace wants an owner is red at once, and the next commit of anybody is refused.
test("writes nothing that its repository would refuse, and says what to give", async () => {
  write("policies/workspace.yaml", "apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {require: [owner]}\n");
  const refused = await run();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("--owner TEAM");
  expect(existsSync(join(folder, "policies/prod-eu"))).toBe(false);
  const owned = await run("--owner", "team-shop");
  expect(owned, owned.stderr).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "policies/prod-eu/policies.yaml"), "utf8")).toContain("owner: team-shop");
  expect((await runCli(["validate", join(folder, "policies")])).code).toBe(0);
});

// Bug: a second import wipes what a person changed in its files.
test("a file that was edited since is replaced by --force only, and it is said", async () => {
  await run();
  const file = join(folder, "policies/prod-eu/segments.yaml");
  const edited = readFileSync(file, "utf8").replace("ingress: observe", "ingress: enforce");
  writeFileSync(file, edited);
  const refused = await run();
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(`${file}: edited since`);
  expect(readFileSync(file, "utf8")).toBe(edited);
  const dry = await run("--force", "--dry-run");
  expect(dry.stdout).toContain(`would be replaced, with what was edited in it: ${file}`);
  expect(readFileSync(file, "utf8")).toBe(edited);
  expect((await run("--force")).stdout).toContain(`replaced, with what was edited in it: ${file}`);
  expect(readFileSync(file, "utf8")).toContain("ingress: observe");
  const json = JSON.parse((await run("-o", "json")).stdout) as { readonly written: readonly { readonly how: string }[] };
  expect(new Set(json.written.map(({ how }) => how))).toEqual(new Set(["the same"]));
});

// Bugs: a Cluster that is there already is "defined twice"; the imported segments choose no cluster.
test("leaves out a Cluster that another file has, if imported segments can choose it", async () => {
  const cluster = (labels: string): string =>
    `apiVersion: firebreak.dev/v1alpha1\nkind: Cluster\nmetadata: {name: prod-eu, labels: {${labels}}}\nspec: {mode: plan, context: x}\n`;
  write("policies/targets.yaml", cluster("env: prod"));
  const refused = await run();
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("add `labels: {cluster: prod-eu}`");
  write("policies/targets.yaml", cluster("env: prod, cluster: prod-eu"));
  const { code, stderr } = await run();
  expect(code, stderr).toBe(0);
  expect(existsSync(join(folder, "policies/prod-eu/cluster.yaml"))).toBe(false);
  const validated = await runCli(["validate", join(folder, "policies")]);
  expect(validated, validated.stdout + validated.stderr).toMatchObject({ code: 0 });
});

// Bug: the second cluster with the same applications makes every name of the first one "defined twice".
test("a second cluster gets names that nobody has", async () => {
  await run();
  const more = ["--cluster", "prod-us", "--to", join(folder, "policies")];
  const second = await runCli(["import", "--manifests", join(folder, "seen.yaml"), ...more]);
  expect(second, second.stderr).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "policies/prod-us/segments.yaml"), "utf8")).toContain("name: shop-web-2");
  expect((await runCli(["validate", join(folder, "policies")])).code).toBe(0);
});

// Bug: whoever lets the cluster be written says so in a file of the import, and the next import refuses to go on.
test("leaves the Cluster to its user: what he says in it stays, and is no edit of a file of the import", async () => {
  await run();
  const cluster = join(folder, "policies/prod-eu/cluster.yaml");
  const mine = readFileSync(cluster, "utf8").replace("mode: plan", "mode: apply");
  writeFileSync(cluster, mine);
  const again = await run();
  expect(again, again.stderr).toMatchObject({ code: 0 });
  expect(again.stdout).not.toContain("cluster.yaml");
  expect(readFileSync(cluster, "utf8")).toBe(mine);
});
