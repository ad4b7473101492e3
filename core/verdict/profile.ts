import { noPorts, portsFromRanges } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";

/** How an enforcer reads the NetworkPolicy API where readings differ ("Profile" in the facts about NetworkPolicy semantics). */
export interface Profile {
  readonly name: string;
  /** Does an ipBlock that covers a pod's address match that pod? */
  readonly ipBlockMatchesPods: boolean;
  /** Does an ipBlock that covers a node's address match the node and its hostNetwork pods? */
  readonly ipBlockMatchesNodes: boolean;
  /** Pods on the host network as peers: `node`: only by address; `namespace`: also by a namespaceSelector with an empty podSelector. */
  readonly hostNetworkPeers: "node" | "namespace";
  /**
   * Source address of traffic from outside at the pod: `kept`, or `rewritten` to a node's in ways the API leaves undefined. `kept` is
   * for traffic to the pod's own address; through a Service it is never certain (see `service.ts`).
   */
  readonly outsideSource: "kept" | "rewritten";
  /**
   * A pod that reaches itself through a Service: `open`: no policy is asked; `ingress-open`: only its egress is; `undefined`: it may
   * appear under another address, and what policies say of that is not defined.
   */
  readonly selfThroughService: "open" | "ingress-open" | "undefined";
  /** ICMP at an isolated pod: `by-rule`: like any protocol without ports, so only rules without `ports` let it in; or undefined. */
  readonly icmp: "by-rule" | "undefined";
  /** Ports of hosts that stay open whatever policies for host endpoints say. Never ports of pods. */
  readonly hostFailsafe: PortSet;
}

/** kube-network-policies' reading, which is also Calico's and that of the Kubernetes end-to-end tests. The default. */
export const KUBE_NETWORK_POLICIES: Profile = {
  name: "kube-network-policies",
  ipBlockMatchesPods: true,
  ipBlockMatchesNodes: true,
  hostNetworkPeers: "node",
  outsideSource: "kept",
  selfThroughService: "undefined",
  icmp: "undefined",
  hostFailsafe: noPorts,
};

/** Calico's `failsafeInboundHostPorts`, as they are unless an operator changes them. */
const CALICO_FAILSAFE = portsFromRanges([
  ...[22, 179, 2379, 2380, 5473, 6443, 6666, 6667].map((port) => ({ protocol: "tcp" as const, first: port, last: port })),
  { protocol: "udp", first: 68, last: 68 },
]);

/** Profiles by enforcer name. */
export const PROFILES = {
  "kube-network-policies": KUBE_NETWORK_POLICIES,
  calico: { ...KUBE_NETWORK_POLICIES, name: "calico", icmp: "by-rule", hostFailsafe: CALICO_FAILSAFE },
  antrea: { ...KUBE_NETWORK_POLICIES, name: "antrea", icmp: "by-rule", selfThroughService: "ingress-open" },
  cilium: {
    ...KUBE_NETWORK_POLICIES,
    name: "cilium",
    ipBlockMatchesPods: false,
    ipBlockMatchesNodes: false,
    icmp: "by-rule",
    selfThroughService: "open",
  },
  "ovn-kubernetes": { ...KUBE_NETWORK_POLICIES, name: "ovn-kubernetes", hostNetworkPeers: "namespace", icmp: "by-rule" },
} as const satisfies Record<string, Profile>;

/** The profile of an enforcer, or the default for one without its own. */
export function profileOf(enforcer: string): Profile {
  return Object.hasOwn(PROFILES, enforcer) ? PROFILES[enforcer as keyof typeof PROFILES] : KUBE_NETWORK_POLICIES;
}
