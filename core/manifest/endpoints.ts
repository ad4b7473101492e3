import type { ServiceEndpoint, WorldService } from "../verdict/world.ts";
import { checkAddress, refuseSpecial } from "./addresses.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { isDnsSubdomain } from "./labels.ts";
import { checkPortNames, readProtocol } from "./ports.ts";

/** Addresses behind one Service, as one object says them. */
export interface EndpointsOf {
  readonly namespace: string;
  readonly service: string;
  readonly endpoints: readonly ServiceEndpoint[];
}

const SERVICE_OF_SLICE = "kubernetes.io/service-name";

/** A `v1` Endpoints: subsets of addresses, each with ports. Those that are not ready are addresses too. */
export function readEndpoints(check: Checker, object: Json): readonly ServiceEndpoint[] {
  return check.list(object["subsets"], ["subsets"]).flatMap((item, index) => {
    const at = ["subsets", index];
    const subset = check.record(item, at) ?? {};
    const addresses = ["addresses", "notReadyAddresses"].flatMap((key) =>
      check.list(subset[key], [...at, key]).map((entry, position) => {
        const path = [...at, key, position];
        return readAddress(check, check.record(entry, path)?.["ip"], [...path, "ip"]);
      }),
    );
    if (addresses.length === 0) check.error(at, "missing-field", " must have addresses or notReadyAddresses");
    return joined(addresses, readPorts(check, subset["ports"], [...at, "ports"], "Endpoints"));
  });
}

const FAMILIES: Readonly<Record<string, 4 | 6>> = { IPv4: 4, IPv6: 6 };

/** A `discovery.k8s.io` EndpointSlice; the label names its Service. */
export function readSlice(check: Checker, object: Json): Pick<EndpointsOf, "service" | "endpoints"> {
  const labels = check.record(check.record(object["metadata"], ["metadata"])?.["labels"], ["metadata", "labels"]);
  const service = check.text(labels?.[SERVICE_OF_SLICE], ["metadata", "labels", SERVICE_OF_SLICE]) ?? "";
  const type = check.text(object["addressType"], ["addressType"]) ?? "";
  const family = FAMILIES[type];
  if (family === undefined && type !== "FQDN")
    check.error(["addressType"], "invalid-endpoint", ` must be one of IPv4, IPv6, FQDN, and is ${show(type)}`);
  const addresses = check.list(object["endpoints"], ["endpoints"]).flatMap((item, index) => {
    const path = ["endpoints", index, "addresses"];
    const given = check.list(check.record(item, ["endpoints", index])?.["addresses"], path);
    if (given.length === 0) check.error(path, "missing-field", " is missing");
    return given.map((value, position) => {
      if (family !== undefined) return readAddress(check, value, [...path, position], family);
      if (!isDnsSubdomain(String(value))) check.error([...path, position], "invalid-name", `: ${show(value)} is not a name`);
      return "";
    });
  });
  const ports = readPorts(check, object["ports"], ["ports"], "EndpointSlice");
  return { service, endpoints: family === undefined ? [] : joined(addresses, ports) };
}

function readAddress(check: Checker, value: unknown, path: Path, family?: 4 | 6): string {
  const address = checkAddress(check, value, path);
  if (family !== undefined && address !== undefined && address.family !== family)
    check.error(path, "invalid-address", `: ${show(value)} is not an IPv${family} address`);
  refuseSpecial(check, address, value, path);
  return String(value);
}

type Port = Omit<ServiceEndpoint, "address">;

/** Endpoints must name their ports where there are several, and an empty protocol is TCP; a slice may leave one name out, and not that. */
function readPorts(check: Checker, value: unknown, path: Path, kind: "Endpoints" | "EndpointSlice"): readonly Port[] {
  const isOld = kind === "Endpoints";
  const entries = check.list(value, path).map((item, index) => check.record(item, [...path, index]) ?? {});
  checkPortNames(
    check,
    entries.map(({ name }, index) => check.text(name, [...path, index, "name"])),
    path,
    { areNeeded: isOld, differ: !isOld },
  );
  return entries.flatMap((entry, index): readonly Port[] => {
    const at = [...path, index];
    if (isOld && !check.required(entry, "port", at)) return [];
    const port = check.integer(entry["port"], [...at, "port"], 1, 65535);
    const portName = check.text(entry["name"], [...at, "name"]) ?? "";
    const protocol = readProtocol(check, entry["protocol"], [...at, "protocol"], isOld);
    return port === undefined ? [] : [{ portName, port, protocol }];
  });
}

function joined(addresses: readonly string[], ports: readonly Port[]): readonly ServiceEndpoint[] {
  return addresses.flatMap((address) => ports.map((port) => ({ address, ...port })));
}

/** Services without a selector, with what is said to be behind them. */
export function withEndpoints(services: readonly WorldService[], found: readonly EndpointsOf[]): readonly WorldService[] {
  if (found.length === 0) return services;
  const byService = Map.groupBy(found, ({ namespace, service }) => `${namespace}/${service}`);
  return services.map((service) => {
    const behind = byService.get(`${service.namespace}/${service.name}`);
    if (service.selector !== undefined || behind === undefined) return service;
    return { ...service, endpoints: behind.flatMap(({ endpoints }) => endpoints) };
  });
}
