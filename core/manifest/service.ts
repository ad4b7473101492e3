import { parseAddress } from "../address/index.ts";
import type { Position } from "../model/note.ts";
import type { WorldService, WorldServicePort } from "../verdict/world.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { checkIngress } from "./ingress-rules.ts";
import { isPortName, readLabels } from "./labels.ts";
import { isServiceName } from "./names.ts";
import { readProtocol } from "./ports.ts";
import { checkService } from "./service-rules.ts";

/** One service that an Ingress or Route sends traffic to; no port means all of its ports. */
export interface EntryBackend {
  readonly service: string;
  readonly port: number | string | undefined;
  /** What the port is first of all: a port of the service (Ingress), or its target port (Route). */
  readonly portOf: "service" | "target";
}

/** An Ingress or a Route: traffic from outside, by way of a controller. */
export interface ManifestEntry {
  /** `Ingress shop/web`. */
  readonly id: string;
  readonly namespace: string;
  readonly backends: readonly EntryBackend[];
  readonly at: () => Position;
}

/** A Service with its addresses; without a selector its pods are not known here. */
export function readService(check: Checker, object: Json, namespace: string, name: string): WorldService {
  const spec = check.record(object["spec"], ["spec"]) ?? {};
  const selector = readLabels(check, spec["selector"], ["spec", "selector"]);
  const ports = check.list(spec["ports"], ["spec", "ports"]).flatMap((entry, index) => {
    const path = ["spec", "ports", index];
    return readServicePort(check, check.record(entry, path) ?? {}, path);
  });
  checkService(check, spec, ports);
  const keepsSource = spec["externalTrafficPolicy"] === "Local";
  const { addresses, outside } = serviceAddresses(check, object, spec);
  return {
    namespace,
    name,
    addresses,
    outside,
    selector: Object.keys(selector).length === 0 ? undefined : selector,
    ports,
    keepsSource,
  };
}

/** Of the cluster, external, and given by a load balancer; `None` is none. */
function serviceAddresses(check: Checker, object: Json, spec: Json): Required<Pick<WorldService, "addresses" | "outside">> {
  const addresses = new Set<string>();
  const add = (value: unknown, path: Path): void => {
    const text = check.text(value, path);
    if (text === undefined || text === "" || text === "None") return;
    const parsed = parseAddress(text);
    if ("error" in parsed && parsed.corrected === undefined) check.error(path, "invalid-address", `: ${parsed.error}`);
    addresses.add(text);
  };
  const addAll = (key: string): void => {
    for (const [index, item] of check.list(spec[key], ["spec", key]).entries()) add(item, ["spec", key, index]);
  };
  add(spec["clusterIP"], ["spec", "clusterIP"]);
  addAll("clusterIPs");
  const inside = new Set(addresses);
  addAll("externalIPs");
  const given = ["status", "loadBalancer", "ingress"];
  const status = check.record(check.record(object["status"], ["status"])?.["loadBalancer"], ["status", "loadBalancer"]);
  for (const [index, item] of check.list(status?.["ingress"], given).entries()) {
    add(check.record(item, [...given, index])?.["ip"], [...given, index, "ip"]);
  }
  return { addresses: [...addresses], outside: [...addresses].filter((address) => !inside.has(address)) };
}

function readServicePort(check: Checker, entry: Json, path: Path): readonly WorldServicePort[] {
  if (!check.required(entry, "port", path)) return [];
  const port = check.integer(entry["port"], [...path, "port"], 1, 65535);
  if (port === undefined) return [];
  const target = readNumberOrName(check, entry["targetPort"], [...path, "targetPort"]);
  const name = check.text(entry["name"], [...path, "name"]);
  const protocol = readProtocol(check, entry["protocol"], [...path, "protocol"]);
  const nodePort = check.integer(entry["nodePort"], [...path, "nodePort"], 0, 65535) || undefined;
  return [{ name, port, protocol, targetPort: target === undefined || target === 0 || target === "" ? port : target, nodePort }];
}

