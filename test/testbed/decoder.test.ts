import { spawn } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readManifestFile } from "../../core/manifest/document.ts";
import { readManifests } from "../../core/manifest/read.ts";
import { buildPart } from "../../testbed/build.mjs";

/** What Kubernetes' decoders say of a text. */
interface Decoded {
  readonly values?: readonly unknown[];
  readonly error?: string;
}

async function decodeAll(binary: string, texts: readonly string[]): Promise<readonly Decoded[]> {
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin.end(texts.map((text) => `${JSON.stringify(text)}\n`).join(""));
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve());
  });
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Decoded); // our own program's answers
}

const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop, labels: {a: "1"}}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - podSelector: {matchLabels: {app: web, tier: &t front}}
      namespaceSelector: {}
    - ipBlock: {cidr: 10.0.0.0/8, except: ["10.1.0.0/16"]}
    ports:
    - {protocol: TCP, port: 5432}
    - port: http
  egress: []
`;
const POD = `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
  annotations:
    note: |
      two
      lines
spec:
  containers:
  - name: c
    ports: [{name: http, containerPort: 8080}]
`;
const JSON_POD = JSON.stringify(
  { apiVersion: "v1", kind: "Pod", metadata: { name: "j", labels: { a: "b" } }, spec: { containers: [] } },
  null,
  1,
);
const SCALARS = [
  ..."0443 080 0o17 0x1F 0b11 8_443 1e3 443.0 -5 +5 .5 1. y n on OFF Yes ~ null Null 2001-01-01 190:20 '0443' \"x\\ty\" !!str&5 .inf 1e400 _1".split(
    " ",
  ),
  '"\\u0041"',
  '"\\/"',
];
const PIECES = [
  ...SCALARS.map((text) => text.replace("&", " ")),
  ..."{}[],:-#&*!|>'\"\n\t \uFEFF".split(""),
  "\n---\n",
  "\n--- # x\n",
  "\n--- x\n",
  "\n...\n",
  "%YAML 1.1\n",
  "\r\n",
  "spec: {}\n",
  "  Port: 80\n",
  '{"a":1}',
  '"a":1,',
  "<<: {x: 1}\n",
  "*t",
];

const original = fc
  .array(fc.constantFrom(POLICY, POD, JSON_POD), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("\n---\n"));
const edits = fc.array(fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom(...PIECES)), { maxLength: 2 });
const scalars = fc.tuple(fc.constantFrom("5432", "8080", "front", "web", "shop", "10.0.0.0/8"), fc.constantFrom(...SCALARS));
const texts = fc.tuple(original, edits, fc.option(scalars)).map(([text, changes, scalar]) => {
  let edited = scalar === null ? text : text.replace(scalar[0], scalar[1].replace("&", " "));
  for (const [at, dropped, piece] of changes) {
    const start = at % (edited.length + 1);
    edited = edited.slice(0, start) + piece + edited.slice(start + dropped);
  }
  return edited.toWellFormed();
});

// 2,000 with a fixed seed: the answers of one run are those of the next.
test("manifests mean what Kubernetes' own decoders make of them, or both refuse (bug: the cluster has another object)", async ({
  skip,
}) => {
  const built = await buildPart("decoder", { log: () => undefined });
  if ("missing" in built) return skip(built.missing);
  const generated = fc.sample(texts, { numRuns: 2_000, seed: 1_344 });
  const answers = await decodeAll(built.binary, generated);
  expect(answers).toHaveLength(generated.length);
  let both = 0;
  for (const [index, text] of generated.entries()) {
    const { values, error } = answers[index] as Decoded; // as many as texts
    const file = { path: "a.yaml", bytes: new TextEncoder().encode(text) };
    const { documents, notes } = readManifestFile(file);
    const where = JSON.stringify(text);
    if (error !== undefined) {
      expect(readManifests([file]).manifests, `${where}: ${error}`).toBeUndefined();
      continue;
    }
    if (notes.length > 0) continue; // more is refused here: what readers take differently
    expect(
      documents.map(({ value }) => value),
      where,
    ).toEqual(values ?? []);
    both += 1;
  }
  expect(both).toBeGreaterThan(300); // most texts are broken; enough are not
}, 120_000);
