/**
 * A made-up organisation of two clusters and a hundred hosts: 2,000 segments and 5,000 rules, whatever the number of pods.
 *
 * 1,900 applications, half of them in each cluster, ten in a namespace; 60 teams, each all of some namespaces; 40 groups of hosts. Most
 * rules stay within a namespace; every tenth goes to the other cluster, every twentieth to hosts or from them.
 */
import type { ClusterInventory, Namespace, Pod } from "../core/membership/inventory.ts";
import type { Definitions } from "../core/model/kinds.ts";
import type { SourceFile } from "../core/model/parse.ts";
import { addressOf, definitionsOf } from "./synthetic.ts";

const API = "apiVersion: firebreak.dev/v1alpha1";
const APPS = 1_900;
const TEAMS = 60;
const HOST_GROUPS = 40;
const RULES = 5_000;
const HOSTS = 100;
const CLUSTERS = ["east", "west"] as const;

type ClusterName = (typeof CLUSTERS)[number];

/** 2,000 segments and 5,000 rules. */
export function engineDefinitions(): Definitions {
  return definitionsOf([file("targets.yaml", targets()), file("segments.yaml", segments()), file("policies.yaml", policies())]);
}

/** Both clusters with `pods` pods in all, by target id. */
export function engineInventories(pods: number): ReadonlyMap<string, ClusterInventory> {
  return new Map(CLUSTERS.map((name, index) => [`cluster/${name}`, inventoryOf(name, index, pods)]));
}

/** The index-th pod of the organisation; every pod has labels of its own beside `app`, as real ones do. */
export function enginePod(index: number): Pod {
  const app = index % APPS;
  return {
    uid: `uid-${index}`,
    namespace: namespaceOf(app),
    name: `app-${app}-${index}`,
    labels: {
      app: `app-${app}`,
      color: index % 2 === 0 ? "blue" : "green",
      "pod-template-hash": `h${app % 97}`,
      index: String(index),
    },
    addresses: [addressOf(index)],
    node: `node-${index % 1000}`,
    hostNetwork: false,
    owner: `ReplicaSet/app-${app}`,
  };
}

/** The cluster that the index-th pod runs in. */
export function clusterOfPod(index: number): string {
  return `cluster/${clusterOf(index % APPS)}`;
}

function clusterOf(app: number): ClusterName {
  return app % 20 < 10 ? "east" : "west";
}

function namespaceOf(app: number): string {
  return `ns-${Math.floor(app / 10)}`;
}

function inventoryOf(name: ClusterName, index: number, pods: number): ClusterInventory {
  const namespaces = Array.from({ length: APPS / 10 }, (_, n): Namespace => {
    return { name: `ns-${n}`, labels: { "kubernetes.io/metadata.name": `ns-${n}`, team: `team-${n % TEAMS}` } };
  });
  return {
    kind: "cluster",
    target: `cluster/${name}`,
    uid: name,
    complete: true,
    namespaces: namespaces.filter((_, n) => clusterOf(n * 10) === name),
    pods: Array.from({ length: pods }, (_, n) => n)
      .filter((n) => clusterOf(n % APPS) === name)
      .map(enginePod),
    nodes: Array.from({ length: 500 }, (_, n) => ({
      name: `node-${n}`,
      addresses: [`192.168.${index * 2 + (n >> 8)}.${n & 255}`],
    })),
    services: [],
  };
}

function targets(): string {
  const clusters = CLUSTERS.map(
    (name) =>
      `${API}\nkind: Cluster\nmetadata: {name: ${name}, labels: {side: ${name}}}\nspec: {mode: apply, context: ${name}, enforcer: calico, podNetwork: routed}\n`,
  );
  const hosts = Array.from(
    { length: HOSTS },
    (_, n) => `    - {name: h${n}, addresses: [172.16.0.${n + 1}], labels: {group: g${n % HOST_GROUPS}}}\n`,
  );
  const fleet = `${API}\nkind: HostFleet\nmetadata: {name: vm}\nspec:\n  mode: apply\n  transport: {ssh: {user: root, port: 22}}\n  hosts:\n${hosts.join("")}`;
  return [...clusters, fleet].join("---\n");
}

function segments(): string {
  const apps = Array.from({ length: APPS }, (_, app) => {
    const members = `{pods: {matchLabels: {app: app-${app}}}, namespaces: {matchLabels: {kubernetes.io/metadata.name: ${namespaceOf(app)}}}, clusters: {matchLabels: {side: ${clusterOf(app)}}}}`;
    return segment(`app-${app}`, members);
  });
  const teams = Array.from({ length: TEAMS }, (_, team) =>
    segment(`team-${team}`, `{namespaces: {matchLabels: {team: team-${team}}}}`, "observe"),
  );
  const groups = Array.from({ length: HOST_GROUPS }, (_, group) =>
    segment(`g${group}`, `{hosts: {matchLabels: {group: g${group}}}}`),
  );
  return [...apps, ...teams, ...groups].join("---\n");
}

function segment(name: string, member: string, ingress = "enforce"): string {
  return `${API}\nkind: Segment\nmetadata: {name: ${name}}\nspec:\n  members: [${member}]\n  isolate: {ingress: ${ingress}, egress: off}\n`;
}

function policies(): string {
  const texts: string[] = [];
  for (let first = 0; first < RULES; first += 25) {
    const rules = Array.from({ length: 25 }, (_, k) => ruleText(first + k));
    texts.push(
      `${API}\nkind: Policy\nmetadata: {name: p${first}}\nspec:\n  owner: bench\n  reason: benchmark\n  rules:\n${rules.join("")}`,
    );
  }
  return texts.join("---\n");
}

function ruleText(index: number): string {
  const app = (index * 7) % APPS;
  const [from, to] = endsOf(index, app);
  const same = index % 50 === 1 ? ", same: [color]" : "";
  return `    - {from: [${from}], to: [${to}], ports: [${8000 + (index % 1000)}/tcp]${same}}\n`;
}

function endsOf(index: number, app: number): readonly [string, string] {
  if (index % 20 === 0) return [`app-${app}`, `g${index % HOST_GROUPS}`];
  if (index % 20 === 10) return [`g${(index / 10) % HOST_GROUPS}`, `app-${app}`];
  if (index % 20 === 5) return [`team-${index % TEAMS}`, `app-${app}`];
  if (index % 10 === 1) return [`app-${app}`, `app-${(app + 10) % APPS}`];
  return [`app-${app}`, `app-${Math.floor(app / 10) * 10 + ((app + 1 + (index % 8)) % 10)}`];
}

function file(path: string, text: string): SourceFile {
  return { path, bytes: Buffer.from(text) };
}
