/**
 * The sample organisation of policies/example in a world: its hosts, its mainframe, its two clusters with pods that listen, and a Git
 * server that holds its definitions. Used by the demonstration and by the end-to-end tests.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stringify } from "yaml";
import { createNamespace, type TestCluster } from "./cluster.ts";
import { createPod, type TestPod } from "./pods.ts";
import type { AddressPlan } from "./plan.ts";
import type { World } from "./world.ts";

const EXAMPLE = join(import.meta.dirname, "..", "policies", "example");

/** The hosts of `policies/example/targets/hosts.yaml`: name and last octet. */
export const HOSTS = [
  ["ldap-blue-1", 11],
  ["ldap-blue-2", 12],
  ["ldap-red-1", 21],
  ["ldap-red-2", 22],
] as const;

export const CLUSTERS = ["shop-eu", "shop-us"] as const;
export const FLEET = "directory";

/** Namespaces and the team each belongs to. */
export const NAMESPACES: Readonly<Record<string, string>> = { shop: "shop", geo: "geo", credit: "credit", monitoring: "platform" };

interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
}

/** The same pods run in both clusters; the colour of the directory they ask differs by function. */
export const PODS: readonly PodSpec[] = [
  {
    namespace: "shop",
    name: "order-input",
    labels: { app: "orderInput", ldap: "red" },
    ports: ["8443/tcp", "8080/tcp", "9100/tcp"],
  },
  { namespace: "shop", name: "cust-record", labels: { app: "custRecord" }, ports: ["8443/tcp", "8080/tcp", "9100/tcp"] },
  { namespace: "geo", name: "geo-location", labels: { app: "geoLocation" }, ports: ["8443/tcp", "9100/tcp"] },
  { namespace: "geo", name: "geo-confirm", labels: { app: "geoConfirm" }, ports: ["8080/tcp", "9100/tcp"] },
  { namespace: "geo", name: "ip-map", labels: { app: "ipMap" }, ports: ["8080/tcp", "9100/tcp"] },
  { namespace: "credit", name: "credit-check", labels: { app: "creditCheck", ldap: "blue" }, ports: ["8443/tcp", "9100/tcp"] },
  { namespace: "credit", name: "credit-status", labels: { app: "creditStatus" }, ports: ["8443/tcp", "9100/tcp"] },
  { namespace: "monitoring", name: "prometheus", labels: { app: "prometheus" }, ports: ["9090/tcp"] },
];

/** Ports on which the directory's hosts listen. */
export const HOST_PORTS = ["636/tcp", "8080/tcp", "9100/tcp"] as const;

/** The files of policies/example as a repository holds them (`policies/…`), with the addresses of this world. */
export function exampleFiles(plan: AddressPlan): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(EXAMPLE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".yaml")) continue;
    const path = join(entry.parentPath, entry.name);
    files[join("policies", relative(EXAMPLE, path))] = withAddressesOf(plan, readFileSync(path, "utf8"));
  }
  return files;
}

function withAddressesOf(plan: AddressPlan, text: string): string {
  return text
    .replaceAll("10.20.0.", plan.hosts.replace(/0\/24$/, ""))
    .replaceAll("10.9.0.", plan.externals.replace(/0\/24$/, ""))
    .replaceAll("10.244.0.0/16", plan.pods(0))
    .replaceAll("10.245.0.0/16", plan.pods(1));
}

/** Starts the hosts of the directory and the mainframe in a world that has neither yet. */
export async function addMachines(world: Pick<World, "plan" | "addHost" | "addExternal">): Promise<void> {
  const base = world.plan.hosts.replace(/0\/24$/, "");
  await Promise.all(
    HOSTS.map(async ([name, octet]) => await world.addHost({ name, address: `${base}${octet}`, ports: HOST_PORTS })),
  );
  await world.addExternal({ name: "mainframe", ports: ["1414/tcp"] });
}

/** Gives a cluster the organisation's namespaces and pods; names of pods are `NAMESPACE/NAME`. */
export async function populateCluster(cluster: TestCluster): Promise<ReadonlyMap<string, TestPod>> {
  for (const [namespace, team] of Object.entries(NAMESPACES)) await createNamespace(cluster, namespace, { team });
  const pods = await Promise.all(PODS.map(async (spec) => await createPod(cluster, spec)));
  return new Map(pods.map((pod) => [`${pod.kubeNamespace}/${pod.name}`, pod]));
}

export interface SettingsOptions {
  readonly world: Pick<
    World,
    "plan" | "hosts" | "repository" | "rootAddress" | "kubeconfig" | "readerKubeconfig" | "sshKey" | "sshReadKey"
  >;
  readonly stateFolder: string;
  readonly listen?: string;
  /** Laid over the settings, top level; what it says of the repository is laid over that. */
  readonly extra?: Readonly<Record<string, unknown>> & { readonly repository?: Readonly<Record<string, unknown>> };
}

/** Writes a firebreak.yaml for this world and the host keys pinned by target; returns its path. */
export function writeSettings({ world, stateFolder, listen = "127.0.0.1:0", extra = {} }: SettingsOptions): string {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const knownHosts = join(stateFolder, "known_hosts");
  const lines = [...world.hosts.values()].map((host) => `host/${FLEET}/${host.name} ${host.hostKey}`);
  writeFileSync(knownHosts, `${lines.join("\n")}\n`, { mode: 0o600 });
  const tokenFile = join(stateFolder, "git.token");
  writeFileSync(tokenFile, world.repository.token, { mode: 0o600 });
  const { url, username } = world.repository;
  const { repository, ...rest } = extra;
  const settings = {
    stateFolder,
    repository: { url, path: "policies", poll: "1s", username, token: `file:${tokenFile}`, ...repository },
    allow: { contexts: [...CLUSTERS], hosts: [world.plan.hosts], users: ["root"] },
    lifeline: { from: [`${world.rootAddress}/32`] },
    kubernetes: { kubeconfig: world.kubeconfig },
    ssh: { identityFile: world.sshKey, knownHosts },
    readOnly: { kubeconfig: world.readerKubeconfig, identityFile: world.sshReadKey },
    // Fresh hosts without live sessions: nothing to settle. Looks are close together, so that the tour need not wait.
    hosts: { settle: "1s", deadMan: "20s", readEvery: "1s" },
    listen,
    ...rest,
  };
  const file = join(stateFolder, "firebreak.yaml");
  writeFileSync(file, stringify(settings), { mode: 0o600 });
  return file;
}
