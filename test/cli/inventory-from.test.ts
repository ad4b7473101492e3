/** `firebreak inventory from`: a first plan from what kubectl wrote, and no plan from a part of it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runCli, scratchFolder } from "./run-cli.ts";

const meta = (name: string, namespace?: string): object => ({ name, ...(namespace === undefined ? {} : { namespace }), uid: name });
const EXPORT = [
  { apiVersion: "v1", kind: "Namespace", metadata: meta("kube-system") },
  { apiVersion: "v1", kind: "Namespace", metadata: { ...meta("ward"), labels: { "kubernetes.io/metadata.name": "ward" } } },
  {
    apiVersion: "v1",
    kind: "Node",
    metadata: meta("n1"),
    status: { addresses: [{ type: "InternalIP", address: "10.0.0.1" }] },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: meta("kubernetes", "default"),
    spec: { clusterIP: "10.96.0.1", ports: [{ port: 443, protocol: "TCP" }] },
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...meta("lab-1", "ward"), labels: { app: "lab" } },
    spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }] },
    status: { phase: "Running", podIP: "10.244.0.7", podIPs: [{ ip: "10.244.0.7" }] },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { ...meta("by-hand", "ward") },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
  },
];
const exported = (...leftOut: readonly string[]): string =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items: EXPORT.filter(({ kind }) => !leftOut.includes(kind)) });

const POLICIES = `apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: campus}
spec: {mode: apply, context: campus}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: lab}
spec:
  members: [{pods: {matchLabels: {app: lab}}, namespaces: {matchLabels: {kubernetes.io/metadata.name: ward}}}]
  isolate: {ingress: enforce, egress: "off"}
`;

// Bugs: no plan before a service runs; pods of an export are in no segment; what another target has in the file is lost.
test("kubectl's export is an inventory: planned, and put beside what the file has already", async () => {
  await using scratch = await scratchFolder({ "live.json": exported() });
  mkdirSync(scratch.file("policies"));
  writeFileSync(scratch.file("policies/a.yaml"), POLICIES);
  const from = ["inventory", "from", "live.json", "--to", "seen.json", "--cluster"];
  const made = await runCli([...from, "campus"], { cwd: scratch.folder });
  expect(made, made.stderr).toMatchObject({ code: 0 });
  expect(made.stderr).toContain("cluster/campus: namespaces: ");
  expect((await runCli([...from, "other"], { cwd: scratch.folder })).code).toBe(0);
  const saved = JSON.parse(readFileSync(scratch.file("seen.json"), "utf8")) as { readonly clusters: object };
  expect(Object.keys(saved.clusters)).toEqual(["cluster/campus", "cluster/other"]);
  const plan = await runCli(["plan", "--definitions", "policies", "--inventory", "seen.json"], { cwd: scratch.folder });
  expect(plan.stdout, plan.stderr).toContain("cluster/campus");
  // What enforces now counts: it lets everybody in, and enforcing beside it closes nothing yet.
  expect(plan.stdout).toMatch(/opens and closes nothing[\s\S]*isolate: selects 1 pod/);
  const segments = await runCli(["segments", "--definitions", "policies", "--inventory", "seen.json"], {
    cwd: scratch.folder,
  });
  expect(segments.stdout, segments.stderr).toMatch(/^lab .*1 pod/m);
});

// Bug: an export without namespaces or nodes is taken for the whole cluster, and what is not in it for gone.
test.each(["Namespace", "Node", "Service"])("a part is refused: no %s", async (kind) => {
  await using scratch = await scratchFolder({ "live.json": exported(kind) });
  const refused = await runCli(["inventory", "from", "live.json", "--cluster", "campus"], { cwd: scratch.folder });
  expect(refused.code).not.toBe(0);
  expect(refused.stdout).toBe("");
  expect(refused.stderr).toContain(`there is no ${kind}`);
});

// Bugs: kubectl without -A answers for one namespace, which is taken for the whole cluster; so is the first page of a list.
test("the answer for one namespace, and a list that goes on, are parts", async () => {
  const one = EXPORT.filter(({ metadata }) => !("namespace" in metadata) || metadata.namespace === "default");
  const list = (items: readonly object[], metadata: object): string =>
    JSON.stringify({ apiVersion: "v1", kind: "List", metadata, items });
  await using scratch = await scratchFolder({ "one.json": list(one, {}), "page.json": list(EXPORT, { continue: "abc" }) });
  const asked = async (file: string) => await runCli(["inventory", "from", file, "--cluster", "campus"], { cwd: scratch.folder });
  expect(await asked("one.json")).toMatchObject({ code: 1, stdout: "" });
  expect((await asked("one.json")).stderr).toContain("outside of namespace default");
  expect(await asked("page.json")).toMatchObject({ code: 1, stdout: "" });
  expect((await asked("page.json")).stderr).toContain("only the first part of a list");
});

// Bug: kinds that may be absent are taken for none without a word.
test("that there are no policies at all is said", async () => {
  await using scratch = await scratchFolder({ "live.json": exported("NetworkPolicy") });
  const { code, stderr } = await runCli(["inventory", "from", "live.json", "--cluster", "campus"], { cwd: scratch.folder });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toContain("no NetworkPolicies at all: right only if kubectl was asked for networkpolicies");
});
