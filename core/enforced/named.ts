import type { Workload } from "../estate/estate.ts";
import type { Direction } from "../model/kinds.ts";
import type { Party } from "../reach/source.ts";
import type { CompiledPolicy, CompiledRule } from "../verdict/compiled.ts";
import type { Rows } from "../verdict/rows.ts";

/** What finding takes of a cluster. */
interface Finding {
  readonly rows: Rows;
  readonly classOf: (workload: Workload) => number | undefined;
  /** Classes as which a peer is met. */
  readonly met: (direction: Direction, peer: Party) => readonly number[];
}

type PeersOfClass = ReadonlyMap<number, readonly number[]>;

/** Those among some peers whom the policies of a pod name, rule by rule; see `Source.namedAt`. */
export function namedByPolicies({ rows, classOf, met }: Finding) {
  const byClass = { ingress: new WeakMap<readonly Party[], PeersOfClass>(), egress: new WeakMap<readonly Party[], PeersOfClass>() };
  const byRule = new WeakMap<readonly Party[], Map<CompiledRule, readonly number[]>>();
  const peersOfClass = (direction: Direction, peers: readonly Party[]): PeersOfClass => {
    const known = byClass[direction].get(peers) ?? indexPeers(peers, (peer) => met(direction, peer));
    byClass[direction].set(peers, known);
    return known;
  };
  const namedBy = (
    direction: Direction,
    rule: CompiledRule,
    policy: CompiledPolicy,
    peers: readonly Party[],
  ): readonly number[] => {
    const rules = byRule.get(peers) ?? new Map<CompiledRule, readonly number[]>();
    byRule.set(peers, rules);
    const known = rules.get(rule) ?? inMask(rows.peersOf(rule, policy), peersOfClass(direction, peers));
    rules.set(rule, known);
    return known;
  };
  return (direction: Direction, subject: Workload, peers: readonly Party[]): ReadonlySet<number> | undefined => {
    const own = classOf(subject);
    if (own === undefined) return undefined;
    const found = new Set<number>();
    for (const policy of rows.concerning(own, direction)) {
      if (policy.tier !== undefined) return undefined;
      for (const rule of policy[direction] ?? []) {
        if (rule.peers === "any" && rule.namedPorts.length > 0 && direction === "egress") return undefined;
        if (rule.peers !== "any") for (const index of namedBy(direction, rule, policy, peers)) found.add(index);
      }
    }
    return found;
  };
}

function indexPeers(peers: readonly Party[], met: (peer: Party) => readonly number[]): PeersOfClass {
  const index = new Map<number, number[]>();
  for (const [position, peer] of peers.entries()) {
    for (const found of met(peer)) {
      const list = index.get(found);
      if (list === undefined) index.set(found, [position]);
      else list.push(position);
    }
  }
  return index;
}

function inMask(mask: Uint8Array | undefined, peers: PeersOfClass): readonly number[] {
  if (mask === undefined) return [];
  const named: number[] = [];
  for (const [found, positions] of peers) if (mask[found] !== 0) named.push(...positions);
  return named;
}
