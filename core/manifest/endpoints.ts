import type { ServiceEndpoint, WorldService } from "../verdict/world.ts";
import type { Checker, Json } from "./check.ts";
import type { Path } from "./document.ts";

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
      check.list(subset[key], [...at, key]).flatMap((entry, position) => {
        const path = [...at, key, position];
        return check.text(check.record(entry, path)?.["ip"], [...path, "ip"]) ?? [];
      }),
    );
    return joined(addresses, readPorts(check, subset["ports"], [...at, "ports"]));
  });
}

/** A `discovery.k8s.io` EndpointSlice; the label names its Service. */
export function readSlice(check: Checker, object: Json): Pick<EndpointsOf, "service" | "endpoints"> {
  const labels = check.record(check.record(object["metadata"], ["metadata"])?.["labels"], ["metadata", "labels"]);
  const service = check.text(labels?.[SERVICE_OF_SLICE], ["metadata", "labels", SERVICE_OF_SLICE]) ?? "";
  if (object["addressType"] === "FQDN") return { service, endpoints: [] };
  const addresses = check.list(object["endpoints"], ["endpoints"]).flatMap((item, index) => {
    const path = ["endpoints", index, "addresses"];
    return check
      .list(check.record(item, ["endpoints", index])?.["addresses"], path)
      .flatMap((address, position) => check.text(address, [...path, position]) ?? []);
  });
  return { service, endpoints: joined(addresses, readPorts(check, object["ports"], ["ports"])) };
}

type Port = Omit<ServiceEndpoint, "address">;

function readPorts(check: Checker, value: unknown, path: Path): readonly Port[] {
  return check.list(value, path).flatMap((item, index): readonly Port[] => {
    const at = [...path, index];
    const entry = check.record(item, at) ?? {};
    const port = check.integer(entry["port"], [...at, "port"], 1, 65535);
    const portName = check.text(entry["name"], [...at, "name"]) ?? "";
    const protocol = check.text(entry["protocol"], [...at, "protocol"]) ?? "TCP";
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
