import { compareNotes, hasErrors } from "../model/note.ts";
import type { Note, Position } from "../model/note.ts";
import type { SourceFile } from "../model/source.ts";
import type { PolicyObject, World, WorldNamespace, WorldNode, WorldPod, WorldService } from "../verdict/world.ts";
import { Checker, show } from "./check.ts";
import type { Json } from "./check.ts";
import { readManifestFile } from "./document.ts";
import type { Path } from "./manifest-file.ts";
import { readEndpoints, readSlice, withEndpoints } from "./endpoints.ts";
import type { EndpointsOf } from "./endpoints.ts";
import { Ignored } from "./ignored.ts";
import { unknownType } from "./known-kinds.ts";
import { isDnsLabel, readLabels } from "./labels.ts";
import { badName } from "./names.ts";
import { checkNetworkPolicy } from "./network-policy.ts";
import { nodeAddresses, nodeRanges } from "./node.ts";
import { objectsOf } from "./objects.ts";
import type { ManifestObject } from "./objects.ts";
import { noteServiceAddresses } from "./service-address.ts";
import type { ReadPolicy } from "./service-address.ts";
import { readIngress, readRoute, readService } from "./service.ts";
import type { ManifestEntry } from "./service.ts";
import { checkTierPolicy } from "./tier-policy.ts";
import { noteSet } from "./whole.ts";
import { NOT_TAKEN } from "./pod-rules.ts";
import { prunedObject } from "./prune.ts";
import { settlePods } from "./settle.ts";
import { checkFields, checkMetadata } from "./strict.ts";
import { readPod, readTemplatePods } from "./workload.ts";
import type { Identity, TEMPLATES } from "./templates.ts";
import type { TemplatePods } from "./workload.ts";
import type { Known } from "./known.ts";

/** What a folder of manifests says about a cluster. */
export interface Manifests {
  readonly world: World;
  readonly services: readonly WorldService[];
  readonly entries: readonly ManifestEntry[];
}

/** The manifests unless any note is an error, and all notes by place. */
export interface ReadManifests {
  readonly manifests: Manifests | undefined;
  readonly notes: readonly Note[];
}

/** What is collected while files are read. */
interface Collected {
  readonly namespaces: WorldNamespace[];
  readonly pods: WorldPod[];
  readonly templates: TemplatePods[];
  readonly podRanges: string[];
  readonly endpoints: EndpointsOf[];
  readonly nodes: WorldNode[];
  readonly policies: PolicyObject[];
  readonly services: WorldService[];
  readonly entries: ManifestEntry[];
  readonly known: Known[];
  readonly checked: ReadPolicy[];
  readonly owners: Map<string, string>;
  readonly ignored: Ignored;
  readonly notes: Note[];
}

const POLICY_GROUP = "policy.networking.k8s.io";

/** What is read: group and kind. Versions are only checked where they change what a policy means. */
const READ: ReadonlySet<string> = new Set([
  ...["Namespace", "Pod", "Node", "Service", "Endpoints", "ReplicationController"].map((kind) => `/${kind}`),
  ...["apps", "extensions"].flatMap((group) =>
    ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].map((kind) => `${group}/${kind}`),
  ),
  "discovery.k8s.io/EndpointSlice",
  "batch/Job",
  "batch/CronJob",
  "networking.k8s.io/NetworkPolicy",
  "extensions/NetworkPolicy",
  "networking.k8s.io/Ingress",
  "extensions/Ingress",
  ...["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"].map((kind) => `${POLICY_GROUP}/${kind}`),
  "route.openshift.io/Route",
  "/Route",
]);

const POLICY_VERSIONS: Readonly<Record<string, string>> = {
  NetworkPolicy: "networking.k8s.io/v1",
  AdminNetworkPolicy: `${POLICY_GROUP}/v1alpha1`,
  BaselineAdminNetworkPolicy: `${POLICY_GROUP}/v1alpha1`,
  ClusterNetworkPolicy: `${POLICY_GROUP}/v1alpha2`,
};

/** What NetworkPolicy was until Kubernetes 1.16, field for field. */
const OLD_NETWORK_POLICY = "extensions/v1beta1";

const CLUSTER_SCOPED: readonly string[] = [
  "Namespace",
  "Node",
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
  "ClusterNetworkPolicy",
];

/**
 * A cluster as a folder of manifests describes it.
 *
 * Never throws for what files hold. Anything that is broken, or that the API server would not take, is an error at its place, and
 * then there are no manifests: nothing is analysed as if a bad part were absent. Kinds that decide no connection are noted and left
 * out; so are those of other policy APIs, with a warning. A namespace that is used and not declared has its name label only.
 */
