import { KubernetesClient } from "../adapters/kubernetes/client.ts";
import { openCredentials } from "../adapters/kubernetes/credentials.ts";
import { listAll } from "../adapters/kubernetes/list.ts";
import { hasCode } from "../core/ground/error.ts";
import type { SourceFile } from "../core/model/source.ts";
import { kubectlsFile } from "./kubeconfig.ts";

interface Listed {
  readonly apiVersion: string;
  readonly kind: string;
  /** The plural in the API's path. */
  readonly plural: string;
  /** Not every cluster serves it, or it is served to few: then there is none. */
  readonly isOptional?: true;
}

/** What is asked for; the last ones so that a policy that is not read is named. */
const LISTED: readonly Listed[] = [
  { apiVersion: "v1", kind: "Namespace", plural: "namespaces" },
  { apiVersion: "v1", kind: "Node", plural: "nodes" },
  { apiVersion: "v1", kind: "Pod", plural: "pods" },
  { apiVersion: "v1", kind: "Service", plural: "services" },
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments" },
  { apiVersion: "apps/v1", kind: "StatefulSet", plural: "statefulsets" },
  { apiVersion: "apps/v1", kind: "DaemonSet", plural: "daemonsets" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", plural: "networkpolicies" },
  { apiVersion: "policy.networking.k8s.io/v1alpha1", kind: "AdminNetworkPolicy", plural: "adminnetworkpolicies", isOptional: true },
  {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "BaselineAdminNetworkPolicy",
    plural: "baselineadminnetworkpolicies",
    isOptional: true,
  },
  { apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", plural: "ciliumnetworkpolicies", isOptional: true },
  { apiVersion: "crd.projectcalico.org/v1", kind: "NetworkPolicy", plural: "networkpolicies", isOptional: true },
];

const PATIENCE_MS = 120_000;

/**
 * What a cluster has now, as kubectl would write it; only reads.
 *
 * @param file the kubeconfig; undefined: kubectl's own
 * @throws FirebreakError CONFIG_INVALID, AUTH_DENIED, CLUSTER_UNREACHABLE, CLUSTER_FORBIDDEN
 */
export async function readClusterManifests(context: string, file = kubectlsFile()): Promise<readonly SourceFile[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file, context }));
  const files: SourceFile[] = [];
  for (const listed of LISTED) {
    const items = await objectsOf(client, listed, signal);
    const list = { apiVersion: "v1", kind: "List", items };
    const path = `${context}/${listed.apiVersion.split("/").length > 1 ? `${listed.apiVersion}/` : ""}${listed.plural}.json`;
    if (items.length > 0) files.push({ path, bytes: new TextEncoder().encode(JSON.stringify(list)) });
  }
  return files;
}

async function objectsOf(
  client: KubernetesClient,
  { apiVersion, kind, plural, isOptional }: Listed,
  signal: AbortSignal,
): Promise<readonly object[]> {
  const path = `${apiVersion === "v1" ? "/api" : "/apis"}/${apiVersion}/${plural}`;
  try {
    // The cast: the API server's objects; the reader of manifests looks at each field.
    return (await listAll(client, path, (object) => ({ apiVersion, kind, ...(object as object) }), signal)).items;
  } catch (error) {
    if (isOptional === true && hasCode(error, "NOT_FOUND")) return [];
    throw error;
  }
}
