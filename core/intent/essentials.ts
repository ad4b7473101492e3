import { emptySet, fromAddressTexts, fromPrefixes, parsePrefix, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { noPorts, portRange, portsFromRanges, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Estate } from "../estate/estate.ts";
import type { ClusterInventory, Service, WebhookBackend } from "../membership/inventory.ts";
import { findService, hasSelector } from "../membership/services.ts";
import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import type { Cluster, Definitions, Direction, HostFleet, Lifeline, NamedPort, PortRange, TargetId } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";
import type { EstateIndex } from "./estate-index.ts";
import type { MemberLists, Members } from "./members.ts";

/** Something open without a rule, at one end. */
export interface Essential {
  /** `builtin/NAME`. */
  readonly origin: string;
  readonly direction: Direction;
  /** Pods at which it is open; undefined: every subject of the target. */
  readonly subjects: Members | undefined;
  readonly peers: "any" | { readonly members: Members | undefined; readonly addresses: AddressSet };
  readonly ports: PortSet;
  readonly named: readonly NamedPort[];
  /** True: for segments with `needs: [apiserver]` only. */
  readonly isNeeded: boolean;
}

/** What a host's essentials rest on that no definition says. */
export interface HostFacts {
  /** Name servers of its resolv.conf. */
  readonly resolvers: readonly string[];
  /** Time servers it is configured with. */
  readonly timeServers: readonly string[];
}

/** What the operator says in firebreak.yaml that reaches into what is open. */
export interface OperatorFacts {
  readonly floor: Lifeline;
  /** Firebreak's own ways to API servers, Git and store; open on hosts with the local transport. */
  readonly ownPaths: readonly { readonly addresses: AddressSet; readonly ports: readonly PortRange[] }[];
}

const DNS = portsOf("tcp", "udp", 53);
const NODE_LOCAL_DNS = fromAddressTexts(["169.254.20.10"]).set;
/** Where DNS listens; anything else has to be in Git. */
const DNS_TARGETS: readonly number[] = [53, 5353];
const LOOPBACK = constantSet("127.0.0.0/8", "::1/128");
const IPV4 = constantSet("0.0.0.0/0");
const IPV6 = constantSet("::/0");
const LINK_LOCAL = constantSet("fe80::/10");
/** Where a packet from a link-local address can go: no router forwards it (RFC 4291 §2.5.6). */
const NEAR = constantSet("fe80::/10", "ff00::/8");

/**
 * What is open at the pods of a cluster without a rule (docs/design/contracts.md "Essentials"). Probes come from the own node:
 * see `explain`.
 */
export function clusterEssentials(
  { workspace }: Definitions,
  index: EstateIndex,
  lists: MemberLists,
  cluster: TargetId,
): readonly Essential[] {
  const { dns, apiserver, webhooks } = workspace.essentials;
  const place = index.estate.clusters.get(cluster);
  const inventory = place?.inventory;
  const services = inventory?.services ?? [];
  return [
    ...(dns && place !== undefined ? dnsOf(lists, place.cluster, inventory) : []),
    ...(apiserver ? apiserverOf(services) : []),
    ...(webhooks ? (inventory?.webhooks ?? []).flatMap((webhook) => webhookOf(lists, cluster, services, webhook)) : []),
  ];
}

/** At most one Service is a cluster's DNS: anybody may own a namespace whose name sounds like it. */
function dnsOf(lists: MemberLists, cluster: Cluster, inventory: ClusterInventory | undefined): readonly Essential[] {
  const nodeLocal = egress("builtin/dns", { members: undefined, addresses: NODE_LOCAL_DNS }, DNS);
  const service = inventory === undefined ? undefined : dnsService(cluster, inventory);
  if (service === undefined || !hasSelector(service)) return [nodeLocal];
  const pods = podsBehind(lists, clusterTargetId(cluster.name), service);
  const ports = cluster.dns.ports.length > 0 ? portsFromRanges(cluster.dns.ports.map(closedRange)) : dnsPorts(service);
  return [
    egress("builtin/dns", { members: pods, addresses: emptySet }, ports),
    nodeLocal,
    { ...ingress("builtin/dns", "any", ports), subjects: pods },
  ];
}

function dnsService({ dns }: Cluster, { services, platform }: ClusterInventory): Service | undefined {
  if (dns.service !== undefined) return findService(services, dns.service.namespace, dns.service.name);
  const usual = findService(services, "kube-system", "kube-dns");
  return usual === undefined && platform === "openshift" ? findService(services, "openshift-dns", "dns-default") : usual;
}

/** Policy sees the port that the pod listens on. A name stands for 53; OpenShift's for 5353. */
function dnsPorts({ ports, namespace }: Service): PortSet {
  const named = namespace === "openshift-dns" ? 5353 : 53;
  const targets = ports
    .filter(({ port, protocol }) => port === 53 && /^(tcp|udp)$/i.test(protocol))
    .map(({ protocol, targetPort = 53 }) => ({
      protocol: protocol.toLowerCase() === "tcp" ? ("tcp" as const) : ("udp" as const),
      target: typeof targetPort === "string" ? named : targetPort,
    }));
  if (targets.length === 0) return DNS;
  const believed = targets.filter(({ target }) => DNS_TARGETS.includes(target));
  return portsFromRanges(believed.map(({ protocol, target }) => ({ protocol, first: target, last: target })));
}

/** Service default/kubernetes and what answers behind it, each on its own TCP ports. */
function apiserverOf(services: readonly Service[]): readonly Essential[] {
  const service = findService(services, "default", "kubernetes");
  if (service === undefined) return [];
  const places = [...service.clusterIps.map((address) => ({ address, ports: service.ports })), ...(service.endpoints ?? [])];
  return places.map(({ address, ports }) => {
    const tcp = ports.filter(({ protocol }) => protocol.toLowerCase() === "tcp").map(({ port }) => portRange("tcp", port));
    const peers = addressPeers(fromAddressTexts([address]).set);
    return { ...egress("builtin/apiserver", peers, tcp.reduce(unionPorts, noPorts)), isNeeded: true };
  });
}

function webhookOf(
  lists: MemberLists,
  cluster: TargetId,
  services: readonly Service[],
  { service: called }: WebhookBackend,
): readonly Essential[] {
  const found = findBackend(services, called);
  if (found === undefined) return [];
  const { service, target } = found;
  const ports = typeof target === "number" ? portRange("tcp", target) : noPorts;
  const named: readonly NamedPort[] = typeof target === "number" ? [] : [{ kind: "named", protocol: "tcp", name: target }];
  return [{ ...ingress("builtin/webhooks", "any", ports), named, subjects: podsBehind(lists, cluster, service) }];
}

/** The service that a webhook calls and the port its pods listen on; undefined where no label names such pods. */
function findBackend(services: readonly Service[], { namespace, name, port }: WebhookBackend["service"]) {
  const service = findService(services, namespace, name);
  const called = service?.ports.find((one) => one.port === port && one.protocol.toLowerCase() === "tcp");
  if (service === undefined || called === undefined || !hasSelector(service)) return undefined;
  return { service, target: called.targetPort ?? called.port };
}

/**
 * Namespaces (`CLUSTER NAMESPACE`) that are not isolated in ingress: without the essential `webhooks`, those with a backend whose
 * failure fails writes to the cluster.
 */
export function sparedNamespaces({ workspace }: Definitions, estate: Estate): ReadonlySet<string> {
  if (workspace.essentials.webhooks) return new Set();
  return new Set(
    [...estate.clusters].flatMap(([target, { inventory }]) =>
      (inventory?.webhooks ?? [])
        .filter(({ failsClosed, service }) => failsClosed && findBackend(inventory?.services ?? [], service) !== undefined)
        .map(({ service }) => `${target} ${service.namespace}`),
    ),
  );
}

function podsBehind(lists: MemberLists, cluster: TargetId, { namespace, selector }: Service): Members {
  const namespaces = { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } };
  return lists.ofPods(cluster, [{ pods: { matchLabels: selector }, namespaces }]);
}

