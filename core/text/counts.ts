import type { Definitions } from "../model/kinds.ts";

/** How much a set of definitions holds. */
export interface DefinitionCounts {
  readonly clusters: number;
  readonly fleets: number;
  readonly hosts: number;
  readonly externals: number;
  readonly segments: number;
  readonly policies: number;
  readonly rules: number;
  readonly guardrails: number;
}

/** Counts what definitions hold. */
export function countDefinitions({ clusters, fleets, externals, segments, policies, guardrails }: Definitions): DefinitionCounts {
  return {
    clusters: clusters.size,
    fleets: fleets.size,
    hosts: sum([...fleets.values()].map(({ hosts }) => hosts.length)),
    externals: externals.size,
    segments: segments.size,
    policies: policies.size,
    rules: sum([...policies.values()].map(({ rules }) => rules.length)),
    guardrails: guardrails.size,
  };
}

/** `2 clusters, 4 hosts in 1 fleet, 1 external, 9 segments, 12 rules in 5 policies`. */
export function formatDefinitionCounts(counts: DefinitionCounts): string {
  return [
    counted(counts.clusters, "cluster", "clusters"),
    `${counted(counts.hosts, "host", "hosts")} in ${counted(counts.fleets, "fleet", "fleets")}`,
    counted(counts.externals, "external", "externals"),
    counted(counts.segments, "segment", "segments"),
    `${counted(counts.rules, "rule", "rules")} in ${counted(counts.policies, "policy", "policies")}`,
    ...(counts.guardrails === 0 ? [] : [counted(counts.guardrails, "guardrail", "guardrails")]),
  ].join(", ");
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
