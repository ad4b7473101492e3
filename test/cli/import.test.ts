/** `firebreak import`: what it writes, what it leaves alone, what it says. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  const [mine, other] = ["segments", "targets"].map((name) => join(folder, "policies/prod-eu", `${name}.yaml`)) as [string, string];
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
