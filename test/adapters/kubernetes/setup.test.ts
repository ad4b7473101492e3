/** `firebreak clusters setup` on a real API server: what it applies is enough, and what it writes leads there. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Check } from "../../../cli/doctor/check.ts";
import { KubernetesClient } from "../../../adapters/kubernetes/client.ts";
import { openCredentials } from "../../../adapters/kubernetes/credentials.ts";
import { roleManifests } from "../../../core/rights/manifests.ts";
import { startCluster, type TestCluster } from "../../../testbed/cluster.ts";
import type { KubeObject } from "../../../testbed/kube-api.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { runCli, type CliResult } from "../../cli/run-cli.ts";

const POLICIES = "/apis/networking.k8s.io/v1/networkpolicies";
const soon = (): AbortSignal => AbortSignal.timeout(60_000);

let run: Run;
let cluster: TestCluster;
let folder: string;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "setup" });
  folder = mkdtempSync(join(tmpdir(), "fb-setup-"));
  mkdirSync(join(folder, "policies"));
  writeFileSync(
    join(folder, "firebreak.yaml"),
    "repository: {url: ., path: policies}\nallow: {contexts: [eu]}\nkubernetes: {kubeconfig: kube.yaml}\nreadOnly: {kubeconfig: kube-read.yaml}\n",
  );
  writeFileSync(
    join(folder, "policies/eu.yaml"),
    "apiVersion: firebreak.dev/v1alpha1\nkind: Cluster\nmetadata: {name: eu}\nspec: {mode: plan, context: eu}\n",
  );
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await run?.close();
});

async function setup(...more: readonly string[]): Promise<CliResult> {
  return await runCli(["clusters", "setup", "cluster/eu", ...more], { cwd: folder });
}

function clientOf(file: string): KubernetesClient {
  return new KubernetesClient(openCredentials({ kind: "kubeconfig", file: join(folder, file), context: "eu" }));
}

describe("clusters setup", () => {
  // Bug: the default writes to the cluster, or prints less than what has to be applied.
  it("prints what is needed, and touches nothing", async () => {
    const { code, stdout } = await setup();
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${roleManifests("syncer")}---\n${roleManifests("drift")}` });
    await expect(cluster.api.get("/api/v1/namespaces/firebreak")).rejects.toMatchObject({ status: 404 });
  });

  // Bug: a kubeconfig that others can read or that loses its other contexts; the reader can write; the second run fails on what is there.
  it("applies it and writes a kubeconfig for each service, again without harm", async () => {
    writeFileSync(
      join(folder, "kube.yaml"),
      "apiVersion: v1\nkind: Config\ncontexts:\n  - {name: other, context: {cluster: x, user: y}}\n",
    );
    const admin = ["--yes", "--admin-context", cluster.context, "--admin-kubeconfig", cluster.kubeconfig];
    for (const turn of ["first", "second"]) {
      const { code, stderr } = await setup(...admin);
      expect({ turn, code, stderr }).toMatchObject({ code: 0 });
      expect(stderr).toContain("eu was reached with it");
    }
    for (const file of ["kube.yaml", "kube-read.yaml"]) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    const names = (parse(readFileSync(join(folder, "kube.yaml"), "utf8")) as { contexts: { name: string }[] }).contexts;
    expect(names.map(({ name }) => name)).toEqual(["other", "eu"]);
    await using syncer = clientOf("kube.yaml");
    await using drift = clientOf("kube-read.yaml");
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "fb-setup", namespace: "default" },
      spec: { podSelector: {}, policyTypes: ["Ingress"] },
    };
    const path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
    await drift.call("GET", POLICIES, { signal: soon() });
    await expect(drift.call("POST", path, { body: policy, signal: soon() })).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN" });
    await syncer.call("POST", path, { body: policy, signal: soon() });
    await expect(syncer.call("GET", "/api/v1/secrets", { signal: soon() })).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN" });
  });

  // Bug: doctor does not ask the API server, or names not the rule that is missing.
  it("leaves nothing for doctor to find, and what is taken away is named as the rule to add", async () => {
    const rights = async () => {
      const { stdout } = await runCli(["doctor", "--target", "cluster/eu", "-o", "json"], { cwd: folder });
      const { checks } = JSON.parse(stdout) as { readonly checks: readonly Check[] };
      return checks.filter(({ area }) => area === "cluster/eu").map(({ name, state, remedy }) => ({ name, state, remedy }));
    };
    expect((await rights()).map(({ name, state }) => `${name} ${state}`)).toEqual([
      "API server ok",
      "clock ok",
      "rights of syncer ok",
      "rights of drift ok",
    ]);
    const path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/firebreak-syncer";
    const role = (await cluster.api.get(path)) as KubeObject & {
      readonly rules: readonly { readonly resources: readonly string[] }[];
    };
    const rules = role.rules.filter(({ resources }) => !resources.includes("endpointslices"));
    await cluster.api.call("PUT", path, { ...role, rules });
    const missing = (await rights()).find(({ name }) => name === "rights of syncer");
    expect(missing?.state).toBe("fail");
    expect(missing?.remedy).toContain("{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}");
  });

  // Bug: a typo of the name sets up nothing and says so nowhere; --yes without a context takes the current one, of whichever cluster.
  it("refuses a name that is none, and --yes without a context", async () => {
    const typo = await runCli(["clusters", "setup", "eu"], { cwd: folder });
    expect(typo).toMatchObject({ code: 1, stderr: expect.stringContaining("Did you mean cluster/eu?") as string });
    expect(await setup("--yes")).toMatchObject({ code: 1, stderr: expect.stringContaining("--admin-context") as string });
  });
});

describe("import of a live cluster", () => {
  // Bug: a person has to know which kinds to ask kubectl for, and forgets the namespaces.
  it("reads through the context what kubectl would write, and writes what it means", async () => {
    await cluster.api.put("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "ward" } });
    await cluster.api.put("/apis/networking.k8s.io/v1/namespaces/ward/networkpolicies", {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "lab", namespace: "ward" },
      spec: { podSelector: { matchLabels: { app: "lab" } }, ingress: [{ ports: [{ port: 8443 }] }], policyTypes: ["Ingress"] },
    });
    const to = join(folder, "imported");
    const from = ["--context", cluster.context, "--kubeconfig", cluster.kubeconfig, "--to", to];
    const dry = await runCli(["import", "--cluster", "campus", ...from, "--dry-run", "-o", "json"]);
    expect(dry, dry.stderr).toMatchObject({ code: 0 });
    const { files } = JSON.parse(dry.stdout) as { readonly files: readonly { readonly text: string }[] };
    expect(files.map(({ text }) => text).join()).toContain("name: ward-lab");
    const { code, stdout, stderr } = await runCli(["import", "--cluster", "campus", ...from]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain("the same connections as the policies that were read");
    expect(readFileSync(join(to, "campus/cluster.yaml"), "utf8")).toContain(`context: ${cluster.context}`);
    expect((await runCli(["validate", to])).code).toBe(0);
    const lost = await runCli(["import", "--cluster", "campus", "--context", "nowhere", "--kubeconfig", cluster.kubeconfig]);
    expect(lost.stderr).toContain("nowhere");
    expect(lost.code).not.toBe(0);
  });
});
