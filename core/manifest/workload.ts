import { parseAddress } from "../address/index.ts";
import { matches } from "../selector/index.ts";
import type { Labels } from "../selector/index.ts";
import type { WorldContainerPort, WorldPod } from "../verdict/world.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import { addedLabels } from "./controllers.ts";
import type { Path } from "./document.ts";
import { checkSelector, isPortName, readLabels } from "./labels.ts";

/** Kinds that make pods from a template, and where the template is. */
export const TEMPLATES = {
  Deployment: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  Job: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
} as const satisfies Readonly<Record<string, Path>>;

/** Name of an object, and its controller if it has one. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
  /** `Kind/name` of the owner reference that controls it; a Node owns nothing here. */
  readonly owner: string | undefined;
}

/** The pods of a workload: one that stands for all, and each for itself where labels that controllers set tell them apart. */
export interface TemplatePods {
  readonly one: WorldPod;
  /** Undefined where nothing tells them apart, or nobody knows how many there are. */
  readonly each: readonly WorldPod[] | undefined;
}

/**
 * The pods that a controller would make: with the template's labels and ports and the labels that the cluster adds. They have no address.
 * The name of the one that stands for all cannot be that of a real pod.
 */
export function readTemplatePods(
  check: Checker,
  object: Json,
  identity: Identity,
  kind: keyof typeof TEMPLATES,
): TemplatePods | undefined {
  const path = TEMPLATES[kind];
  let template: Json | undefined = object;
  for (const [depth, step] of path.entries()) {
    const at = path.slice(0, depth + 1);
    const next: Json | undefined = template === undefined ? undefined : check.record(template[step], at);
    if (template !== undefined && (template[step] === undefined || template[step] === null))
      check.error(at, "missing-field", " is missing");
    template = next;
  }
  if (template === undefined) return undefined;
  const metadata = check.record(template["metadata"], [...path, "metadata"]);
  const own = readLabels(check, metadata?.["labels"], [...path, "metadata", "labels"]);
  noteSelector(check, object, kind, own);
  const { ports, hostNetwork } = readSpec(check, template["spec"], [...path, "spec"]);
  const { namespace, name } = identity;
  const { labels: added, unknown, replicas } = addedLabels(check, object, identity, kind, own);
  const all = replicas === undefined ? unknown : [...unknown, ...Object.keys(replicas[0]?.labels ?? {})];
  const make = (podName: string, labels: Labels, keys: readonly string[]): WorldPod => ({
    namespace,
    name: podName,
    labels: Object.fromEntries(Object.entries({ ...own, ...labels }).filter(([key]) => !keys.includes(key))),
    addresses: [],
    ports,
    hostNetwork,
    owner: `${kind}/${name}`,
    unknown: { labels: keys, addresses: undefined },
  });
  return {
    one: make(`${name}[${kind}]`, added, all),
    each: replicas?.map((replica) => make(replica.name, { ...added, ...replica.labels }, unknown)),
  };
}

/** Kinds whose selector must match their template; Jobs are given theirs. */
const SELECTING: readonly string[] = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"];

/** No API server takes a workload that does not select its own pods; nothing that is listed depends on it, and its labels may be wrong. */
function noteSelector(check: Checker, object: Json, kind: string, labels: Labels): void {
  const selector = check.record(check.record(object["spec"], ["spec"])?.["selector"], ["spec", "selector"]);
  if (!SELECTING.includes(kind) || selector === undefined) return;
  const before = check.notes.length;
  checkSelector(check, selector, ["spec", "selector"]);
  if (check.notes.length > before || matches(selector, labels)) return;
  const detail = "No API server takes that; one of the two is a mistake";
  check.note(
    "warning",
    ["spec", "selector"],
    "selects-not-itself",
    "spec.selector does not match the labels of its template",
    detail,
  );
}

