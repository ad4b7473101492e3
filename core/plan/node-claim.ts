import type { HostObservation } from "../observed/observation.ts";

/** Names of chains and tables that only kube-proxy and network plugins of clusters write. */
const CLUSTER_RULES = /^(KUBE-|cali-|CILIUM_|OLD_CILIUM_|FLANNEL-|ANTREA-|WEAVE-|kube-proxy$|kube-router|ovn-kubernetes$)/;

/** What a host's own read-back says to the claim that it is a node of a cluster. */
export interface NodeClaim {
  /** True when it must not be written: it is a node, or that cannot be told. */
  readonly isBelieved: boolean;
  /** What speaks for it, in words; empty where nothing does. */
  readonly evidence: readonly string[];
}

/**
 * Judges the claim of a cluster's node to be this host by what the host itself shows. Node.status is the word of that node's root, who may
 * claim any address; a kubelet's folder or process and the rules of a network plugin are on the host, whose root may flush our rules anyway.
 *
 * On doubt it is believed: a ruleset on a real node may cut its cluster. Doubt is a read-back that does not tell, and a host that never
 * had a table of ours.
 *
 * @param wasApplied our table was there once, by what Firebreak knows
 */
export function judgeNodeClaim({ ruleset, node }: Pick<HostObservation, "ruleset" | "node">, wasApplied: boolean): NodeClaim {
  const evidence = [...(node ?? []), ...clusterRules(ruleset)];
  return { isBelieved: evidence.length > 0 || node === undefined || !wasApplied, evidence };
}

/** The first such name, if there is one. */
function clusterRules(ruleset: readonly unknown[]): readonly string[] {
  for (const object of ruleset) {
    if (typeof object !== "object" || object === null) continue;
    for (const [kind, value] of Object.entries(object)) {
      const name = (value as { readonly name?: unknown } | null)?.name;
      if ((kind === "chain" || kind === "table") && typeof name === "string" && CLUSTER_RULES.test(name))
        return [`${kind} ${name.slice(0, 40)}`];
    }
  }
  return [];
}
