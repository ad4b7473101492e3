import type { AddressSet, Prefix } from "../address/index.ts";
import type { LabelSelector, Labels } from "../selector/index.ts";
import type { Position } from "./note.ts";

/** Firebreak's API version; every definition carries it. */
export const API_VERSION = "firebreak.dev/v1alpha1";

export type Direction = "ingress" | "egress";
export type Protocol = "tcp" | "udp";

/** off: no part in it · observe: rendered nowhere in a cluster, logged on a host · enforce: default deny plus allows. */
export type IsolationMode = "off" | "observe" | "enforce";

/** plan: observed, planned and shown, never written · apply: written. */
export type TargetMode = "plan" | "apply";

/** `cluster/NAME` or `host/FLEET/NAME`. */
export type TargetId = string;

/** One port range of a rule: the port that the responder's process listens on, after DNAT; both ends inclusive. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly from: number;
  readonly to: number;
}

/** What a rule allows: `any` is every protocol, a range list is just these. Never empty. */
export type Ports = "any" | readonly PortRange[];

interface Definition {
  readonly name: string;
  readonly labels: Labels;
  /** Where the document begins. */
  readonly at: Position;
}

export type EnforcerSetting = "auto" | "calico" | "cilium" | "antrea" | "ovn-kubernetes" | "kube-network-policies" | "none";

export interface Cluster extends Definition {
  readonly kind: "Cluster";
  readonly mode: TargetMode;
  /** A context of the kubeconfig that the service holds, or the service account of the pod it runs in. */
  readonly connection: { readonly kind: "context"; readonly context: string } | { readonly kind: "inCluster" };
  readonly enforcer: EnforcerSetting;
  /** routed: pod addresses are seen outside; masqueraded: only node addresses are. */
  readonly podNetwork: "routed" | "masqueraded";
  readonly podRanges: readonly Prefix[];
  /** Selects the namespaces we write to; ungoverned pods are peers, never subjects. */
  readonly governs: LabelSelector;
  readonly foreign: "report" | "remove";
}

export interface Lifeline {
  readonly from: readonly Prefix[];
  readonly ports: readonly PortRange[];
}

export type Transport = { readonly kind: "ssh"; readonly user: string; readonly port: number } | { readonly kind: "local" };

export interface Host {
  readonly name: string;
  /** All addresses of the host; those in Git are the truth. */
  readonly addresses: readonly string[];
  /** The fleet's labels overlaid by the host's own. */
  readonly labels: Labels;
  readonly at: Position;
}

export interface HostFleet extends Definition {
  readonly kind: "HostFleet";
  readonly mode: TargetMode;
  readonly transport: Transport;
  readonly lifeline: Lifeline;
  readonly hosts: readonly Host[];
}

export interface External extends Definition {
  readonly kind: "External";
  /** `addresses` without `except`. Never empty. */
  readonly addresses: AddressSet;
}

/** One way to be in a segment; inside one, all conditions hold. Absent clusters or fleets: every one, also future ones. */
export type Member =
  | {
      readonly kind: "pods";
      readonly pods: LabelSelector;
      readonly namespaces: LabelSelector;
      readonly clusters: LabelSelector | undefined;
      readonly at: Position;
    }
  | { readonly kind: "hosts"; readonly hosts: LabelSelector; readonly fleets: LabelSelector | undefined; readonly at: Position }
  | { readonly kind: "externals"; readonly externals: LabelSelector; readonly at: Position }
  | { readonly kind: "addresses"; readonly addresses: AddressSet; readonly at: Position };

export interface Segment extends Definition {
  readonly kind: "Segment";
  readonly members: readonly Member[];
  readonly isolate: { readonly ingress: IsolationMode; readonly egress: IsolationMode };
}

/** `any` (every address and workload) and `internet`; reserved names, no definition. */
export const BUILT_IN_SEGMENTS = ["any", "internet", "workloads"] as const;

export interface Rule {
  /** `POLICY/INDEX`, index from 0: stable within a revision. */
  readonly id: string;
  readonly policy: string;
  /** Segment names or built-ins; never empty. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ports: Ports;
  readonly at: Position;
}

export interface Policy extends Definition {
  readonly kind: "Policy";
  readonly owner: string | undefined;
  readonly reason: string | undefined;
  readonly ticket: string | undefined;
  readonly rules: readonly Rule[];
}

export type DriftResponse = "heal" | "alert" | "issue";

export interface Workspace {
  readonly kind: "Workspace";
  readonly internal: readonly Prefix[];
  readonly limits: { readonly unisolate: number };
  /** Fields that every policy must have. */
  readonly require: readonly ("owner" | "reason" | "ticket")[];
  readonly drift: {
    readonly default: readonly DriftResponse[];
    readonly overrides: readonly { readonly targets: LabelSelector; readonly respond: readonly DriftResponse[] }[];
  };
  /** Absent when no Workspace document exists and the defaults are in force. */
  readonly at: Position | undefined;
}

/** A whole, checked set of definitions: every reference resolves, every name is unique. Maps are sorted by name. */
export interface Definitions {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly fleets: ReadonlyMap<string, HostFleet>;
  readonly externals: ReadonlyMap<string, External>;
  readonly segments: ReadonlyMap<string, Segment>;
  readonly policies: ReadonlyMap<string, Policy>;
  readonly workspace: Workspace;
}
