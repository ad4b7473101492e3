/** Definitions of up to 10,000 rules, beside the YAML library alone on the same bytes. */
import { parseAllDocuments } from "yaml";
import type { SourceFile } from "../core/model/parse.ts";
import { heapInUse } from "./heap.ts";
import { formatBytes, formatMs, formatRatio, medianTime, printFigure } from "./report.ts";
import { definitionsOf } from "./synthetic.ts";

const RUNS = 3;
const RULES_PER_POLICY = 10;

/** Prints one line per size. */
export function benchParse(): void {
  for (const rules of [100, 1_000, 10_000]) {
    const files = policyFiles(rules);
    const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
    const yaml = medianTime(RUNS, () => files.map((file) => parseAllDocuments(Buffer.from(file.bytes).toString("utf8"))));
    const ours = medianTime(RUNS, () => definitionsOf(files));
    printFigure(
      `${rules} rules in ${files.length} files, ${formatBytes(bytes)}`,
      `parsed and checked ${formatMs(ours.ms)}; the YAML library alone ${formatMs(yaml.ms)} (${formatRatio(ours.ms, yaml.ms)} of it) · heap ${formatBytes(heapInUse())}`,
    );
  }
}

/** Ten rules a policy, ten policies a file, one segment for each policy. */
function policyFiles(rules: number): readonly SourceFile[] {
  const policies = Math.ceil(rules / RULES_PER_POLICY);
  const files = new Map<string, string[]>();
  for (let policy = 0; policy < policies; policy++) {
    const path = `team-${Math.floor(policy / 10)}.yaml`;
    const texts = files.get(path) ?? [];
    texts.push(segmentText(policy), policyText(policy, policies));
    files.set(path, texts);
  }
  return [...files].map(([path, texts]) => ({ path, bytes: Buffer.from(texts.join("---\n")) }));
}

function segmentText(n: number): string {
  return `apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: app-${n}}
spec:
  members:
    - pods: {matchLabels: {app: app-${n}}}
      namespaces: {matchLabels: {team: team-${n % 10}}}
  isolate: {ingress: enforce, egress: observe}
`;
}

function policyText(n: number, policies: number): string {
  const rule = (k: number): string =>
    `    - {from: [app-${(n + k) % policies}], to: [app-${n}], ports: [${8000 + k}/tcp, 9000-9010/udp]}\n`;
  const rules = Array.from({ length: RULES_PER_POLICY }, (_, k) => rule(k)).join("");
  return `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: app-${n}}
spec:
  owner: team-${n % 10}
  reason: benchmark
  rules:
${rules}`;
}
