/**
 * Made-up organisations of any size.
 *
 * `apps` applications, ten in each namespace, chained: application k may connect to k + 1 of the same namespace on 8443, and the first
 * of a namespace is a default deny that nobody may connect to. Each application is one segment with enforced ingress, so that `apps`
 * is also the number of NetworkPolicies.
 */
import type { ClusterInventory, Namespace, Pod } from "../core/membership/inventory.ts";
import type { Definitions } from "../core/model/kinds.ts";
import { formatNotes } from "../core/text/notes.ts";
import { parseDefinitions, type SourceFile } from "../core/model/parse.ts";

export const CLUSTER = "bench";
export const APPS_PER_NAMESPACE = 10;

const API = "apiVersion: firebreak.dev/v1alpha1";

/** Names of the namespaces of `apps` applications. */
export function namespaceNames(apps: number): readonly string[] {
  return Array.from({ length: Math.ceil(apps / APPS_PER_NAMESPACE) }, (_, index) => `team-${index}`);
}

/** Definition files: the cluster, then one file per namespace with its segments and its policy. */
export function definitionFiles(apps: number): readonly SourceFile[] {
  const cluster = `${API}\nkind: Cluster\nmetadata: {name: ${CLUSTER}}\nspec: {mode: apply, context: ${CLUSTER}, enforcer: calico, podNetwork: routed, podRanges: [10.0.0.0/8]}\n`;
  return [
    file("cluster.yaml", cluster),
    ...namespaceNames(apps).map((name, index) => file(`${name}.yaml`, namespaceText(name, index, apps))),
  ];
}

function namespaceText(namespace: string, index: number, apps: number): string {
  const first = index * APPS_PER_NAMESPACE;
  const names = Array.from({ length: Math.min(APPS_PER_NAMESPACE, apps - first) }, (_, k) => `app-${first + k}`);
  const segments = names.map((app) =>
    [
      API,
      "kind: Segment",
      `metadata: {name: ${app}}`,
      "spec:",
      "  members:",
      `    - pods: {matchLabels: {app: ${app}}}`,
      `      namespaces: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}`,
      "  isolate: {ingress: enforce, egress: off}",
      "",
    ].join("\n"),
  );
  const rules = names.slice(1).map((app, k) => `    - {from: [${names[k]}], to: [${app}], ports: [8443/tcp]}\n`);
  const policy =
    rules.length === 0
      ? []
      : [
          `${API}\nkind: Policy\nmetadata: {name: ${namespace}}\nspec:\n  owner: ${namespace}\n  reason: benchmark\n  rules:\n${rules.join("")}`,
        ];
  return [...segments, ...policy].join("---\n");
}

/** Files as definitions. @throws Error with the first notes when they are refused */
export function definitionsOf(files: readonly SourceFile[]): Definitions {
  const { definitions, notes } = parseDefinitions(files);
  if (definitions === undefined) throw new Error(formatNotes(notes.slice(0, 5)));
  return definitions;
}

/** A cluster with `pods` pods, spread evenly over the applications; every pod has a label of its own beside `app`, as real ones do. */
export function inventoryOf(apps: number, pods: number): ClusterInventory {
  const namespaces = namespaceNames(apps).map((name): Namespace => ({ name, labels: { "kubernetes.io/metadata.name": name } }));
  return {
    kind: "cluster",
    target: `cluster/${CLUSTER}`,
    uid: "bench",
    complete: true,
    namespaces,
    pods: Array.from({ length: pods }, (_, index) => podOf(index, apps)),
    nodes: [],
    services: [],
  };
}

function podOf(index: number, apps: number): Pod {
  const app = index % apps;
  return {
    uid: `uid-${index}`,
    namespace: `team-${Math.floor(app / APPS_PER_NAMESPACE)}`,
    name: `app-${app}-${index}`,
    labels: { app: `app-${app}`, "pod-template-hash": `h${app % 97}`, "statefulset.kubernetes.io/pod-name": `app-${app}-${index}` },
    addresses: [addressOf(index)],
    node: `node-${index % 1000}`,
    hostNetwork: false,
    owner: `ReplicaSet/app-${app}`,
  };
}

/** The index-th pod's address: 10.x, scattered so that neighbours seldom make a range. */
export function addressOf(index: number): string {
  const scattered = (index * 7919) % (1 << 24);
  return `10.${scattered >> 16}.${(scattered >> 8) & 255}.${scattered & 255}`;
}

function file(path: string, text: string): SourceFile {
  return { path, bytes: Buffer.from(text) };
}