/** What is open at a host without a rule. Neighbour discovery is no connection between parties, but it is ICMPv6. */
export function hostEssentials(
  { workspace }: Definitions,
  fleet: HostFleet,
  { resolvers, timeServers }: HostFacts,
  { floor, ownPaths }: OperatorFacts,
): readonly Essential[] {
  const { dns, dhcp, ntp, icmpErrors } = workspace.essentials;
  const from = unionAll([fromPrefixes(floor.from), fromPrefixes(fleet.lifeline.from)]);
  const lifelinePorts = portsFromRanges([...floor.ports, ...fleet.lifeline.ports].map(closedRange));
  return [
    ingress("builtin/lifeline", addressPeers(from), lifelinePorts),
    ...neighbours(),
    ...(icmpErrors ? [ingress("builtin/icmpErrors", "any", ICMP_ERRORS), egress("builtin/icmpErrors", "any", ICMP_ERRORS)] : []),
    ...(dhcp ? dhcpClient() : []),
    ...(dns ? [egress("builtin/dns", addressPeers(subtract(fromAddressTexts(resolvers).set, LOOPBACK)), DNS)] : []),
    ...(ntp
      ? [egress("builtin/ntp", addressPeers(subtract(fromAddressTexts(timeServers).set, LOOPBACK)), portRange("udp", 123))]
      : []),
    ...(fleet.transport.kind === "local" ? ownPaths : []).map(({ addresses, ports }) =>
      egress("builtin/firebreak", addressPeers(addresses), portsFromRanges(ports.map(closedRange))),
    ),
  ];
}

