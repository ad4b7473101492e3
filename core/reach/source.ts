import type { AddressSet } from "../address/index.ts";
import type { PortSet, Protocol } from "../address/ports.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { Direction } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";

/** One end of a connection: a workload, or addresses that no source tells apart and no workload of the estate owns. */
export type Party =
  | { readonly kind: "workload"; readonly workload: Workload }
  | { readonly kind: "addresses"; readonly addresses: AddressSet };

/**
 * What stands at one end of a connection: `enforced` isolates it, `observed` would (its `ports` are what enforce would leave, and
 * nothing is closed yet), `open` isolates nothing, `unmanaged` has no enforcer of ours.
 */
export type EndMode = "enforced" | "observed" | "open" | "unmanaged";

/** What one end lets through, asked of one source. */
export interface End {
  readonly mode: EndMode;
  /** Ports that pass this end. For `enforced` and `observed` what the rules say; otherwise all. */
  readonly ports: PortSet;
  /** Why the answer may be otherwise at the enforcer; each a sentence. Empty: settled. */
  readonly uncertain: readonly string[];
}

/** A reason for one answer at one end. */
export interface Reason {
  readonly direction: Direction;
  readonly allowed: boolean;
  readonly mode: EndMode;
  /** A rule id (`order-flow/0`), an essential (`builtin/dns`), a policy object (`NAMESPACE/NAME`), or a chain of a host's table. */
  readonly origins: readonly string[];
  /** Segments that isolate this end, when nothing allows. */
  readonly isolatedBy: readonly string[];
  /** Where the first origin, or the isolating segment, stands in the repository. */
  readonly at: Position | undefined;
  /** One sentence for people. */
  readonly text: string;
}

/**
 * Who may connect to whom as one source says it: `intent` (the definitions), `rendered` (the objects and rulesets made of them) or
 * `live` (what the enforcers have). Pure and lazy: nothing is computed until it is asked for.
 */
export interface Source {
  readonly kind: "intent" | "rendered" | "live";
  readonly estate: Estate;
  /** The address sets it tells apart; cut the address space along all sources' borders before asking about addresses. */
  readonly borders: readonly AddressSet[];
  /** All that it can see of a workload: two with equal keys get the same answers, as subject and as peer. */
  readonly keyOf: (workload: Workload) => string;
  /**
   * All that one end of a workload depends on. Two sources of one kind over the same estate with equal keys give this end the same
   * answers, whoever the peer: the difference of two revisions looks only at ends whose keys differ.
   */
  readonly endKey: (direction: Direction, workload: Workload) => string;
  /** What `subject`'s own end lets through: connections from `peer` for ingress, to `peer` for egress. */
  readonly end: (direction: Direction, subject: Party, peer: Party) => End;
  /** Why that end answers so for one port (a type for ICMP). */
  readonly explain: (direction: Direction, subject: Party, peer: Party, protocol: Protocol, port: number) => Reason;
  /**
   * Positions of those among some peers whom rules can name at that end; all others of one place and with the same address families
   * get one answer. Undefined: ask about each.
   */
  readonly namedAt?: (direction: Direction, subject: Workload, peers: readonly Party[]) => ReadonlySet<number> | undefined;
  /** Names that people know a party by: segments, and `internet`; the same for parties with equal keys. */
  readonly segmentsOf?: (party: Party) => readonly string[];
  /** `keyOf` as numbers, by position in `estate.workloads`: equal numbers, equal keys. Where it is there, dividing is faster. */
  readonly classNumbers?: Int32Array;
}
