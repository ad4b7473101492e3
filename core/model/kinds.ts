import type { AddressSet, Prefix } from "../address/index.ts";
import type { LabelSelector, Labels } from "../selector/index.ts";
import type { Position } from "./note.ts";

/** Firebreak's API version; every definition carries it. */
export const API_VERSION = "firebreak.dev/v1alpha1";

export type Direction = "ingress" | "egress";
/** Protocols that have ports. */
export type Protocol = "tcp" | "udp" | "sctp";

/** off: no part in it · observe: rendered nowhere in a cluster, remembered and logged on a host · enforce: default deny plus allows. */
export type IsolationMode = "off" | "observe" | "enforce";

/** plan: observed, planned and shown, never written · apply: written. */
export type TargetMode = "plan" | "apply";

/** `cluster/NAME` or `host/FLEET/NAME`. */
export type TargetId = string;

/** Ports by number: the port that the responder's process listens on, after DNAT; both ends inclusive. */
export interface PortRange {
  readonly kind: "range";
  readonly protocol: Protocol;
  readonly from: number;
  readonly to: number;
}

/** A port by the name that each responding pod gives it; a workload without that name has none. */
export interface NamedPort {
  readonly kind: "named";
  readonly protocol: Protocol;
  readonly name: string;
}

/** ICMP messages: all of the protocol, one type, or one code of a type. A NetworkPolicy cannot say them. */
export interface IcmpMessages {
  readonly kind: "icmp";
  readonly protocol: "icmp" | "icmpv6";
  readonly type: number | undefined;
  readonly code: number | undefined;
}

export type RulePort = PortRange | NamedPort | IcmpMessages;

/** What a rule allows: `any` is every protocol, a list is just these. Never empty. */
export type Ports = "any" | readonly RulePort[];

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
  /** What belongs to its edge besides what controllers and nodes say themselves. */
  readonly boundaries: { readonly ingress: IngressBoundary };
  /** Where its DNS is. */
  readonly dns: ClusterDns;
}

/** What outside traffic may come from when it reaches pods, in words that no tenant can say. */
export interface IngressBoundary {
  readonly addresses: readonly Prefix[];
  /** Pods of ingress controllers. */
  readonly controllers: readonly { readonly namespace: string; readonly pods: LabelSelector }[];
}

export interface ClusterDns {
  /** The Service of its DNS; undefined: the one that the platform brings. */
  readonly service: { readonly namespace: string; readonly name: string } | undefined;
  /** Ports that its pods listen on; empty: what the Service says, as far as that is 53 or 5353. */
  readonly ports: readonly PortRange[];
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
  | {
      readonly kind: "service";
      /** The pods behind this Service: its selector's, or those (and the addresses) that its EndpointSlices name. */
      readonly service: { readonly namespace: string; readonly name: string };
      readonly clusters: LabelSelector | undefined;
      readonly at: Position;
    }
  | { readonly kind: "externals"; readonly externals: LabelSelector; readonly at: Position }
  | {
      readonly kind: "boundary";
      /** ingress: where outside traffic comes from when it reaches pods · egress: what its pods show outside. Peers only. */
      readonly side: Direction;
      readonly clusters: LabelSelector | undefined;
      readonly at: Position;
    }
  | { readonly kind: "addresses"; readonly addresses: AddressSet; readonly at: Position }
  /** The members of other segments; the parser has refused cycles. */
  | { readonly kind: "segments"; readonly segments: readonly string[]; readonly at: Position };

/** What a workload can need opened besides rules. */
export type Need = "apiserver";

export interface Segment extends Definition {
  readonly kind: "Segment";
  readonly members: readonly Member[];
  /** Who is left out, whatever member chose them: like for like, so labels leave out pods and hosts, addresses leave out addresses. */
  readonly not: readonly Member[];
  readonly needs: readonly Need[];
  /** True: an identity that enters is a finding. */
  readonly sealed: boolean;
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
  /** Labels on which initiator and responder must agree; a missing label equals nothing. Empty: no such condition. */
  readonly same: readonly string[];
  readonly at: Position;
}

/** What the author of a policy claims of the whole set of policies. */
export interface PolicyTest {
  /** A segment, a built-in, a host `FLEET/NAME`, or an address. */
  readonly from: string;
  readonly to: string;
  readonly port: RulePort;
  readonly expect: "allowed" | "denied";
  readonly at: Position;
}

export interface Policy extends Definition {
  readonly kind: "Policy";
  readonly owner: string | undefined;
  readonly reason: string | undefined;
  readonly ticket: string | undefined;
  /** From this moment (ms since the epoch) its rules are closed. */
  readonly expires: number | undefined;
  readonly rules: readonly Rule[];
  readonly tests: readonly PolicyTest[];
}

/** One claim of a guardrail about who may reach whom. */
export interface GuardrailRule {
  /** `GUARDRAIL/never/INDEX` or `GUARDRAIL/always/INDEX`, from 0. */
  readonly id: string;
  readonly kind: "never" | "always";
  /** Segment names or built-ins (`workloads` too); never empty. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ports: Ports;
  readonly same: readonly string[];
  /** direct: one connection · transitive (`reaches: [...]` instead of `to`): also through intermediate workloads; `ports` are those of the last hop. */
  readonly path: "direct" | "transitive";
  readonly at: Position;
}

/** An invariant over all policies. */
export interface Guardrail extends Definition {
  readonly kind: "Guardrail";
  readonly severity: "block" | "warn";
  readonly owner: string | undefined;
  readonly reason: string | undefined;
  readonly ticket?: string | undefined;
  readonly rules: readonly GuardrailRule[];
}

/** What is open without a rule, unless the Workspace closes it. */
export const ESSENTIAL_NAMES = ["dns", "probes", "dhcp", "ntp", "icmpErrors", "apiserver", "webhooks"] as const;
export type EssentialName = (typeof ESSENTIAL_NAMES)[number];

/** What a group of incidents is made by: one cause over many targets, one target, one kind of finding, or one owner. */
export type GroupLabel = "cause" | "target" | "kind" | "team";

/** Hours in which only critical incidents are told; minutes since midnight in `zone`, `from` may be later than `to`. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
  /** IANA name. */
  readonly zone: string;
  /** Days on which they begin, 0 = Sunday; empty: every day. */
  readonly days: readonly number[];
}

