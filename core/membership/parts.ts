import type { Definitions, TargetId } from "../model/kinds.ts";
import { listTargets, type Target } from "../model/target.ts";
import type { Memberships } from "./membership.ts";
import { canHold } from "./consumers.ts";

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

/** Other clusters whose pods may be peers of this target: the feeders of its address sets. Sorted by id. */
export function feedersOf(definitions: Definitions, target: Target): readonly TargetId[] {
  const peers = peerSegments(definitions, target).flatMap((name) => definitions.segments.get(name) ?? []);
  return listTargets(definitions)
    .filter((other) => other.kind === "cluster" && other.id !== target.id && peers.some((segment) => canHold(segment, other)))
    .map(({ id }) => id);
}

/**
 * The part of all memberships that a target's rendering rests on: those of its feeders. Stored beside the
 * pointer, so that the same expectation can be rendered again.
 */
export function relevantMemberships(definitions: Definitions, target: Target, memberships: Memberships): Memberships {
  const feeders = new Set(feedersOf(definitions, target));
  return new Map([...memberships].filter(([feeder]) => feeders.has(feeder)));
}

function heldSegments(definitions: Definitions, target: Target): ReadonlySet<string> {
  return new Set([...definitions.segments.values()].filter((segment) => canHold(segment, target)).map(({ name }) => name));
}
