import { toCidrBlocks } from "../address/index.ts";
import type { ClusterAllow, ClusterObject, ClusterWant, Peer } from "../compile/want.ts";
import { compareText, sortedTexts } from "../membership/order.ts";
import { FirebreakError } from "../ground/error.ts";
import type { NamedPort, PortRange } from "../model/kinds.ts";
import type { Mark } from "./mark.ts";
import { ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL, markAnnotations, SEGMENT_LABEL } from "./networkpolicy-mark.ts";
import { splitAllows } from "./networkpolicy-split.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "./networkpolicy-types.ts";

export { readMark } from "./networkpolicy-mark.ts";

const MAX_RULES_LISTED = 20;

/**
 * The NetworkPolicies of a cluster, sorted by namespace and name.
 *
 * Each has exactly one direction, `policyTypes` and its rule list always written out (an empty list denies; left out it would
 * depend on defaults). `from` and `to` are there for every rule whose peers are not `any`, `ports` unless they are any. Objects
 * with very many addresses are split into `NAME`, `NAME-b0`, `NAME-b1` … with the same podSelector.
 */
export function renderNetworkPolicies(want: ClusterWant, mark: Mark): readonly NetworkPolicy[] {
  const split = new Map<readonly ClusterAllow[], ReturnType<typeof splitAllows>>(); // allows are shared by a segment's objects
  const policies = want.objects.flatMap((object) => {
    const { base, parts } = split.get(object.allows) ?? splitAllows(object.allows);
    split.set(object.allows, { base, parts });
    return [
      renderObject(object, object.name, base, mark),
      ...parts.flatMap((allows, index) =>
        allows.length === 0 ? [] : [renderObject(object, `${object.name}-b${index}`, allows, mark)],
      ),
    ];
  });
  return policies.sort(
    (a, b) => compareText(a.metadata.namespace, b.metadata.namespace) || compareText(a.metadata.name, b.metadata.name),
  );
}

function renderObject(object: ClusterObject, name: string, allows: readonly ClusterAllow[], mark: Mark): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name,
      namespace: object.namespace,
      labels: { [MANAGED_BY_LABEL]: MANAGED_BY, [SEGMENT_LABEL]: object.segment },
      annotations: { ...markAnnotations(mark), [ANNOTATION.rules]: listOrigins(allows) },
    },
    spec: renderSpec(object, allows),
  };
}

function renderSpec(object: ClusterObject, allows: readonly ClusterAllow[]): NetworkPolicySpec {
  const rules = allows.map(renderRule);
  if (object.direction === "ingress") {
    const ingress = rules.map(({ peers, ports }) => ({ ...(peers === undefined ? {} : { from: peers }), ...ports }));
    return { podSelector: object.subject, policyTypes: ["Ingress"], ingress: distinct(ingress) };
  }
  const egress = rules.map(({ peers, ports }) => ({ ...(peers === undefined ? {} : { to: peers }), ...ports }));
  return { podSelector: object.subject, policyTypes: ["Egress"], egress: distinct(egress) };
}

/** In the order of the allows; two origins that allow the same make one rule. */
function distinct<Rule>(rules: readonly Rule[]): readonly Rule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/** An empty `from`, `to` or `ports` means everyone and everything to Kubernetes, so none may ever leave this function. */
function renderRule(allow: ClusterAllow): {
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
  readonly ports: { readonly ports?: readonly NetworkPolicyPort[] };
} {
  const peers = allow.peers === "any" ? undefined : allow.peers.flatMap(renderPeer);
  if (peers?.length === 0 || allow.ports.length === 0) {
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `render ${allow.origin} without a peer or a port`);
  }
  return { peers, ports: allow.ports === "any" ? {} : { ports: allow.ports.map(renderPort) } };
}

function renderPeer(peer: Peer): readonly NetworkPolicyPeer[] {
  if (peer.kind === "pods") return [{ podSelector: peer.pods, namespaceSelector: peer.namespaces }];
  return toCidrBlocks(peer.addresses).map(({ cidr, except }) => ({ ipBlock: except.length === 0 ? { cidr } : { cidr, except } }));
}

/** Port 0 is no port for Kubernetes, so a range from 0 or 1 to the end is the whole protocol. A name stays one: pods resolve it. */
function renderPort(port: PortRange | NamedPort): NetworkPolicyPort {
  const protocol = port.protocol.toUpperCase();
  if (port.kind === "named") return { protocol, port: port.name };
  const first = Math.max(1, port.from);
  if (first === 1 && port.to >= 65535) return { protocol };
  return first === port.to ? { protocol, port: first } : { protocol, port: first, endPort: port.to };
}

/** The origins for people, bounded: an annotation is no place for a whole policy. */
function listOrigins(allows: readonly ClusterAllow[]): string {
  const origins = sortedTexts(allows.map(({ origin }) => origin));
  const shown = origins.slice(0, MAX_RULES_LISTED).join(" ");
  return origins.length > MAX_RULES_LISTED ? `${shown} and ${origins.length - MAX_RULES_LISTED} more` : shown;
}