export function readManifests(files: readonly SourceFile[]): ReadManifests {
  const all: Collected = {
    namespaces: [],
    pods: [],
    templates: [],
    podRanges: [],
    endpoints: [],
    nodes: [],
    policies: [],
    services: [],
    entries: [],
    known: [],
    checked: [],
    owners: new Map(),
    ignored: new Ignored(),
    notes: [],
  };
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const { documents, notes } = readManifestFile(file);
    all.notes.push(...notes);
    for (const document of documents) {
      const read = objectsOf(document);
      all.notes.push(...read.notes);
      for (const object of read.objects) addObject(all, object);
    }
  }
  all.notes.push(
    ...noteSet(
      all.known,
      all.namespaces.map(({ name }) => name),
    ),
    ...noteServiceAddresses(all.checked, all.services),
    ...all.ignored.notes(),
  );
  const notes = onceNotTaken(all.notes.sort(compareNotes));
  if (hasErrors(notes)) return { manifests: undefined, notes };
  const { namespaces, nodes, policies, entries } = all;
  const services = withEndpoints(all.services, all.endpoints);
  const found = settlePods({ ...all, services });
  const pods = unique(found.map((pod) => ({ ...pod, owner: topOwner(pod, all.owners) })));
  return { manifests: { world: { namespaces: merged(namespaces), pods, policies, nodes, services }, services, entries }, notes };
}

/** What no server takes, and no connection depends on, is one note for all manifests. */
function onceNotTaken(notes: readonly Note[]): readonly Note[] {
  const [first, ...others] = notes.filter(({ code }) => code === NOT_TAKEN);
  if (first === undefined || others.length === 0) return notes;
  const summary = `${first.summary} (and ${others.length} more mistakes of that kind)`;
  return notes.flatMap((note) => (note.code !== NOT_TAKEN ? [note] : note === first ? [{ ...first, summary }] : []));
}

/** Two manifests of one object are the same text here: others are refused. */
function unique(pods: readonly WorldPod[]): readonly WorldPod[] {
  return [...new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod])).values()];
}

function merged(namespaces: readonly WorldNamespace[]): readonly WorldNamespace[] {
  return [...new Map(namespaces.map((namespace) => [namespace.name, namespace])).values()];
}

/** A ReplicaSet whose Deployment is there too is the Deployment; owners that are not among the manifests stay as they are named. */
function topOwner(pod: WorldPod, owners: ReadonlyMap<string, string>): string | undefined {
  let { owner } = pod;
  for (let depth = 0; owner !== undefined && depth < 8; depth += 1) {
    const above = owners.get(`${pod.namespace}/${owner}`);
    if (above === undefined || !owners.has(`${pod.namespace}/${above}`)) return owner;
    if (above === owner) return owner;
    owner = above;
  }
  return owner;
}

function addObject(all: Collected, object: ManifestObject): void {
  const { group, version, kind, value, document, path } = object;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const unknown = unknownType(group, version, kind);
  if (unknown !== undefined) {
    const { problem, detail } = unknown;
    const at = document.at(path);
    all.notes.push({ severity: "error", code: "unknown-kind", at, summary: problem, ...(detail !== undefined && { detail }) });
    return;
  }
  if (!READ.has(`${group}/${kind}`)) return all.ignored.add(object, apiVersion);
  const identity = identityOf(all, object);
  if (identity === undefined) return;
  const at = (inside: Path = []): Position => document.at([...path, ...inside]);
  const id = CLUSTER_SCOPED.includes(kind) ? identity.name : `${identity.namespace}/${identity.name}`;
  const check = new Checker(document, path, `${kind} ${id}`, all.notes);
  const before = all.notes.length;
  checkFields(check, value, apiVersion, kind);
  if (hasErrors(all.notes.slice(before))) return; // as the API server: what cannot be decoded is not looked at further
  const wanted = POLICY_VERSIONS[kind];
  if (kind === "NetworkPolicy" && apiVersion === OLD_NETWORK_POLICY) {
    check.note("warning", ["apiVersion"], "old-version", `${apiVersion} is not served since Kubernetes 1.16; read as ${wanted}`);
  } else if (wanted !== undefined && apiVersion !== wanted) {
    check.error(["apiVersion"], "unsupported-version", ` ${apiVersion} is not supported`, `Write it as ${wanted}`);
    return;
  }
  const spec = kind.endsWith("NetworkPolicy") ? (value["spec"] as Json | undefined) : undefined; // checked by the reader of its kind
  all.known.push({
    kind,
    id,
    namespace: identity.namespace,
    at,
    text: textOf(value),
    priority: priorityOf(kind, spec),
  });
  if (wanted !== undefined) all.checked.push({ id: check.name, spec: value["spec"], at });
  readKind(all, check, kind, value, identity, at);
}

/** Without what the server adds. */
function textOf({ metadata, status: _status, ...rest }: Json): string {
  const { name, namespace, labels } = (typeof metadata === "object" && metadata !== null ? metadata : {}) as Json;
  return JSON.stringify([name, namespace, labels, rest]);
}

