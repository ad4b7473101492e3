import type { Profile } from "../verdict/profile.ts";
import type { Direction } from "../model/kinds.ts";
import type { Allow } from "./allow.ts";
import type { ClassTable, Hits, WorkloadClass } from "./classes.ts";
import type { PeerPart } from "./parts.ts";

/** A peer: a class of workloads, or what explicit sets and shadows hold some addresses. */
export type Peer =
  | { readonly kind: "workloads"; readonly of: WorkloadClass; readonly isMasqueraded: boolean }
  | { readonly kind: "addresses"; readonly hits: Hits; readonly families: number };

/** How peers are known: by identity (`approved`), or as the enforcer at this end can know them. */
export interface Knowing {
  readonly as: "approved" | "enforceable";
  readonly table: ClassTable;
  /** Of the cluster at this end; undefined for a host. */
  readonly profile: Profile | undefined;
}

/** One end of a connection, asked about one peer. */
export interface Meeting {
  readonly knowing: Knowing;
  readonly direction: Direction;
  readonly subject: WorkloadClass;
  readonly peer: Peer;
  /** True: both are in one cluster, so that labels are known. */
  readonly isLocal: boolean;
}

/** True when the allow names the peer. */
export function names(allow: Allow, meeting: Meeting): boolean {
  const { peers, same } = allow;
  if (peers === "any") return true;
  if (same.some((at) => meeting.subject.values[at] === undefined)) return false;
  return peers.some((part) => isNamed(part, same, meeting));
}

function isNamed(part: PeerPart, same: readonly number[], meeting: Meeting): boolean {
  const { peer, subject } = meeting;
  if (isLabelled(part, same, meeting) || isShadowed(part, same, meeting)) return true;
  if (same.length === 0 && isAt(part, meeting)) return true;
  if (peer.kind === "addresses") return false;
  const { cell } = peer.of;
  if (same.length === 0 && part.local !== undefined && meeting.isLocal && cell.certain.has(part.local.id)) return true;
  return cell.certain.has(part.members.id) && isKnown(meeting) && agree(same, subject, peer.of);
}

/** True when the peer has an address of those with labels, and the labels agree. Pods are pods by identity where that counts. */
function isLabelled({ labelled }: PeerPart, same: readonly number[], meeting: Meeting): boolean {
  const { knowing, subject, peer } = meeting;
  return labelled.some(({ cluster, explicit, values }) => {
    if (!agree(same, subject, { values })) return false;
    if (knowing.as === "approved" && cluster !== undefined) {
      return peer.kind === "workloads" && isHit(peer.of.own, explicit, subject);
    }
    const isOwn = cluster !== undefined && cluster === subject.sample.target;
    return !isOwn && isSeenByAddress(meeting) && isHit(hitsAt(meeting), explicit, subject);
  });
}

/** Identity is known inside a cluster; elsewhere by addresses, which a masqueraded pod does not show, and a Pending one does not have. */
function isKnown({ knowing, peer, isLocal }: Meeting): boolean {
  if (knowing.as === "approved" || isLocal || peer.kind === "addresses") return true;
  const { v4, v6 } = peer.of.sample.addresses;
  return !peer.isMasqueraded && v4.length + v6.length > 0;
}

/** True when one of the addresses under which the peer is seen here is in the part's set. */
function isAt({ explicit }: PeerPart, meeting: Meeting): boolean {
  return explicit !== undefined && isSeenByAddress(meeting) && isHit(hitsAt(meeting), explicit, meeting.subject);
}

/** True when the set holds an address of a family that the subject has, too. */
function isHit(hits: Hits, number: number, { families }: WorkloadClass): boolean {
  return ((hits.get(number) ?? 0) & families) !== 0;
}

/** In their own cluster pods are matched by address only where its enforcer does so. */
function isSeenByAddress({ peer, knowing, isLocal }: Meeting): boolean {
  if (peer.kind === "addresses" || !isLocal || knowing.profile === undefined) return true;
  return peer.of.sample.hostNetwork ? knowing.profile.ipBlockMatchesNodes : knowing.profile.ipBlockMatchesPods;
}

/** Elsewhere, somebody who comes in is seen under what it shows; who is asked, by its own addresses. */
function hitsAt({ peer, direction, isLocal }: Meeting): Hits {
  if (peer.kind === "addresses") return peer.hits;
  return isLocal || direction === "egress" ? peer.of.own : peer.of.shown;
}

/** True when somebody elsewhere whom the part names is known by an address of the peer: nobody can tell them apart. */
function isShadowed(part: PeerPart, same: readonly number[], meeting: Meeting): boolean {
  const { knowing, direction, subject } = meeting;
  if (knowing.as === "approved" || knowing.table.shadows.length === 0 || !isSeenByAddress(meeting)) return false;
  const hits = hitsAt(meeting);
  for (const hit of hits.keys()) {
    const shadow = hit >= 0 || !isHit(hits, hit, subject) ? undefined : knowing.table.shadows[-1 - hit];
    if (shadow === undefined || (shadow.isOfNodes && direction === "egress")) continue;
    if (shadow.cluster !== undefined && shadow.cluster === subject.sample.target) continue;
    if (shadow.cast.some(({ cell, values }) => cell.certain.has(part.members.id) && agree(same, subject, { values }))) return true;
  }
  return false;
}

function agree(same: readonly number[], a: Pick<WorkloadClass, "values">, b: Pick<WorkloadClass, "values">): boolean {
  return same.every((at) => a.values[at] !== undefined && a.values[at] === b.values[at]);
}
