/** The sample organisation as an inventory file: what is planned where nothing runs. Nothing is enforced there yet. */
import type { InventoryFile, SavedCluster } from "../../core/observed/inventory-file.ts";
import { clusterTargetId, hostTargetId } from "../../core/model/target.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import { CLUSTERS, FLEET, HOSTS, NAMESPACES, PODS } from "../organisation.ts";
import { within } from "../nodes.ts";
import { addressPlan } from "../plan.ts";

/** Two clusters with the pods of the organisation and its four hosts, all without a single rule. `savedAt` is ISO 8601. */
export function exampleInventory(savedAt: string): InventoryFile {
  return {
    version: 1,
    savedAt,
    instance: "demonstration",
    clusters: Object.fromEntries(CLUSTERS.map((name, index) => [clusterTargetId(name), clusterNamed(name, index)])),
    hosts: Object.fromEntries(HOSTS.map(([name, octet]) => [hostTargetId(FLEET, name), hostNamed(name, octet)])),
  };
}

function clusterNamed(name: string, index: number): SavedCluster {
  const plan = addressPlan(0);
  const inventory: SavedCluster["inventory"] = {
    kind: "cluster",
    target: clusterTargetId(name),
    uid: `uid-of-${name}`,
    complete: true,
    namespaces: Object.entries(NAMESPACES).map(([namespace, team]) => ({
      name: namespace,
      labels: { team, "kubernetes.io/metadata.name": namespace },
    })),
    pods: PODS.map((pod, n) => ({
      uid: `${name}-${pod.name}`,
      namespace: pod.namespace,
      name: pod.name,
      labels: pod.labels,
      addresses: [within(plan.pods(index), 256 + 10 + n)],
      node: "node-1",
      hostNetwork: false,
      owner: undefined,
    })),
    nodes: [{ name: "node-1", addresses: [within(plan.nodes(index), 11)] }],
    services: [],
  };
  return { enforcer: "kube-network-policies", inventory, policies: [] };
}

function hostNamed(name: string, octet: number): HostObservation {
  return {
    kind: "host",
    target: hostTargetId(FLEET, name),
    completeness: "complete",
    identity: "ssh-ed25519 none",
    ruleset: [],
    legacyTables: [],
    addresses: [within(addressPlan(0).hosts, octet)],
    resolvers: [],
    at: 0,
  };
}