/** Who is told what, and how often (timing as Alertmanager's `group_wait`, `group_interval`, `repeat_interval`), in ms. */
export interface Route {
  readonly match: {
    /** Severities told; empty: all. */
    readonly severities: readonly ("critical" | "high" | "medium" | "low" | "info")[];
    /** Owners of the policies concerned; empty: all. */
    readonly teams: readonly string[];
    readonly targets: LabelSelector | undefined;
  };
  /** Names in firebreak.yaml; empty: every channel there is. */
  readonly channels: readonly string[];
  readonly groupBy: readonly GroupLabel[];
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly quiet: readonly QuietHours[];
  /** True: routes below are tried too. */
  readonly continues: boolean;
}

/**
 * heal: put back what Git says · alert, issue: tell · propose: a pull request that would make Git say what is live · hold: leave what
 * widens as it is, until somebody decides.
 */
export type DriftResponse = "heal" | "alert" | "issue" | "propose" | "hold";

/** What a pull request needs before its merge comes into force. */
export interface ApprovalRule {
  /** People with write access who approved exactly its head; 0: none are asked for. */
  readonly required: number;
  /** Whoever opened it, or made one of its commits, does not count. */
  readonly distinctFromAuthor: boolean;
}

/** The same of the whole Workspace. */
export interface ApprovalRules extends ApprovalRule {
  /** Instead of `required` for a change of how changes are judged; never fewer. */
  readonly forRules: number;
}

export interface Workspace {
  readonly kind: "Workspace";
  readonly internal: readonly Prefix[];
  /** `probes` is always true: no NetworkPolicy can close a pod to its own node. */
  readonly essentials: Readonly<Record<EssentialName, boolean>>;
  readonly limits: { readonly unisolate: number };
  readonly approvals: ApprovalRules;
  /** Fields that every policy must have. */
  readonly require: readonly ("owner" | "reason" | "ticket" | "expires")[];
  readonly drift: {
    readonly default: readonly DriftResponse[];
    readonly overrides: readonly { readonly targets: LabelSelector; readonly respond: readonly DriftResponse[] }[];
  };
  /** The first that matches counts; empty: every channel is told everything. */
  readonly routes: readonly Route[];
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
  readonly guardrails: ReadonlyMap<string, Guardrail>;
  /** What `.gitattributes` among the definitions say, by path: they decide what people see of a file, never what is read. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly workspace: Workspace;
}
