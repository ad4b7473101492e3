import type { Checker, Json } from "./check.ts";
import { formatPath, show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { checkSelector, isPortName } from "./labels.ts";
import { checkCidr } from "./network-policy.ts";

/** What tells the cluster-wide kinds apart. */
interface TierShape {
  readonly fields: readonly string[];
  /** Peers of egress rules. */
  readonly peers: readonly string[];
  readonly actions: readonly string[];
  readonly portsKey: "ports" | "protocols";
  readonly most: number;
}

const PEERS: readonly string[] = ["namespaces", "pods", "nodes", "networks", "domainNames"];

const SHAPES = {
  AdminNetworkPolicy: {
    fields: ["priority"],
    peers: PEERS,
    actions: ["Allow", "Deny", "Pass"],
    portsKey: "ports",
    most: 100,
  },
  BaselineAdminNetworkPolicy: {
    fields: [],
    peers: PEERS.filter((kind) => kind !== "domainNames"),
    actions: ["Allow", "Deny"],
    portsKey: "ports",
    most: 100,
  },
  ClusterNetworkPolicy: {
    fields: ["tier", "priority"],
    peers: PEERS,
    actions: ["Accept", "Deny", "Pass"],
    portsKey: "protocols",
    most: 25,
  },
} as const satisfies Record<string, TierShape>;

/** An AdminNetworkPolicy, BaselineAdminNetworkPolicy or ClusterNetworkPolicy by the rules of its CRD; every violation is an error. */
export function checkTierPolicy(check: Checker, object: Json, kind: keyof typeof SHAPES, name: string): void {
  const shape: TierShape = SHAPES[kind];
  check.onlyKeys(object, ["apiVersion", "kind", "metadata", "spec", "status"], []);
  if (kind === "BaselineAdminNetworkPolicy" && name !== "default") {
    check.error(["metadata", "name"], "invalid-policy", " must be default");
  }
  if (!check.required(object, "spec", [])) return;
  const spec = check.record(object["spec"], ["spec"]) ?? {};
  check.onlyKeys(spec, [...shape.fields, "subject", "ingress", "egress"], ["spec"]);
  if (shape.fields.includes("priority") && check.required(spec, "priority", ["spec"])) {
    check.integer(spec["priority"], ["spec", "priority"], 0, 1000);
  }
  if (
    shape.fields.includes("tier") &&
    check.required(spec, "tier", ["spec"]) &&
    spec["tier"] !== "Admin" &&
    spec["tier"] !== "Baseline"
  ) {
    check.error(["spec", "tier"], "invalid-policy", ` must be Admin or Baseline, and is ${show(spec["tier"])}`);
  }
  if (check.required(spec, "subject", ["spec"]))
    checkOneOf(check, spec["subject"], ["namespaces", "pods"], ["spec", "subject"], shape);
  for (const [direction, end] of [
    ["ingress", "from"],
    ["egress", "to"],
  ] as const) {
    const rules = check.list(spec[direction], ["spec", direction]);
    atMost(check, rules, shape.most, ["spec", direction]);
    for (const [index, rule] of rules.entries()) checkRule(check, rule, ["spec", direction, index], end, shape);
  }
}

function atMost(check: Checker, list: readonly unknown[], most: number, path: Path): void {
  if (list.length > most) check.error(path, "too-many", ` must not hold more than ${most}, and holds ${list.length}`);
}

function checkRule(check: Checker, value: unknown, path: Path, end: "from" | "to", shape: TierShape): void {
  const rule = check.record(value, path);
  if (rule === undefined) return check.error(path, "missing-field", " is empty");
  check.onlyKeys(rule, ["name", "action", end, shape.portsKey], path);
  const name = check.text(rule["name"], [...path, "name"]);
  if (name !== undefined && name.length > 100) check.error([...path, "name"], "invalid-policy", " must not be longer than 100");
  if (!shape.actions.includes(String(rule["action"]))) {
    const given = rule["action"] === undefined ? "missing" : show(rule["action"]);
    check.error([...path, "action"], "invalid-policy", ` must be one of ${shape.actions.join(", ")}, and is ${given}`);
  }
  const peers = check.list(rule[end], [...path, end]);
  if (peers.length === 0) check.error([...path, end], "missing-field", " must name at least one peer");
  atMost(check, peers, shape.most, [...path, end]);
  const kinds = end === "from" ? ["namespaces", "pods"] : shape.peers;
  for (const [index, peer] of peers.entries()) checkOneOf(check, peer, kinds, [...path, end, index], shape);
  checkPorts(check, rule[shape.portsKey], [...path, shape.portsKey], shape);
  refuseNamesForNetworks(check, peers, rule[shape.portsKey], path);
}

/** A name of a port is a pod's: networks, nodes and domain names have none (a validation rule of the CRDs that know such names). */
function refuseNamesForNetworks(check: Checker, peers: readonly unknown[], ports: unknown, path: Path): void {
  const has = (items: unknown, keys: readonly string[]): boolean =>
    Array.isArray(items) &&
    items.some((item: unknown) => typeof item === "object" && item !== null && keys.some((key) => key in item));
  if (!has(peers, ["networks", "nodes", "domainNames"]) || !has(ports, ["namedPort", "destinationNamedPort"])) return;
  const detail = "Only pods have names of ports; make it a rule of its own, with numbers";
  check.error(path, "invalid-port", " has a named port beside networks, nodes or domainNames", detail);
}

/** Exactly one of the kinds of peer (or subject). */
function checkOneOf(check: Checker, value: unknown, kinds: readonly string[], path: Path, shape: TierShape): void {
  const peer = check.record(value, path) ?? {};
  check.onlyKeys(peer, kinds, path);
  const given = kinds.filter((kind) => peer[kind] !== undefined && peer[kind] !== null);
  if (given.length !== 1) {
    const has = given.length === 0 ? "has none" : `has ${given.join(" and ")}`;
    return check.error(path, "invalid-peer", ` must have exactly one of ${kinds.join(", ")}, and ${has}`);
  }
  const [kind = ""] = given;
  const at = [...path, kind];
  if (kind === "namespaces" || kind === "nodes") return checkSelector(check, peer[kind], at);
  if (kind === "pods") return checkPods(check, peer[kind], at, shape);
  const items = check.list(peer[kind], at);
  if (items.length === 0) check.error(at, "missing-field", " must not be empty");
  atMost(check, items, 25, at);
  for (const [index, item] of items.entries()) {
    if (items.indexOf(item) < index) check.error([...at, index], "invalid-peer", `: ${show(item)} is there twice`);
    else if (kind === "networks") checkNetwork(check, item, [...at, index]);
    else checkDomain(check, item, [...at, index]);
  }
  if (kind === "domainNames") check.note("warning", at, "names", "domainNames are not resolved; they match nothing here");
}

/** `isCIDR` of the API server: no IPv4 in the clothes of IPv6, and no longer than any CIDR can be. */
function checkNetwork(check: Checker, value: unknown, path: Path): void {
  if (typeof value === "string" && (value.length > 43 || /^[0-9a-f:]*:\d+\.\d+\.\d+\.\d+\//i.test(value)))
    return check.error(path, "invalid-block", `: ${show(value)} is not a CIDR block that the API server takes`);
  checkCidr(check, value, path);
}

/** The pattern of the CRDs, letter for letter. */
const DOMAIN = /^(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;

function checkDomain(check: Checker, value: unknown, path: Path): void {
  const name = check.text(value, path);
  if (name === undefined || name.length > 1000 || !DOMAIN.test(name))
    check.error(path, "invalid-peer", `: ${show(value)} is not a domain name`);
}

/** Both selectors are required, but for the namespaces of a ClusterNetworkPolicy: absent, they are all of them. */
function checkPods(check: Checker, value: unknown, path: Path, shape: TierShape): void {
  const pods = check.record(value, path) ?? {};
  check.onlyKeys(pods, ["namespaceSelector", "podSelector"], path);
  check.required(pods, "podSelector", path);
  if (shape.portsKey === "ports") check.required(pods, "namespaceSelector", path);
  else if (pods["namespaceSelector"] === undefined || pods["namespaceSelector"] === null) {
    check.note(
      "warning",
      path,
      "no-selector",
      `${formatPath([...path, "namespaceSelector"])} is missing`,
      "Read as {}: all of them",
    );
  }
  checkSelector(check, pods["namespaceSelector"], [...path, "namespaceSelector"]);
  checkSelector(check, pods["podSelector"], [...path, "podSelector"]);
}

function checkPorts(check: Checker, value: unknown, path: Path, shape: TierShape): void {
  if (value === undefined || value === null) return;
  const entries = check.list(value, path);
  if (Array.isArray(value) && entries.length === 0) {
    check.error(
      path,
      "invalid-port",
      " must not be empty",
      "Leave the field out for every port; enforcers read an empty list differently",
    );
  }
  atMost(check, entries, shape.most, path);
  for (const [index, item] of entries.entries()) {
    if (shape.portsKey === "ports") checkAlphaPort(check, item, [...path, index]);
    else checkProtocol(check, item, [...path, index]);
  }
}

function only(check: Checker, record: Json, kinds: readonly string[], path: Path): string | undefined {
  check.onlyKeys(record, kinds, path);
  const given = kinds.filter((kind) => record[kind] !== undefined && record[kind] !== null);
  if (given.length === 1) return given[0];
  return check.error(path, "invalid-port", ` must have exactly one of ${kinds.join(", ")}`);
}

function checkName(check: Checker, value: unknown, path: Path): void {
  const name = check.text(value, path);
  if (name === "") check.error(path, "invalid-port", " must not be empty");
  else if (name !== undefined && !isPortName(name))
    check.note("warning", path, "no-such-port", `no pod can have a port named ${show(name)}`);
}

function checkAlphaPort(check: Checker, value: unknown, path: Path): void {
  const entry = check.record(value, path) ?? {};
  const kind = only(check, entry, ["portNumber", "portRange", "namedPort"], path);
  if (kind === undefined) return;
  const at = [...path, kind];
  if (kind === "namedPort") return checkName(check, entry[kind], at);
  const fields = check.record(entry[kind], at) ?? {};
  check.onlyKeys(fields, kind === "portNumber" ? ["protocol", "port"] : ["protocol", "start", "end"], at);
  const { protocol } = fields;
  if (protocol !== undefined && protocol !== null && !(typeof protocol === "string" && ["TCP", "UDP", "SCTP"].includes(protocol))) {
    check.error([...at, "protocol"], "invalid-port", ` must be one of TCP, UDP, SCTP, and is ${show(protocol)}`);
  }
  if (kind === "portNumber") checkNumber(check, fields, "port", at);
  else checkRange(check, fields, at, 0);
}

function checkProtocol(check: Checker, value: unknown, path: Path): void {
  const entry = check.record(value, path) ?? {};
  const kind = only(check, entry, ["tcp", "udp", "sctp", "destinationNamedPort"], path);
  if (kind === undefined) return;
  const at = [...path, kind];
  if (kind === "destinationNamedPort") return checkName(check, entry[kind], at);
  const fields = check.record(entry[kind], at) ?? {};
  check.onlyKeys(fields, ["destinationPort"], at);
  if (fields["destinationPort"] === undefined || fields["destinationPort"] === null)
    return check.error(at, "invalid-port", " must not be empty");
  const port = check.record(fields["destinationPort"], [...at, "destinationPort"]);
  if (port === undefined) return;
  const shape = only(check, port, ["number", "range"], [...at, "destinationPort"]);
  if (shape === "number") checkNumber(check, port, "number", [...at, "destinationPort"]);
  if (shape !== "range") return;
  const range = check.record(port["range"], [...at, "destinationPort", "range"]) ?? {};
  check.onlyKeys(range, ["start", "end"], [...at, "destinationPort", "range"]);
  checkRange(check, range, [...at, "destinationPort", "range"], 1);
}

function checkNumber(check: Checker, fields: Json, key: string, path: Path): number | undefined {
  return check.required(fields, key, path) ? check.integer(fields[key], [...path, key], 1, 65535) : undefined;
}

/** `least`: by how much the end is above the start; the CRD of ClusterNetworkPolicy says `self.start < self.end`. */
function checkRange(check: Checker, fields: Json, path: Path, least: 0 | 1): void {
  const first = checkNumber(check, fields, "start", path);
  const last = checkNumber(check, fields, "end", path);
  if (first !== undefined && last !== undefined && last < first + least) {
    check.error([...path, "end"], "invalid-port", ` must be ${first + least} or more, and is ${last}`);
  }
}
