import type { WorldServicePort } from "../verdict/world.ts";
import { checkAddress, refuseSpecial } from "./addresses.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { isDnsSubdomain, isPortName } from "./labels.ts";
import { checkPortNames } from "./ports.ts";

const TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const;

/** The type of a Service; absent is ClusterIP. */
export function serviceType(spec: Json): string {
  return typeof spec["type"] === "string" && spec["type"] !== "" ? spec["type"] : "ClusterIP";
}

/** What the API server refuses of a Service (ValidateService), as far as it does not depend on what a cluster has given away. */
export function checkService(check: Checker, spec: Json, ports: readonly WorldServicePort[]): void {
  const type = serviceType(spec);
  oneOf(check, { ...spec, type }, "type", TYPES);
  oneOf(check, spec, "sessionAffinity", ["None", "ClientIP"]);
  oneOf(check, spec, "internalTrafficPolicy", ["Cluster", "Local"]);
  checkClusterIps(check, spec, type);
  if (type === "ExternalName") checkExternalName(check, spec);
  const given = check.list(spec["externalIPs"], ["spec", "externalIPs"]);
  for (const [index, item] of given.entries()) {
    const path = ["spec", "externalIPs", index];
    refuseSpecial(check, checkAddress(check, item, path), item, path);
  }
  const isOutside = type === "NodePort" || type === "LoadBalancer" || (type === "ClusterIP" && given.length > 0);
  if (isOutside) oneOf(check, spec, "externalTrafficPolicy", ["Cluster", "Local"]);
  else if (isGiven(spec["externalTrafficPolicy"]))
    check.error(["spec", "externalTrafficPolicy"], "invalid-service", ` must be absent for what is not reached from outside`);
  checkPorts(check, spec, ports, type);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function oneOf(check: Checker, spec: Json, key: string, known: readonly string[]): void {
  const value = spec[key];
  if (isGiven(value) && !known.includes(String(value)))
    check.error(["spec", key], "invalid-service", ` must be one of ${known.join(", ")}, and is ${show(value)}`);
}

function checkClusterIps(check: Checker, spec: Json, type: string): void {
  const path = ["spec", "clusterIP"];
  const all = check.list(spec["clusterIPs"], ["spec", "clusterIPs"]);
  const [first] = all;
  if (isGiven(spec["clusterIP"]) && all.length > 0 && first !== spec["clusterIP"])
    check.error(["spec", "clusterIPs", 0], "invalid-service", ` must be ${show(spec["clusterIP"])}, as clusterIP is`);
  if (!isGiven(spec["clusterIP"]) && all.length > 0) check.error(path, "missing-field", " is missing beside clusterIPs");
  const isHeadless = spec["clusterIP"] === "None" || first === "None";
  if (isHeadless && (type === "NodePort" || type === "LoadBalancer"))
    check.error(path, "invalid-service", ` must not be None for type ${type}`);
  if (all.includes("None") && all.length > 1) check.error(["spec", "clusterIPs"], "invalid-service", ": None stands alone");
  if (all.length > 2) check.error(["spec", "clusterIPs"], "too-many", ` must not hold more than 2, and holds ${all.length}`);
  if (type === "ExternalName" && (isGiven(spec["clusterIP"]) || all.length > 0))
    check.error(path, "invalid-service", " must be absent for type ExternalName");
}

function checkExternalName(check: Checker, spec: Json): void {
  const path = ["spec", "externalName"];
  const name = check.text(spec["externalName"], path) ?? "";
  if (name === "") check.error(path, "missing-field", " is missing");
  else if (!isDnsSubdomain(name.replace(/\.$/, ""))) check.error(path, "invalid-name", `: ${show(name)} is not a name`);
}

function checkPorts(check: Checker, spec: Json, ports: readonly WorldServicePort[], type: string): void {
  const path: Path = ["spec", "ports"];
  const isHeadless = spec["clusterIP"] === "None" || type === "ExternalName";
  if (ports.length === 0 && !isHeadless && check.list(spec["ports"], path).length === 0)
    check.error(path, "missing-field", " is missing");
  checkPortNames(
    check,
    ports.map(({ name }) => name),
    path,
    { areNeeded: true, differ: true },
  );
  for (const [index, port] of ports.entries()) {
    const { targetPort, nodePort, protocol } = port;
    const at = [...path, index];
    if (typeof targetPort === "string" && !isPortName(targetPort))
      check.error(
        [...at, "targetPort"],
        "invalid-port",
        `: ${show(targetPort)} is not the name of a port`,
        "Numbers have no quotes",
      );
    if (nodePort !== undefined && (type === "ClusterIP" || type === "ExternalName"))
      check.error([...at, "nodePort"], "invalid-port", ` must be absent for type ${type}`);
    const before = ports.slice(0, index).filter((other) => other.protocol === protocol);
    if (before.some((other) => other.port === port.port))
      check.error([...at, "port"], "invalid-port", `: ${port.port}/${protocol} is there twice`);
    if (nodePort !== undefined && before.some((other) => other.nodePort === nodePort))
      check.error([...at, "nodePort"], "invalid-port", `: ${nodePort}/${protocol} is there twice`);
  }
}
