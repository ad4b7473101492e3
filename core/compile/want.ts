import type { AddressSet } from "../address/index.ts";
import type { Direction, IcmpMessages, IsolationMode, Lifeline, NamedPort, PortRange, TargetId } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { LabelSelector } from "../selector/index.ts";

/** Why something is allowed: a rule's id (`order-flow/0`) or an essential (`builtin/dns`). */
export type Origin = string;

/** Ports as a NetworkPolicy can say them: numbers, and names that each responding pod resolves; no ICMP. Never an empty list. */
export type ClusterPorts = "any" | readonly (PortRange | NamedPort)[];

/** Ports as a host's kernel can say them: numbers and ICMP messages; no names. Never an empty list. */
export type HostPorts = "any" | readonly (PortRange | IcmpMessages)[];

/** Who is at the other end, as a cluster can say it. */
export type Peer =
  | { readonly kind: "pods"; readonly pods: LabelSelector; readonly namespaces: LabelSelector }
  | { readonly kind: "addresses"; readonly addresses: AddressSet };

/**
 * One thing allowed. `peers: "any"` comes only from the built-in segment `any` (or an essential that says so); a peer list
 * is never empty: a rule without peers is dropped by the compiler, so that an empty match never becomes "anyone".
 */
export interface ClusterAllow {
  readonly origin: Origin;
  readonly peers: "any" | readonly Peer[];
  readonly ports: ClusterPorts;
}

/**
 * One NetworkPolicy to be: the pods of `namespace` that `subject` selects are isolated in `direction`, except for `allows`.
 *
 * It never selects more than what an enforced segment isolates anyway (docs/design/contracts.md "Isolation").
 */
export interface ClusterObject {
  readonly namespace: string;
  /** Deterministic, RFC 1123, at most 253 characters, the same for the same meaning of subject and direction. */
  readonly name: string;
  readonly direction: Direction;
  readonly subject: LabelSelector;
  /** The enforced segment that this object isolates. */
  readonly segment: string;
  readonly allows: readonly ClusterAllow[];
}

/** What one cluster shall enforce. Objects sorted by namespace, then name. */
export interface ClusterWant {
  readonly kind: "cluster";
  readonly target: TargetId;
  /** Namespaces that we govern now, sorted; policy objects elsewhere are none of our business. */
  readonly governed: readonly string[];
  readonly objects: readonly ClusterObject[];
  /**
   * Governed namespaces that are not isolated in ingress although segments ask for it, sorted: the API server must be able to call
   * what is there, and the Workspace opens no way for it. What is isolated there already is held, never released. Absent: none.
   */
  readonly spared?: readonly string[];
  /** Where a rule with `same` has more cells than are rendered: it allows nothing in the others. Absent: nowhere. */
  readonly cut?: readonly CutCells[];
}

/** The cells that a rule was rendered for, of more. */
export interface CutCells {
  /** Label keys, sorted. */
  readonly keys: readonly string[];
  /** As `cellText` of the keys. */
  readonly kept: readonly string[];
}

/** One thing allowed on a host; `peers` is never an empty set. */
export interface HostAllow {
  readonly origin: Origin;
  readonly peers: "any" | AddressSet;
  readonly ports: HostPorts;
}

/** One direction of a host. `off` renders no chain, `observe` logs and counts what enforce would drop. */
export interface HostChain {
  readonly mode: IsolationMode;
  readonly allows: readonly HostAllow[];
}

/** What one host shall enforce. */
export interface HostWant {
  readonly kind: "host";
  readonly target: TargetId;
  readonly ingress: HostChain;
  readonly egress: HostChain;
  /** The floor of firebreak.yaml plus what the fleet adds; opened before everything else, in every mode. Never empty for ssh. */
  readonly lifeline: Lifeline;
  /** Essentials of the renderer that the Workspace switches off, in the order of {@link HOST_ESSENTIALS}. Absent: none. */
  readonly closed?: readonly HostEssential[];
}

/** Essentials that a host's renderer opens by itself. */
export const HOST_ESSENTIALS = ["dhcp", "icmpErrors"] as const;
export type HostEssential = (typeof HOST_ESSENTIALS)[number];

export type Want = ClusterWant | HostWant;

/** A compilation: what to enforce, and what its author should know. */
export interface Compiled<W extends Want> {
  readonly want: W;
  /** Warnings and info: "selects 0 now", "unenforceable here", "no effect yet", "widened here". */
  readonly notes: readonly Note[];
}
