import { fromPrefixes, isSubset, parsePrefix } from "../address/index.ts";
import type { Prefix } from "../address/index.ts";
import type { Checker, Json } from "./check.ts";
import { formatPath, show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { checkSelector, isPortName } from "./labels.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];

/** A `networking.k8s.io/v1` NetworkPolicy by the rules of the API server (ValidateNetworkPolicySpec); every violation is an error. */
export function checkNetworkPolicy(check: Checker, object: Json): void {
  check.onlyKeys(object, ["apiVersion", "kind", "metadata", "spec", "status"], []);
  const spec = check.record(object["spec"], ["spec"]);
  if (spec === undefined) return;
  check.onlyKeys(spec, ["podSelector", "policyTypes", "ingress", "egress"], ["spec"]);
  checkSelector(check, spec["podSelector"], ["spec", "podSelector"]);
  const types = check.list(spec["policyTypes"], ["spec", "policyTypes"]);
  if (types.length > 2) check.error(["spec", "policyTypes"], "invalid-policy", " must not name more than two");
  for (const [index, type] of types.entries()) {
    if (type === "Ingress" || type === "Egress") continue;
    check.error(["spec", "policyTypes", index], "invalid-policy", ` must be Ingress or Egress, and is ${show(type)}`);
  }
  for (const [direction, end] of [
    ["ingress", "from"],
    ["egress", "to"],
  ] as const) {
    for (const [index, rule] of check.list(spec[direction], ["spec", direction]).entries()) {
      checkRule(check, rule, ["spec", direction, index], end);
    }
    noteSilentRules(check, spec, direction);
  }
}

/** Rules of a direction that policyTypes leaves out are kept by the API server, and do nothing. */
function noteSilentRules(check: Checker, spec: Json, direction: "ingress" | "egress"): void {
  const types = spec["policyTypes"];
  if (!Array.isArray(types) || types.length === 0 || !Array.isArray(spec[direction]) || spec[direction].length === 0) return;
  const type = direction === "ingress" ? "Ingress" : "Egress";
  if (!types.includes(type)) {
    check.note(
      "warning",
      ["spec", direction],
      "silent-rules",
      `spec.${direction} has no effect, because policyTypes leaves ${type} out`,
    );
  }
}

function checkRule(check: Checker, value: unknown, path: Path, end: "from" | "to"): void {
  const rule = check.record(value, path);
  if (rule === undefined) return; // null is the empty rule: everything
  check.onlyKeys(rule, [end, "ports"], path);
  const peers = check.list(rule[end], [...path, end]);
  for (const [index, peer] of peers.entries()) checkPeer(check, peer, [...path, end, index]);
  const ports = check.list(rule["ports"], [...path, "ports"]);
  for (const [index, port] of ports.entries()) checkPort(check, port, [...path, "ports", index]);
  noteNamesForBlocks(check, peers, ports, path);
}

/** A named port of an address is no port: valid, and worth a look. */
function noteNamesForBlocks(check: Checker, peers: readonly unknown[], ports: readonly unknown[], path: Path): void {
  if (path[1] !== "egress") return; // ingress names are looked up in the selected pods
  const hasBlock = peers.some((peer) => typeof peer === "object" && peer !== null && "ipBlock" in peer);
  const hasName = ports.some(
    (port) => typeof port === "object" && port !== null && "port" in port && typeof port.port === "string",
  );
  if (hasBlock && hasName) {
    check.note("warning", path, "name-for-block", `${formatPath(path)}: a named port matches no address outside the cluster`);
  }
}

function checkPeer(check: Checker, value: unknown, path: Path): void {
  const peer = check.record(value, path) ?? {};
  check.onlyKeys(peer, ["podSelector", "namespaceSelector", "ipBlock"], path);
  const given = Object.keys(peer).filter((key) => peer[key] !== undefined && peer[key] !== null);
  if (given.length === 0) return check.error(path, "invalid-peer", " must have a podSelector, a namespaceSelector or an ipBlock");
  if (given.includes("ipBlock") && given.length > 1) {
    return check.error(path, "invalid-peer", " has an ipBlock beside a selector; a peer is one or the other");
  }
  checkSelector(check, peer["podSelector"], [...path, "podSelector"]);
  checkSelector(check, peer["namespaceSelector"], [...path, "namespaceSelector"]);
  if (given.includes("ipBlock")) checkBlock(check, peer["ipBlock"], [...path, "ipBlock"]);
}

function checkBlock(check: Checker, value: unknown, path: Path): void {
  const block = check.record(value, path);
  if (block === undefined) return;
  check.onlyKeys(block, ["cidr", "except"], path);
  if (!check.required(block, "cidr", path)) return;
  const cidr = checkCidr(check, block["cidr"], [...path, "cidr"]);
  for (const [index, item] of check.list(block["except"], [...path, "except"]).entries()) {
    const at = [...path, "except", index];
    const hole = checkCidr(check, item, at);
    if (cidr === undefined || hole === undefined) continue;
    const isInside =
      hole.family === cidr.family && hole.length > cidr.length && isSubset(fromPrefixes([hole]), fromPrefixes([cidr]));
    if (!isInside) check.error(at, "invalid-block", `: ${show(item)} must be a part of ${show(block["cidr"])}, and smaller`);
  }
}

/** A CIDR with its length; host bits are masked with a note, as the API accepts them and enforcers mask them. */
export function checkCidr(check: Checker, value: unknown, path: Path): Prefix | undefined {
  const text = check.text(value, path);
  if (text === undefined)
    return value === undefined || value === null ? check.error(path, "missing-field", " is missing") : undefined;
  if (!text.includes("/")) return check.error(path, "invalid-block", `: ${show(text)} is not a CIDR block, such as 10.0.0.0/24`);
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return parsed.ok;
  if (parsed.corrected === undefined) return check.error(path, "invalid-block", `: ${parsed.error}`);
  check.note("warning", path, "masked", `${formatPath(path)}: ${parsed.error}`, "Read as that network, as Kubernetes does");
  return parsed.corrected;
}

function checkPort(check: Checker, value: unknown, path: Path): void {
  const entry = check.record(value, path);
  if (entry === undefined) return;
  check.onlyKeys(entry, ["protocol", "port", "endPort"], path);
  const { protocol, port, endPort } = entry;
  if (protocol !== undefined && protocol !== null && !(typeof protocol === "string" && PROTOCOLS.includes(protocol))) {
    check.error([...path, "protocol"], "invalid-port", ` must be one of ${PROTOCOLS.join(", ")}, and is ${show(protocol)}`);
  }
  const at = [...path, "port"];
  if (typeof port === "string") {
    if (!isPortName(port)) check.error(at, "invalid-port", `: ${show(port)} is not the name of a port`, "Numbers have no quotes");
    if (endPort !== undefined && endPort !== null)
      check.error([...path, "endPort"], "invalid-port", " must be absent beside a named port");
    return;
  }
  const first = check.integer(port, at, 1, 65535);
  if (endPort === undefined || endPort === null) return;
  if (port === undefined || port === null)
    return check.error([...path, "endPort"], "invalid-port", " must be absent without a port");
  const last = check.integer(endPort, [...path, "endPort"], 1, 65535);
  if (first !== undefined && last !== undefined && last < first) {
    check.error([...path, "endPort"], "invalid-port", ` must be ${first} or more, and is ${last}`);
  }
}
