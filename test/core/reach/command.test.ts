import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import type { ProbeAnswer } from "../../../core/reach/probe.ts";
import { runCli } from "../../cli/run-cli.ts";

const CASES = join(import.meta.dirname, "../../../../shared/corpus/networkpolicy-verdicts/cases.json.gz");

interface Step {
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pods: readonly Readonly<Record<string, unknown>>[];
  readonly policies: readonly object[];
  readonly expected: readonly string[];
}

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-manifests-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const POD = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "a" }, spec: { containers: [] } };

test("reach prints classes, or pairs as JSON (bug: notes mixed into the result)", async () => {
  const path = join(folder, "pods.yaml");
  await writeFile(path, `${stringify(POD)}---\n${stringify({ ...POD, metadata: { name: "db", namespace: "b" } })}`);
  const pairs = await runCli(["reach", "--manifests", path, "--expand"]);
  expect(pairs.code).toBe(0);
  expect(JSON.parse(pairs.stdout)).toContainEqual({ src: "a/web[Pod]", dst: "b/db[Pod]", conn: "All Connections" });
  expect(pairs.stderr).toContain("everything is allowed");
  const matrix = await runCli(["reach", "--manifests", path, "-o", "json"]);
  expect(JSON.parse(matrix.stdout)).toMatchObject({ classes: { c1: ["a/web[Pod]", "b/db[Pod]"] } });
});

test("a folder with an error gives no listing, no answers and exit code 1 (bug: the good half is listed)", async () => {
  const bad = await mkdtemp(join(folder, "bad-"));
  await writeFile(join(bad, "pod.yaml"), stringify(POD));
  await writeFile(
    join(bad, "policy.yaml"),
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {ingres: []}\n",
  );
  await writeFile(join(bad, "probes"), '{"src": "a/web", "dst": "10.0.0.1", "port": 80}\n');
  const calls = [
    ["reach", "--manifests", bad],
    ["verdict", "--manifests", bad, "--probes", join(bad, "probes")],
  ];
  for (const call of calls) {
    const { code, stdout, stderr } = await runCli(call);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/policy\.yaml:4:\d+: error: NetworkPolicy default\/p: spec\.ingres is not known/);
  }
});

test("an empty folder, a folder that is not there and a probe that does not read are failures", async () => {
  const empty = await mkdtemp(join(folder, "empty-"));
  const good = await mkdtemp(join(folder, "good-"));
  await writeFile(join(good, "pod.yaml"), stringify(POD));
  await writeFile(join(good, "probes"), '{"src": "a/web", "dst": "10.0.0.1", "port": 80}\n{"src": "web"}\n');
  const reasons: [string[], RegExp][] = [
    [["reach", "--manifests", empty], /holds no manifest/],
    [["reach", "--manifests", join(empty, "gone")], /read the manifests/],
    [["verdict", "--manifests", good, "--probes", join(good, "probes")], /probes:2: src must be/],
  ];
  for (const [call, reason] of reasons) {
    const { code, stdout, stderr } = await runCli(call);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(reason);
  }
});

test("verdict answers a sample of the public corpus, line by line, from a folder of YAML", async () => {
  if (!existsSync(CASES)) {
    console.log("the corpus of NetworkPolicy verdicts was not there: nothing was checked against it");
    return;
  }
  const cases = JSON.parse(gunzipSync(readFileSync(CASES)).toString()) as readonly { readonly steps: readonly Step[] }[]; // its README says this shape
  for (const index of [3, 60, 120, 180]) {
    const step = cases[index]?.steps.at(-1) as Step; // no case is without a step
    const sample = await mkdtemp(join(folder, "case-"));
    const objects = [
      ...Object.entries(step.namespaces).map(([name, labels]) => ({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name, labels },
      })),
      ...step.pods.map((pod) => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { namespace: pod["namespace"], name: pod["name"], labels: pod["labels"] },
        spec: { containers: [{ name: "c", ports: pod["ports"] }] },
        status: { podIP: pod["ip"] },
      })),
      ...step.policies,
    ];
    await writeFile(
      join(sample, "all.yaml"),
      objects.map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false, version: "1.1" })}`).join(""),
    );
    const lines = step.expected.map(
      (line: string) => /^(\S+) -> (\S+) (\w+)\/(\S+) ingress=(.) egress=(.) combined=(.)$/.exec(line) ?? [],
    );
    const probes = lines.map(([, src, dst, protocol, port]) => JSON.stringify({ src, dst, protocol, port: Number(port) || port }));
    await writeFile(join(sample, "probes.jsonl"), `${probes.join("\n")}\n`);
    const { code, stdout, stderr } = await runCli(["verdict", "--manifests", sample, "--probes", join(sample, "probes.jsonl")]);
    expect(code, stderr).toBe(0);
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ProbeAnswer); // the shape is what is tested
    expect(answers.length).toBe(lines.length);
    const signs = answers.map(({ ingress, egress, allowed }) => [ingress, egress, allowed]);
    expect(signs).toEqual(lines.map((match) => match.slice(5).map((sign) => sign !== "X")));
  }
});
