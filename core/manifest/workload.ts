import { parseAddress } from "../address/index.ts";
import { matches } from "../selector/index.ts";
import type { Labels } from "../selector/index.ts";
import type { WorldContainerPort, WorldPod } from "../verdict/world.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import { addedLabels } from "./controllers.ts";
import type { Path } from "./manifest-file.ts";
import { checkSelector, isDnsSubdomain, isPortName, readLabels } from "./labels.ts";
import { checkContainers, checkPortsOfPod, checkRestart, notTaken } from "./pod-rules.ts";
import { readProtocol } from "./ports.ts";
import type { Identity } from "./templates.ts";
import { TEMPLATES } from "./templates.ts";

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
  checkOwnSelector(check, object, kind, own);
  const { ports, hostNetwork } = readSpec(check, template["spec"], [...path, "spec"], kind);
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

/** A workload that does not select its own pods: which of the two is the mistake nobody knows, and policies go by the labels. */
function checkOwnSelector(check: Checker, object: Json, kind: string, labels: Labels): void {
  const path = ["spec", "selector"];
  const given = check.record(check.record(object["spec"], ["spec"])?.["selector"], path);
  const isController = kind === "ReplicationController";
  if (!SELECTING.includes(kind) && !isController) return;
  if (given === undefined) return isController ? undefined : notTaken(check, path, " is missing");
  const selector = isController ? { matchLabels: readLabels(check, given, path) } : given;
  const before = check.notes.length;
  checkSelector(check, selector, path);
  if (check.notes.length > before) return;
  if (isEmptySelector(selector)) return isController ? undefined : notTaken(check, path, " is empty");
  if (matches(selector, labels)) return;
  check.error(path, "selects-not-itself", " does not match the labels of its template", "Mend the one that is a mistake");
}

function isEmptySelector({ matchLabels, matchExpressions }: Json): boolean {
  return Object.keys(matchLabels ?? {}).length === 0 && (!Array.isArray(matchExpressions) || matchExpressions.length === 0);
}

/** A pod as it runs: with addresses, a node and a phase where its status has them. */
export function readPod(check: Checker, object: Json, identity: Identity, labels: Labels): WorldPod {
  const { ports, hostNetwork, node } = readSpec(check, object["spec"], ["spec"], "Pod");
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

function readSpec(check: Checker, value: unknown, path: Path, kind: string): PodSpec {
  const spec = check.record(value, path);
  if (spec === undefined) {
    check.error(path, "missing-field", " is missing");
    return { ports: [], hostNetwork: false, node: undefined };
  }
  const hostNetwork = check.boolean(spec["hostNetwork"], [...path, "hostNetwork"]) ?? false;
  const listed = (["containers", "initContainers"] as const).flatMap((key) =>
    check.list(spec[key], [...path, key]).map((item, index) => {
      const at = [...path, key, index];
      const isBeside = runsBeside(check, item, at, key);
      return { path: at, isBeside, isFirst: key === "initContainers", ports: readContainer(check, item, at) };
    }),
  );
  for (const isFirst of [false, true])
    checkPortsOfPod(
      check,
      listed.filter((container) => container.isFirst === isFirst),
      hostNetwork,
    );
  const ports = listed.flatMap((container) => (container.isBeside ? container.ports : []));
  checkContainers(check, spec, path);
  checkRestart(check, spec, [...path, "restartPolicy"], kind);
  const node = check.text(spec["nodeName"], [...path, "nodeName"]);
  if (node !== undefined && node !== "" && !isDnsSubdomain(node))
    check.error([...path, "nodeName"], "invalid-name", `: ${show(node)} is not a name`);
  return { ports: hostNetwork && kind === "Pod" ? ports.map(onItsNode) : ports, hostNetwork, node };
}

/** Of a container that runs while the pod does: each of `containers`, and of `initContainers` those that restart always, the sidecars. */
function runsBeside(check: Checker, value: unknown, path: Path, key: "containers" | "initContainers"): boolean {
  return key === "containers" || check.record(value, path)?.["restartPolicy"] === "Always";
}

/** The server writes the port of the node for a pod that has the node's network. */
function onItsNode(port: WorldContainerPort): WorldContainerPort {
  return { ...port, hostPort: port.containerPort };
}

function readContainer(check: Checker, value: unknown, path: Path): readonly WorldContainerPort[] {
  const container = check.record(value, path);
  const entries = check.list(container?.["ports"], [...path, "ports"]);
  return entries.flatMap((entry, index) => readContainerPort(check, entry, [...path, "ports", index]));
}

function readContainerPort(check: Checker, value: unknown, path: Path): readonly WorldContainerPort[] {
  const entry = check.record(value, path) ?? {};
  if (!check.required(entry, "containerPort", path)) return [];
  const containerPort = check.integer(entry["containerPort"], [...path, "containerPort"], 1, 65535);
  const name = check.text(entry["name"], [...path, "name"]);
  if (name !== undefined && name !== "" && !isPortName(name)) {
    check.error([...path, "name"], "invalid-port", `: ${show(name)} is not the name of a port`);
  }
  const protocol = readProtocol(check, entry["protocol"], [...path, "protocol"]);
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