/** A pod as it runs: with addresses, a node and a phase where its status has them. */
export function readPod(check: Checker, object: Json, identity: Identity, labels: Labels): WorldPod {
  const { ports, hostNetwork, node } = readSpec(check, object["spec"], ["spec"]);
  const status = check.record(object["status"], ["status"]) ?? {};
  const { namespace, name, owner } = identity;
  const phase = check.text(status["phase"], ["status", "phase"]);
  const addresses = readAddresses(check, status);
  const hostIp = check.text(status["hostIP"], ["status", "hostIP"]);
  const unknown = addresses.length === 0 ? { labels: [], addresses: undefined } : undefined;
  return { namespace, name, labels, addresses, ports, hostNetwork, node, phase, owner, nodeAddress: hostIp || undefined, unknown };
}

interface PodSpec {
  readonly ports: readonly WorldContainerPort[];
  readonly hostNetwork: boolean;
  readonly node: string | undefined;
}

function readSpec(check: Checker, value: unknown, path: Path): PodSpec {
  const spec = check.record(value, path);
  if (spec === undefined) {
    check.error(path, "missing-field", " is missing");
    return { ports: [], hostNetwork: false, node: undefined };
  }
  const ports: WorldContainerPort[] = [];
  for (const [index, item] of check.list(spec["containers"], [...path, "containers"]).entries()) {
    ports.push(...readContainer(check, item, [...path, "containers", index]));
  }
  for (const [index, item] of check.list(spec["initContainers"], [...path, "initContainers"]).entries()) {
    const container = check.record(item, [...path, "initContainers", index]);
    const read = readContainer(check, item, [...path, "initContainers", index]);
    if (container?.["restartPolicy"] === "Always") ports.push(...read); // a sidecar: it runs beside the others
  }
  return {
    ports,
    hostNetwork: check.boolean(spec["hostNetwork"], [...path, "hostNetwork"]) ?? false,
    node: check.text(spec["nodeName"], [...path, "nodeName"]),
  };
}

function readContainer(check: Checker, value: unknown, path: Path): readonly WorldContainerPort[] {
  const container = check.record(value, path);
  const entries = check.list(container?.["ports"], [...path, "ports"]);
  return entries.flatMap((entry, index) => readContainerPort(check, entry, [...path, "ports", index]));
}

function readContainerPort(check: Checker, value: unknown, path: Path): readonly WorldContainerPort[] {
  const entry = check.record(value, path);
  if (entry === undefined || !check.required(entry, "containerPort", path)) return [];
  const containerPort = check.integer(entry["containerPort"], [...path, "containerPort"], 1, 65535);
  const name = check.text(entry["name"], [...path, "name"]);
  if (name !== undefined && name !== "" && !isPortName(name)) {
    check.error([...path, "name"], "invalid-port", `: ${show(name)} is not the name of a port`);
  }
  const protocol = check.text(entry["protocol"], [...path, "protocol"]) ?? "TCP";
  if (!["TCP", "UDP", "SCTP"].includes(protocol)) {
    check.error([...path, "protocol"], "invalid-port", ` must be one of TCP, UDP, SCTP, and is ${show(protocol)}`);
  }
  const hostPort = check.integer(entry["hostPort"], [...path, "hostPort"], 0, 65535);
  if (containerPort === undefined) return [];
  const isNamed = name !== undefined && name !== "";
  return [{ containerPort, protocol, ...(isNamed && { name }), ...(hostPort !== undefined && hostPort !== 0 && { hostPort }) }];
}

function readAddresses(check: Checker, status: Json): readonly string[] {
  const addresses = new Set<string>();
  const add = (value: unknown, path: Path): void => {
    const text = check.text(value, path);
    if (text === undefined || text === "") return;
    const parsed = parseAddress(text);
    if ("error" in parsed && parsed.corrected === undefined) check.error(path, "invalid-address", `: ${parsed.error}`);
    addresses.add(text);
  };
  add(status["podIP"], ["status", "podIP"]);
  for (const [index, item] of check.list(status["podIPs"], ["status", "podIPs"]).entries()) {
    add(check.record(item, ["status", "podIPs", index])?.["ip"], ["status", "podIPs", index, "ip"]);
  }
  return [...addresses];
}
