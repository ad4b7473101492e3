/** The sample organisation in a world of its own, for end-to-end tests: who is there, its repository, and what is live. */
import { join } from "node:path";
import { addMachines, exampleFiles, populateCluster } from "../../testbed/organisation.ts";
import type { TestCluster } from "../../testbed/cluster.ts";
import type { TestHost } from "../../testbed/host.ts";
import type { KubeObject } from "../../testbed/kube-api.ts";
import type { TestPod } from "../../testbed/pods.ts";
import type { Place } from "../../testbed/probe.ts";
import { createWorld, type World } from "../../testbed/world.ts";

export const POLICIES = "/apis/networking.k8s.io/v1/networkpolicies";

/** A NetworkPolicy as the API server returns it. */
export interface LivePolicy extends KubeObject {
  readonly spec: {
    readonly ingress?: readonly unknown[];
    readonly egress?: readonly unknown[];
    readonly policyTypes: readonly string[];
  };
}

/** The organisation, its repository, and the ways to look past Firebreak. */
export interface Organisation extends AsyncDisposable {
  readonly world: World;
  readonly eu: TestCluster;
  /** Only in an organisation that was made with two clusters. */
  readonly us: TestCluster;
  readonly mainframe: Place;
  /** `pod("shop/cust-record")` of shop-eu, `pod("shop/cust-record", us)` of the other. */
  pod(name: string, cluster?: TestCluster): TestPod;
  host(name: string): TestHost;
  /** Content of a definition file at the head, e.g. `text("policies/credit.yaml")`. */
  text(path: string): string;
  /** Commits a changed definition file, and returns the commit. */
  edit(path: string, change: (text: string) => string, message: string): Promise<string>;
  /** Commits a new definition file. */
  add(path: string, text: string, message: string): Promise<string>;
  /** Commits the removal of definition files. */
  remove(paths: readonly string[], message: string): Promise<string>;
  /** Everything below `policies/` as the head has it. */
  files(): Readonly<Record<string, string>>;
}

export interface OrganisationOptions {
  /** One cluster is enough for most stories, and none for some, in a fraction of the time. Default: both. */
  readonly clusters?: readonly ("shop-eu" | "shop-us")[];
  /** The definitions are on a forge. Default: on a bare Git server. */
  readonly forge?: boolean;
}

/** Brings the organisation up; dispose it and nothing is left. With one cluster the other is left out of the definitions too. */
export async function openOrganisation({
  clusters = ["shop-eu", "shop-us"],
  forge = false,
}: OrganisationOptions = {}): Promise<Organisation> {
  const readCommand = `/bin/sh ${join(import.meta.dirname, "../../adapters/nftables/readback.sh")}`;
  const world = await createWorld({ git: !forge, forge, readCommand, clusters: clusters.map((name) => ({ name })) });
  try {
    await addMachines(world);
    for (const name of clusters) await populateCluster(world.cluster(name));
    const files = exampleFiles(world.plan);
    const clusterFile = "policies/targets/clusters.yaml";
    files[clusterFile] = onlyClusters(files[clusterFile] ?? "", clusters);
    if (clusters.length === 0) delete files[clusterFile];
    await world.repository.pushFiles(files, "the sample organisation");
    return organisation(world, files);
  } catch (error) {
    await world.close();
    throw error;
  }
}

function organisation(world: World, files: Record<string, string>): Organisation {
  const text = (path: string): string => {
    const found = files[`policies/${path}`];
    if (found === undefined) throw new Error(`the repository has no ${path}`);
    return found;
  };
  const commit = async (path: string, content: string, message: string): Promise<string> => {
    files[`policies/${path}`] = content;
    return await world.repository.pushFiles({ [`policies/${path}`]: content }, message);
  };
  return {
    world,
    get eu() {
      return world.cluster("shop-eu");
    },
    get us() {
      return world.cluster("shop-us");
    },
    mainframe: world.external("mainframe"),
    pod(name, cluster = world.cluster("shop-eu")) {
      const pod = cluster.pods.get(name);
      if (pod === undefined) throw new Error(`${cluster.name} has no pod ${name}`);
      return pod;
    },
    host: (name) => world.host(name),
    text,
    edit: async (path, change, message) => {
      const changed = change(text(path));
      if (changed === text(path)) throw new Error(`"${message}" changes nothing in ${path}`);
      return await commit(path, changed, message);
    },
    add: commit,
    remove: async (paths, message) => {
      const full = paths.map((path) => `policies/${path}`);
      for (const path of full) delete files[path];
      return await world.repository.deleteFiles(full, message);
    },
    files: () => ({ ...files }),
    [Symbol.asyncDispose]: async () => await world.close(),
  };
}

function onlyClusters(text: string, names: readonly string[]): string {
  const documents = text.split(/^---\n/m);
  return documents.filter((document) => names.some((name) => document.includes(`name: ${name}\n`))).join("---\n");
}

/** Every NetworkPolicy of a cluster, by `namespace/name`. */
export async function policiesOf(cluster: TestCluster): Promise<ReadonlyMap<string, LivePolicy>> {
  const { items } = (await cluster.api.get(POLICIES)) as unknown as { items: readonly LivePolicy[] };
  return new Map(items.map((item) => [`${item.metadata.namespace ?? ""}/${item.metadata.name}`, item]));
}

/** Path of a NetworkPolicy, `policyPath("shop/fb-cust-record")`. */
export function policyPath(key: string): string {
  const [namespace = "", name = ""] = key.split("/");
  return `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${name}`;
}

/** Our table on a host as text without counters; empty when there is none. */
export async function tableOf(host: TestHost): Promise<string> {
  return withoutSeen(await host.exec("nft -s list table inet firebreak 2>/dev/null || true"));
}

/** Without what a host that observes remembers: any packet that somebody tries changes it, and nothing is decided by it. */
function withoutSeen(listing: string): string {
  return listing.replaceAll(/^(\s*set seen_[^{]*\{[^{}]*?)\s*elements = \{[^{}]*\}/gm, "$1");
}

/** What enforces now, as text to compare: every policy with its version, every host's whole ruleset with the fence, without what it remembers. */
export async function enforcementOf({ world }: Organisation): Promise<Readonly<Record<string, string>>> {
  const live: Record<string, string> = {};
  for (const cluster of world.clusters.values()) {
    for (const [key, { metadata, spec }] of await policiesOf(cluster)) {
      live[`${cluster.name} ${key}`] = JSON.stringify([metadata.uid, metadata.resourceVersion, spec]);
    }
  }
  for (const host of world.hosts.values()) live[host.name] = withoutSeen(await host.exec("nft -s list ruleset"));
  return live;
}