/** Types 3, 11 and 12; ICMPv6 1 to 4. */
const ICMP_ERRORS = portsFromRanges([
  ...[3, 11, 12].map((type) => ({ protocol: "icmp" as const, first: type * 256, last: type * 256 + 255 })),
  { protocol: "icmpv6", first: 256, last: 4 * 256 + 255 },
]);

/** As a client; whoever asks may choose the port it asks from, so that says nothing. */
function dhcpClient(): readonly Essential[] {
  return [
    ingress("builtin/dhcp", addressPeers(IPV4), portRange("udp", 68)),
    ingress("builtin/dhcp", addressPeers(LINK_LOCAL), portRange("udp", 546)),
    egress("builtin/dhcp", addressPeers(IPV4), portRange("udp", 67)),
    egress("builtin/dhcp", addressPeers(NEAR), portRange("udp", 547)),
  ];
}

/** RFC 4861 and RFC 3810, as far as RFC 4890 §4.4.1 says that they must not be dropped. */
function neighbours(): readonly Essential[] {
  const types = (...list: readonly number[]): PortSet =>
    portsFromRanges(list.map((type) => ({ protocol: "icmpv6", first: type * 256, last: type * 256 + 255 })));
  return [
    ingress("builtin/neighbours", addressPeers(IPV6), types(130, 134, 135, 136)),
    egress("builtin/neighbours", addressPeers(IPV6), types(131, 132, 133, 135, 136, 143)),
  ];
}

function ingress(origin: string, peers: Essential["peers"], ports: PortSet): Essential {
  return { origin, direction: "ingress", subjects: undefined, peers, ports, named: [], isNeeded: false };
}

function egress(origin: string, peers: Essential["peers"], ports: PortSet): Essential {
  return { ...ingress(origin, peers, ports), direction: "egress" };
}

function addressPeers(addresses: AddressSet): Essential["peers"] {
  return { members: undefined, addresses };
}

function closedRange({ protocol, from, to }: PortRange) {
  return { protocol, first: from, last: to };
}

function portsOf(a: "tcp" | "udp", b: "tcp" | "udp", port: number): PortSet {
  return unionPorts(portRange(a, port), portRange(b, port));
}

function constantSet(...texts: readonly string[]): AddressSet {
  return fromPrefixes(
    texts.flatMap((text) => {
      const parsed = parsePrefix(text);
      return "ok" in parsed ? [parsed.ok] : [];
    }),
  );
}
