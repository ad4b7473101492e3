import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import type { TargetId } from "../model/kinds.ts";
import { tableDigest } from "../render/nft-canonical.ts";
import type { Mark } from "../render/mark.ts";
import { readTable } from "../render/nft-table.ts";

/** A live NetworkPolicy with who last wrote it, taken from managedFields before they are trimmed away. */
export interface LivePolicy {
  readonly object: NetworkPolicy;
  /** `manager` of the newest managedFields entry that is not for a status, e.g. `kubectl-edit`. */
  readonly manager: string | undefined;
  /** When that manager wrote, ISO, as the API server says. */
  readonly managedAt: string | undefined;
}

/** How much of a target was seen. Nothing is pruned, shrunk or closed on anything but `complete`. */
export type Completeness = "complete" | "partial" | "failed";

/** Every NetworkPolicy of a cluster, all namespaces, ours or not. */
export interface ClusterObservation {
  readonly kind: "cluster";
  readonly target: TargetId;
  readonly completeness: Completeness;
  /** UID of namespace kube-system. */
  readonly uid: string;
  readonly policies: readonly LivePolicy[];
  /** ms since the epoch */
  readonly at: number;
}

/** What a host would enforce after a reboot, before anybody looks. */
export interface KeptForStart {
  /** Whether the operator wants it kept. */
  readonly wanted: boolean;
  /** Who starts things there; `none`: nobody that we know, and nothing is kept. */
  readonly start: "systemd" | "openrc" | "none";
  /** True when what loads the file is there, as we wrote it, and enabled. */
  readonly isInstalled: boolean;
  /** SHA-256 of the file, hex; undefined when there is none. */
  readonly ruleset: string | undefined;
}

/** What tells one state of our table from another. */
export interface TableFacts {
  /** Of its structure, without elements of address sets, generation and hits; hex. Null: the table is not there. */
  readonly digest: string | null;
  readonly mark: Mark | undefined;
  readonly generation: number | undefined;
}

/** The facts about our table in a listing. */
export function tableFacts(ruleset: readonly unknown[]): TableFacts {
  const table = readTable(ruleset);
  return { digest: table === undefined ? null : tableDigest(table), mark: table?.mark, generation: table?.generation };
}

/** What a host enforces, as read in one go. */
export interface HostObservation {
  readonly kind: "host";
  readonly target: TargetId;
  readonly completeness: Completeness;
  /** `ssh-ed25519 AAAA…`, the key the host proved; the host's own identity. Empty for the local transport: then machine-id. */
  readonly identity: string;
  /** The `nftables` array of `nft -s -j list ruleset`: every table, ours or not. */
  readonly ruleset: readonly unknown[];
  /** Of our table in it, from whoever read the listing; a host may make that much work. Absent: see `tableFacts`. */
  readonly ours?: TableFacts;
  /** Tables of iptables-legacy that are in use (/proc/net/ip_tables_names, ip6_). */
  readonly legacyTables: readonly string[];
  /** Addresses found on the host, loopback and link-local left out. */
  readonly addresses: readonly string[];
  /** Name servers of resolv.conf. */
  readonly resolvers: readonly string[];
  /** Time servers of its configuration, addresses or names. Absent: nobody looked. */
  readonly timeServers?: readonly string[];
  /** Generations that a dead-man timer of an earlier apply still waits for: it restores what was there before when it finds one. */
  readonly armed?: readonly number[];
  /** What says that the host is a node of a Kubernetes cluster: a folder or a process of the kubelet. Absent: an older read-back does not tell. */
  readonly node?: readonly string[] | undefined;
  /** Absent: a host with an older read-back does not tell. */
  readonly kept?: KeptForStart | undefined;
  readonly at: number;
}

/** What of an observed host its rendering rests on. */
export function hostFacts({ resolvers, timeServers = [] }: HostObservation) {
  return { resolvers, timeServers };
}

export type Observation = ClusterObservation | HostObservation;
