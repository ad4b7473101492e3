import type { LabelSelector } from "../selector/index.ts";

/** networking.k8s.io/v1 NetworkPolicy as raw JSON (never a typed client model: docs/design/contracts.md "Clusters"). */
export interface NetworkPolicy {
  readonly apiVersion: "networking.k8s.io/v1";
  readonly kind: "NetworkPolicy";
  readonly metadata: ObjectMeta;
  readonly spec: NetworkPolicySpec;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
}

export interface NetworkPolicySpec {
  readonly podSelector?: LabelSelector;
  readonly policyTypes?: readonly ("Ingress" | "Egress")[];
  readonly ingress?: readonly NetworkPolicyRule<"from">[];
  readonly egress?: readonly NetworkPolicyRule<"to">[];
}

export type NetworkPolicyRule<End extends "from" | "to"> = {
  readonly [K in End]?: readonly NetworkPolicyPeer[];
} & { readonly ports?: readonly NetworkPolicyPort[] };

export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPolicyPort {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}
