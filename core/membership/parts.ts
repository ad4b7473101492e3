import type { Definitions, Segment, TargetId } from "../model/kinds.ts";
import { listTargets, type Target } from "../model/target.ts";
import { canHold } from "./consumers.ts";
import { membershipDigest } from "./digest.ts";
import { boundaryKey, type Membership, type Memberships } from "./membership.ts";
import { choosesCluster, decidingMembers } from "./resolve.ts";

/** How many segments and rules have a part in a target: its workloads may be in the segment, or at an end of the rule. */
export function countParts(definitions: Definitions, target: Target): { readonly segments: number; readonly rules: number } {
  const held = heldSegments(definitions, target);
  const isHeld = (name: string): boolean => name === "any" || held.has(name);
  const rules = [...definitions.policies.values()].flatMap((policy) => policy.rules);
  return { segments: held.size, rules: rules.filter((rule) => [...rule.from, ...rule.to].some(isHeld)).length };
}

/** Segments that are at the other end of a rule from one that this target may hold; sorted by name. */
export function peerSegments(definitions: Definitions, target: Target): readonly string[] {
  const held = heldSegments(definitions, target);
  const isHeld = (name: string): boolean => name === "any" || held.has(name);
  const peers = new Set<string>();
  for (const policy of definitions.policies.values()) {
    for (const rule of policy.rules) {
      if (rule.to.some(isHeld)) for (const name of rule.from) peers.add(name);
      if (rule.from.some(isHeld)) for (const name of rule.to) peers.add(name);
    }
  }
  return [...peers].filter((name) => definitions.segments.has(name)).sort();
}

/**
 * Clusters whose pods, endpoints or boundary may be peers of this target: the feeders of its address sets. Sorted by id. A cluster
 * feeds itself where its own boundary is asked for; its own pods it knows by their labels.
 */
export function feedersOf(definitions: Definitions, target: Target): readonly TargetId[] {
  const peers = peerSegments(definitions, target).flatMap((name) => definitions.segments.get(name) ?? []);
  return listTargets(definitions)
    .filter((other) => other.kind === "cluster" && peers.some((segment) => feeds(definitions, segment, other, target)))
    .map(({ id }) => id);
}

/**
 * The part of all memberships that a target's rendering rests on: those of its feeders, and of its own only the boundary. Stored beside
 * the pointer, so that the same expectation can be rendered again.
 */
export function relevantMemberships(definitions: Definitions, target: Target, memberships: Memberships): Memberships {
  const feeders = new Set(feedersOf(definitions, target));
  return new Map(
    [...memberships].flatMap(([feeder, membership]) => {
      if (!feeders.has(feeder)) return [];
      return [[feeder, feeder === target.id ? boundaryOnly(membership) : membership] as const];
    }),
  );
}

function feeds(definitions: Definitions, segment: Segment, other: Extract<Target, { kind: "cluster" }>, target: Target): boolean {
  const isOwn = other.id === target.id;
  return decidingMembers(definitions, segment).some((member) => {
    if (member.kind === "boundary") return choosesCluster(member.clusters, other.cluster);
    if (member.kind !== "pods" && member.kind !== "service") return false;
    return !isOwn && choosesCluster(member.clusters, other.cluster);
  });
}

/** What a cluster's own rendering takes from its membership: its pods it knows by their labels. */
export function boundaryOnly(membership: Membership): Membership {
  const sides = (["egress", "ingress"] as const).map(boundaryKey);
  const segments = new Map([...membership.segments].filter(([key]) => sides.includes(key)));
  return { ...membership, segments, digest: membershipDigest(segments) };
}

function heldSegments(definitions: Definitions, target: Target): ReadonlySet<string> {
  return new Set(
    [...definitions.segments.values()].filter((segment) => canHold(definitions, segment, target)).map(({ name }) => name),
  );
}
