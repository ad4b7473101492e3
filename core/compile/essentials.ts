import { fromAddressTexts } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Platform, Service } from "../membership/inventory.ts";
import { dnsServices, OPENSHIFT_DNS } from "../membership/relevant.ts";
import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import { findService, hasSelector } from "../membership/services.ts";
import type { Cluster, PortRange } from "../model/kinds.ts";
import type { Labels } from "../selector/index.ts";
import { mergeRanges } from "./ports.ts";
import type { Peer } from "./want.ts";

/** What is open without a rule, by name; the same names are the origins in plans, differences and explanations. */
export const ESSENTIALS = [
  {
    name: "builtin/dns",
    cluster:
      "egress 53 tcp and udp to the pods behind kube-system/kube-dns (on OpenShift openshift-dns/dns-default, or what the Cluster says), as far as they listen on 53 or 5353 or on ports that the Cluster names, and to 169.254.20.10; the matching ingress from any where those pods are isolated",
    host: "egress 53 tcp and udp to the resolvers of resolv.conf",
  },
  {
    name: "builtin/probes",
    cluster: "traffic from a pod's own node is always open; nothing is rendered for it",
    host: "not needed",
  },
  {
    name: "builtin/apiserver",
    cluster: "egress to Service default/kubernetes and its endpoints, for segments with needs: [apiserver]",
    host: "not needed",
  },
  {
    name: "builtin/webhooks",
    cluster:
      "ingress from any to the pods behind admission webhooks and APIServices, on the ports they listen on: the API server has no address that a label or a list could tell",
    host: "not needed",
  },
  { name: "builtin/dhcp", cluster: "not needed", host: "udp 67, 68, 546 and 547" },
  {
    name: "builtin/ntp",
    cluster: "not needed",
    host: "egress udp 123 to the time servers that the host's configuration names by address",
  },
  {
    name: "builtin/icmpErrors",
    cluster: "cannot be expressed by a NetworkPolicy; what the enforcer does is its own",
    host: "ICMP types 3, 11 and 12, ICMPv6 types 1 to 4",
  },
  { name: "builtin/lifeline", cluster: "not needed", host: "the lifeline of firebreak.yaml and what the fleet adds to it" },
  {
    name: "builtin/firebreak",
    cluster: "not needed",
    host: "local transport: Firebreak's own paths to API servers, Git and store",
  },
] as const;

/** Where NodeLocal DNSCache answers: no pod, so no selector reaches it (docs/design/networkpolicy.md 18). */
export const NODE_LOCAL_DNS: AddressSet = fromAddressTexts(["169.254.20.10"]).set;

/** 53 over both transports. */
export const DNS_PORTS: readonly PortRange[] = [
  { kind: "range", protocol: "tcp", from: 53, to: 53 },
  { kind: "range", protocol: "udp", from: 53, to: 53 },
];

/** The network time protocol. */
export const NTP_PORTS: readonly PortRange[] = [{ kind: "range", protocol: "udp", from: 123, to: 123 }];

/** Ports that DNS pods listen on; a Service that leads to another one is not followed unless the Cluster names that port. */
const USUAL_PORTS: ReadonlySet<number> = new Set([53, 5353]);

/** The pods that answer DNS for a cluster, and the ports they listen on. */
export interface DnsEndpoint {
  readonly namespace: string;
  readonly pods: Labels;
  /** Empty: none that may be opened. */
  readonly ports: readonly PortRange[];
  /** Target ports of the Service that are not opened, because nobody named them in Git. */
  readonly refused: readonly number[];
}

/** The DNS pods of a cluster: of one Service. Without a selector there are none that a label can name. */
export function findDns(cluster: Cluster, services: readonly Service[], platform: Platform | undefined): DnsEndpoint | undefined {
  const service = dnsServices(cluster, platform)
    .map(({ namespace, name }) => findService(services, namespace, name))
    .find((found) => found !== undefined);
  if (service === undefined || !hasSelector(service)) return undefined;
  const { namespace, selector } = service;
  const named = namespace === OPENSHIFT_DNS.namespace ? 5353 : 53;
  return { namespace, pods: selector, ...dnsPorts(cluster, service, named) };
}

/** The DNS pods as a peer. */
export function dnsPeer(endpoint: DnsEndpoint): Extract<Peer, { kind: "pods" }> {
  return {
    kind: "pods",
    pods: { matchLabels: endpoint.pods },
    namespaces: { matchLabels: { [NAMESPACE_NAME_LABEL]: endpoint.namespace } },
  };
}

/**
 * Policy sees the pod's port, not the Service's (docs/design/networkpolicy.md 11); the Service's 53 tells which of its ports are
 * DNS.
 */
function dnsPorts({ dns }: Cluster, service: Service, namedPort: number): Pick<DnsEndpoint, "ports" | "refused"> {
  if (dns.ports.length > 0) return { ports: dns.ports, refused: [] };
  const told = service.ports
    .filter(({ port }) => port === 53)
    .flatMap(({ protocol, port, targetPort }): readonly PortRange[] => {
      const name = protocol.toLowerCase();
      if (name !== "tcp" && name !== "udp") return [];
      const target = typeof targetPort === "string" ? namedPort : (targetPort ?? port);
      return [{ kind: "range", protocol: name, from: target, to: target }];
    });
  if (told.length === 0) return { ports: DNS_PORTS, refused: [] };
  const refused = told.filter(({ from }) => !USUAL_PORTS.has(from)).map(({ from }) => from);
  return { ports: mergeRanges(told.filter(({ from }) => USUAL_PORTS.has(from))), refused: [...new Set(refused)] };
}