function priorityOf(kind: string, spec: Json | undefined): Known["priority"] {
  if (typeof spec !== "object" || spec === null || kind === "NetworkPolicy") return undefined;
  if (kind === "BaselineAdminNetworkPolicy") return { tier: "Baseline", value: Number.NaN };
  const tier = kind === "AdminNetworkPolicy" ? "Admin" : String(spec["tier"]);
  return typeof spec["priority"] === "number" ? { tier, value: spec["priority"] } : undefined;
}

function readKind(all: Collected, check: Checker, kind: string, value: Json, identity: Identity, at: () => Position): void {
  const { namespace, name, owner } = identity;
  const metadata = check.record(value["metadata"], ["metadata"]);
  const labels = readLabels(check, metadata?.["labels"], ["metadata", "labels"]);
  const annotations = ["metadata", "annotations"];
  const said: Record<string, string> = {};
  for (const [key, value] of Object.entries(check.record(metadata?.["annotations"], annotations) ?? {})) {
    const text = check.text(value, [...annotations, key]);
    if (text !== undefined) said[key] = text;
  }
  switch (kind) {
    case "Namespace":
      all.namespaces.push({ name, labels });
      return;
    case "Node":
      all.nodes.push({ name, labels, addresses: nodeAddresses(check, value) });
      all.podRanges.push(...nodeRanges(check, value));
      return;
    case "Pod":
      all.pods.push(readPod(check, value, identity, labels));
      return;
    case "Service":
      all.services.push(readService(check, value, namespace, name));
      return;
    case "Endpoints":
      all.endpoints.push({ namespace, service: name, endpoints: readEndpoints(check, value) });
      return;
    case "EndpointSlice":
      all.endpoints.push({ namespace, ...readSlice(check, value) });
      return;
    case "Ingress":
      all.entries.push({ id: `Ingress ${namespace}/${name}`, namespace, backends: readIngress(check, value), at });
      return;
    case "Route":
      all.entries.push({ id: `Route ${namespace}/${name}`, namespace, backends: readRoute(check, value), at });
      return;
    case "NetworkPolicy":
      checkNetworkPolicy(check, value);
      all.policies.push({ kind, metadata: { name, namespace, labels, annotations: said }, spec: value["spec"] });
      return;
    case "AdminNetworkPolicy":
    case "BaselineAdminNetworkPolicy":
    case "ClusterNetworkPolicy": {
      const kept = prunedObject(check, value);
      checkTierPolicy(check, kept, kind, name);
      all.policies.push({ kind, metadata: { name }, spec: kept["spec"] });
      return;
    }
    default:
      addTemplate(all, check, kind as keyof typeof TEMPLATES, value, identity, owner); // READ holds no other kind
  }
}

function addTemplate(
  all: Collected,
  check: Checker,
  kind: keyof typeof TEMPLATES,
  value: Json,
  identity: Identity,
  owner: string | undefined,
): void {
  const pods = readTemplatePods(check, value, identity, kind);
  const self = `${kind}/${identity.name}`;
  all.owners.set(`${identity.namespace}/${self}`, owner ?? self);
  if (pods !== undefined) all.templates.push(pods);
}

/** Undefined, with an error, when the object has no proper name or namespace. */
function identityOf(all: Collected, { kind, value, document, path }: ManifestObject): Identity | undefined {
  const check = new Checker(document, path, kind, all.notes);
  const before = all.notes.length;
  const metadata = check.record(value["metadata"], ["metadata"]) ?? {};
  checkMetadata(check, metadata);
  const given = check.text(metadata["name"], ["metadata", "name"]);
  const prefix = check.text(metadata["generateName"], ["metadata", "generateName"]);
  const name = given === undefined || given === "" ? prefix?.concat("generated") : given;
  if (name === undefined) check.error(["metadata", "name"], "missing-field", " is missing");
  else {
    const wrong = badName(kind, name);
    if (wrong !== undefined) check.error(["metadata", "name"], "invalid-name", `: ${show(name)} ${wrong}`);
  }
  const namespace = check.text(metadata["namespace"], ["metadata", "namespace"]) || "default";
  if (!isDnsLabel(namespace)) check.error(["metadata", "namespace"], "invalid-name", `: ${show(namespace)} is not a namespace`);
  if (all.notes.length > before || name === undefined) return undefined;
  return { namespace: CLUSTER_SCOPED.includes(kind) ? "" : namespace, name, owner: controllerOf(check, metadata) };
}

/** The owner reference with `controller: true`; a Node controls mirror pods, which are workloads of their own. */
function controllerOf(check: Checker, metadata: Json): string | undefined {
  for (const [index, item] of check.list(metadata["ownerReferences"], ["metadata", "ownerReferences"]).entries()) {
    const { kind, name, controller } = check.record(item, ["metadata", "ownerReferences", index]) ?? {};
    if (controller === true && typeof kind === "string" && typeof name === "string")
      return kind === "Node" ? undefined : `${kind}/${name}`;
  }
  return undefined;
}