function readNumberOrName(check: Checker, value: unknown, path: Path): number | string | undefined {
  return typeof value === "string" ? value : check.integer(value, path, 0, 65535);
}

/** Backends of a `networking.k8s.io/v1` Ingress, or of the older shape with `serviceName`. */
export function readIngress(check: Checker, object: Json): readonly EntryBackend[] {
  const spec = check.record(object["spec"], ["spec"]) ?? {};
  if (object["apiVersion"] === "networking.k8s.io/v1") checkIngress(check, spec);
  const defaultKey = spec["defaultBackend"] === undefined ? "backend" : "defaultBackend";
  const backends = readBackend(check, spec[defaultKey], ["spec", defaultKey]);
  const paths = check.list(spec["rules"], ["spec", "rules"]).flatMap((item, index) => {
    const at = ["spec", "rules", index, "http"];
    const http = check.record(check.record(item, ["spec", "rules", index])?.["http"], at);
    return check.list(http?.["paths"], [...at, "paths"]).flatMap((entry, position) => {
      const path = [...at, "paths", position];
      return readBackend(check, check.record(entry, path)?.["backend"], [...path, "backend"]);
    });
  });
  return [...backends, ...paths];
}

function readBackend(check: Checker, value: unknown, path: Path): readonly EntryBackend[] {
  const backend = check.record(value, path);
  if (backend === undefined) return [];
  const old = check.text(backend["serviceName"], [...path, "serviceName"]);
  if (old !== undefined) {
    return [{ service: old, port: readNumberOrName(check, backend["servicePort"], [...path, "servicePort"]), portOf: "service" }];
  }
  const service = check.record(backend["service"], [...path, "service"]);
  const name = check.text(service?.["name"], [...path, "service", "name"]);
  if (service === undefined || name === undefined) {
    if (check.record(backend["resource"], [...path, "resource"]) === undefined)
      return check.error(path, "missing-field", " must have the name of a service, or a resource") ?? [];
    check.note("warning", path, "no-service", "a backend that is no service is not followed");
    return [];
  }
  const at = [...path, "service", "port"];
  const record = check.record(service["port"], at) ?? {};
  const number = check.integer(record["number"] === 0 ? undefined : record["number"], [...at, "number"], 1, 65535);
  const port = check.text(record["name"], [...at, "name"]) || number;
  if (port === undefined) check.error(at, "missing-field", " must have a name or a number");
  else if (port !== number && number !== undefined) check.error(at, "invalid-port", " must not have both a name and a number");
  else if (typeof port === "string" && !isPortName(port))
    check.error(at, "invalid-port", `: ${show(port)} is not the name of a port`);
  if (!isServiceName(name))
    check.error([...path, "service", "name"], "invalid-name", `: ${show(name)} is not the name of a Service`);
  return [{ service: name, port, portOf: "service" }];
}

/** Backends of an OpenShift Route; its port is a target port of the service, or the name of one of its ports. */
export function readRoute(check: Checker, object: Json): readonly EntryBackend[] {
  const spec = check.record(object["spec"], ["spec"]) ?? {};
  const port = readNumberOrName(check, check.record(spec["port"], ["spec", "port"])?.["targetPort"], [
    "spec",
    "port",
    "targetPort",
  ]);
  const others = check.list(spec["alternateBackends"], ["spec", "alternateBackends"]);
  const targets: readonly (readonly [unknown, Path])[] = [
    [spec["to"], ["spec", "to"]],
    ...others.map((item, index) => [item, ["spec", "alternateBackends", index]] as const),
  ];
  return targets.flatMap(([value, path]) => {
    const target = check.record(value, path);
    const service = check.text(target?.["name"], [...path, "name"]);
    const kind = check.text(target?.["kind"], [...path, "kind"]) ?? "Service";
    if (service !== undefined && (kind === "Service" || kind === ""))
      return [{ service, port: port === 0 ? undefined : port, portOf: "target" }];
    check.note("warning", path, "no-service", `a target of kind ${show(kind)} is not followed`);
    return [];
  });
}
