/** How an enforcer reads the NetworkPolicy API where readings differ ("Profile" in the facts about NetworkPolicy semantics). */
export interface Profile {
  readonly name: string;
  /** Does an ipBlock that covers a pod's address match that pod? */
  readonly ipBlockMatchesPods: boolean;
  /** Does an ipBlock that covers a node's address match the node and its hostNetwork pods? */
  readonly ipBlockMatchesNodes: boolean;
  /** Pods on the host network as peers: `node`: only by address; `namespace`: also by a namespaceSelector with an empty podSelector. */
  readonly hostNetworkPeers: "node" | "namespace";
  /** Source address of traffic from outside at the pod: `kept`, or `rewritten` to a node's in ways the API leaves undefined. */
  readonly outsideSource: "kept" | "rewritten";
}

/** kube-network-policies' reading, which is also Calico's and that of the Kubernetes end-to-end tests. The default. */
export const KUBE_NETWORK_POLICIES: Profile = {
  name: "kube-network-policies",
  ipBlockMatchesPods: true,
  ipBlockMatchesNodes: true,
  hostNetworkPeers: "node",
  outsideSource: "kept",
};

/** Profiles by enforcer name. */
export const PROFILES = {
  "kube-network-policies": KUBE_NETWORK_POLICIES,
  calico: { ...KUBE_NETWORK_POLICIES, name: "calico" },
  antrea: { ...KUBE_NETWORK_POLICIES, name: "antrea" },
  cilium: { ...KUBE_NETWORK_POLICIES, name: "cilium", ipBlockMatchesPods: false, ipBlockMatchesNodes: false },
  "ovn-kubernetes": { ...KUBE_NETWORK_POLICIES, name: "ovn-kubernetes", hostNetworkPeers: "namespace" },
} as const satisfies Record<string, Profile>;

/** The profile of an enforcer, or the default for one without its own. */
export function profileOf(enforcer: string): Profile {
  return Object.hasOwn(PROFILES, enforcer) ? PROFILES[enforcer as keyof typeof PROFILES] : KUBE_NETWORK_POLICIES;
}
