import type { AddressSet } from "../address/index.ts";
import type { Protocol } from "../address/ports.ts";
import type { Workload } from "../estate/estate.ts";
import type { Direction } from "../model/kinds.ts";
import type { End, Party, Reason, Source } from "../reach/source.ts";
import type { PolicyObject } from "../verdict/world.ts";

/** What was rendered for one target: NetworkPolicy objects, or the `nftables` array of a host's table. */
export type RenderedTarget =
  | { readonly kind: "cluster"; readonly policies: readonly PolicyObject[] }
  | { readonly kind: "host"; readonly ruleset: readonly unknown[] };

/** What was seen of a target; an observation as plans are made from is one. Anything but `complete` makes answers uncertain. */
export type LiveTarget =
  | {
      readonly kind: "cluster";
      readonly completeness: "complete" | "partial" | "failed";
      /** Every NetworkPolicy, ours or not. */
      readonly policies: readonly { readonly object: PolicyObject }[];
      /** Cluster-wide policies (AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy). Absent: none were looked for. */
      readonly tierPolicies?: readonly PolicyObject[];
    }
  | {
      readonly kind: "host";
      readonly completeness: "complete" | "partial" | "failed";
      /** The `nftables` array of the whole ruleset. */
      readonly ruleset: readonly unknown[];
      readonly legacyTables: readonly string[];
      /** Addresses found on the host. */
      readonly addresses: readonly string[];
    };

/** The ends of one target's workloads. */
export interface TargetEnds {
  /** What it tells apart among addresses. */
  readonly borders: readonly AddressSet[];
  /** What it can see of a workload of its own, addresses aside where no border divides them. */
  readonly ownKey: (workload: Workload) => string;
  readonly endKey: (direction: Direction, workload: Workload) => string;
  readonly end: (direction: Direction, subject: Workload, peer: Party) => End;
  /** See `Source.namedAt`. Absent: ask about each. */
  readonly namedAt?: NonNullable<Source["namedAt"]>;
  readonly explain: (direction: Direction, subject: Workload, peer: Party, protocol: Protocol, port: number) => Reason;
  /** What is there and is not understood; each a sentence. Answers are then at best an upper bound. */
  readonly doubts: readonly string[];
}
