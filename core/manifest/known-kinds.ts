import { suggest } from "../model/parse/suggest.ts";

/** What Kubernetes itself serves of an API group, as far as manifests can hold it; a version by which any release served it. */
interface BuiltInGroup {
  readonly versions: readonly string[];
  readonly kinds: readonly string[];
}

const CORE =
  "Binding ComponentStatus ConfigMap Endpoints Event LimitRange List Namespace Node PersistentVolume PersistentVolumeClaim Pod " +
  "PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount Status";

/** What OpenShift 3 served without a group, and the form in which clients keep their own files. */
const OLD_CORE =
  "Build BuildConfig ClusterRole ClusterRoleBinding Config DeploymentConfig Group Identity Image ImageStream ImageStreamTag " +
  "Project ProjectRequest Role RoleBinding Route SecurityContextConstraints Template User";

/** Groups whose kinds are known to the last one. */
const BUILT_IN: Readonly<Record<string, BuiltInGroup>> = {
  "": { versions: ["v1"], kinds: `${CORE} ${OLD_CORE}`.split(" ") },
  apps: {
    versions: ["v1", "v1beta2", "v1beta1"],
    kinds: ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ControllerRevision", "Scale"],
  },
  batch: { versions: ["v1", "v1beta1", "v2alpha1"], kinds: ["Job", "CronJob", "JobTemplate"] },
  extensions: {
    versions: ["v1beta1"],
    kinds: ["Deployment", "ReplicaSet", "DaemonSet", "Ingress", "NetworkPolicy", "PodSecurityPolicy", "Scale"],
  },
  "networking.k8s.io": {
    versions: ["v1", "v1beta1", "v1alpha1"],
    kinds: ["NetworkPolicy", "Ingress", "IngressClass", "IPAddress", "ServiceCIDR", "ClusterCIDR"],
  },
  "policy.networking.k8s.io": {
    versions: ["v1alpha1", "v1alpha2"],
    kinds: ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"],
  },
};

/** Kinds that decide connections: in another group of Kubernetes they are a typing error, in one of somebody else they are that one's. */
const DECIDING: ReadonlySet<string> = new Set(
  (
    "Namespace Pod Service ReplicationController Deployment ReplicaSet StatefulSet DaemonSet Job CronJob Ingress NetworkPolicy " +
    "AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy"
  ).split(" "),
);

/** Groups without a dot that exist and hold nothing that is read here; every custom one has a dot. */
const OTHER_PLAIN_GROUPS = ["autoscaling", "policy"];

/** What is wrong with the type of an object, and what to do about it. */
export interface UnknownType {
  readonly problem: string;
  readonly detail?: string;
}

/**
 * Why no API server has such a type; undefined when one may. A typing error in `kind` or `apiVersion` would otherwise make a policy
 * or a workload something foreign, which is left out.
 */
export function unknownType(group: string, version: string, kind: string): UnknownType | undefined {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const known = Object.hasOwn(BUILT_IN, group) ? BUILT_IN[group] : undefined;
  if (known === undefined) {
    const isForeign = group.includes(".") && !(group.endsWith(".k8s.io") && DECIDING.has(kind));
    return isForeign || OTHER_PLAIN_GROUPS.includes(group) ? undefined : wrongPlace(apiVersion, kind);
  }
  if (!known.versions.includes(version)) {
    const problem = `${kind}: there is no apiVersion ${apiVersion}`;
    return homeOf(kind) === group ? { problem, detail: `Write it as ${writeGroup(group)}` } : wrongPlace(apiVersion, kind);
  }
  if (known.kinds.includes(kind)) return undefined;
  return wrongPlace(apiVersion, kind);
}

function wrongPlace(apiVersion: string, kind: string): UnknownType {
  const problem = `${apiVersion} has no kind ${kind}`;
  const home = homeOf(kind);
  if (home !== undefined) return { problem, detail: `${kind} is of ${writeGroup(home)}` };
  const near = suggest(
    kind,
    Object.values(BUILT_IN).flatMap(({ kinds }) => kinds),
  );
  return near === undefined ? { problem } : { problem, detail: `Did you mean ${near}?` };
}

/** The group in which a kind is served now. */
function homeOf(kind: string): string | undefined {
  const groups = Object.keys(BUILT_IN).filter((group) => BUILT_IN[group]?.kinds.includes(kind) === true);
  return groups.find((group) => group !== "extensions") ?? groups[0];
}

function writeGroup(group: string): string {
  const newest = BUILT_IN[group]?.versions[0] ?? "v1";
  return group === "" ? newest : `${group}/${newest}`;
}
