import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { SourceFile } from "../../../core/model/source.ts";

/** A file of definitions from text. */
export function yamlFile(path: string, text: string, mode?: string): SourceFile {
  return { path, bytes: new TextEncoder().encode(text), mode };
}

/** A small organisation that parses without any note; cases add to it. */
export const ORGANISATION: readonly SourceFile[] = [
  yamlFile(
    "targets.yaml",
    `apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: eu, labels: {env: prod}}
spec: {context: eu, podNetwork: routed, podRanges: [10.244.0.0/16]}
---
apiVersion: firebreak.dev/v1alpha1
kind: HostFleet
metadata: {name: db, labels: {env: prod}}
spec:
  transport: {ssh: {user: firebreak}}
  hosts:
    - {name: db-1, addresses: [10.20.0.1], labels: {role: db}}
---
apiVersion: firebreak.dev/v1alpha1
kind: External
metadata: {name: mainframe, labels: {tier: legacy}}
spec: {addresses: [10.9.0.0/24]}
`,
  ),
  yamlFile(
    "segments.yaml",
    `apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: web}
spec:
  members:
    - {pods: {matchLabels: {app: web}}, namespaces: {matchLabels: {team: shop}}, clusters: {matchLabels: {env: prod}}}
  isolate: {ingress: enforce}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: db}
spec:
  members:
    - {hosts: {matchLabels: {role: db}}, fleets: {matchLabels: {env: prod}}}
  isolate: {ingress: enforce}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: mainframe}
spec:
  members:
    - externals: {matchLabels: {tier: legacy}}
`,
  ),
  yamlFile(
    "policies.yaml",
    `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: shop}
spec:
  owner: team-shop
  reason: the shop keeps its orders
  rules:
    - {from: [any], to: [web], ports: [443/tcp]}
    - {from: [web], to: [db], ports: [5432/tcp]}
    - {from: [db], to: [mainframe], ports: [1414/tcp]}
`,
  ),
];

/** The head of a definition. */
export function head(kind: string, name: string): string {
  return `apiVersion: firebreak.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
}

/** The files of policies/example. */
export function exampleFiles(): readonly SourceFile[] {
  const root = join(import.meta.dirname, "../../../policies/example");
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path), bytes: readFileSync(path), mode: "100644" }));
}
