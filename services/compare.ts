import { clusterEvidence, hostEvidence, type Evidence } from "../core/adopt/evidence.ts";
import { compareCluster } from "../core/drift/cluster.ts";
import type { Finding, FindingKind } from "../core/drift/finding.ts";
import { compareHost } from "../core/drift/host.ts";
import { partsFromAll, subjectsAtAStep, type ClusterEnd } from "../core/drift/unfinished.ts";
import { livingNamespaces, type ClusterInventory } from "../core/membership/inventory.ts";
import { FirebreakError } from "../core/model/error.ts";
import type { ClusterObservation, HostObservation } from "../core/plan/observation.ts";
import { renderNetworkPolicies } from "../core/render/networkpolicy.ts";
import type { NetworkPolicy } from "../core/render/networkpolicy-types.ts";
import { readTable } from "../core/render/nft-table.ts";
import { renderRuleset } from "../core/render/nft.ts";
import { profileOf } from "../core/verdict/profile.ts";
import type { Expectation } from "./expected.ts";

/** Kinds that a comparison of a cluster can find. */
export const CLUSTER_KINDS: readonly FindingKind[] = [
  "modified",
  "deleted",
  "foreign",
  "conflict",
  "unpublished-element",
  "would-un-isolate",
  "not-comparable",
];

/** Kinds that a comparison of a host can find. */
export const HOST_KINDS: readonly FindingKind[] = [
  "ruleset-changed",
  "table-missing",
  "dormant",
  "foreign-nat",
  "foreign-chain",
  "next-start",
  "unpublished-element",
  "conflict",
  "not-comparable",
];

/** How a target parts from what is expected there, and what each finding stands on. */
export interface Compared {
  readonly findings: readonly Finding[];
  /** Undefined for a finding that Git could not say. */
  readonly evidenceOf: (finding: Finding) => Evidence | undefined;
}

/** How a cluster parts from what is expected there. `enforcer` as it was found, undefined before anybody looked. */
function compareClusterWith(
  { target, want, mark, definitions }: Expectation,
  observation: ClusterObservation,
  inventory: ClusterInventory,
  enforcer: string | undefined,
): Compared {
  if (target.kind !== "cluster" || want.kind !== "cluster")
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no cluster`);
  // The policies of a namespace that is being deleted, or is gone, vanished with it: nobody's doing.
  const living = new Set(livingNamespaces(inventory.namespaces).map(({ name }) => name));
  const lives = (object: NetworkPolicy): boolean => living.has(object.metadata.namespace);
  const expected = renderNetworkPolicies(want, mark).filter(lives);
  const seen = { ...observation, policies: observation.policies.filter(({ object }) => lives(object)) };
  const findings = compareCluster({
    expected,
    observation: seen,
    governed: want.governed,
    inventory,
    cluster: target.cluster,
    definitions,
    instance: mark.instance,
    profile: profileOf(enforcer ?? target.cluster.enforcer),
  });
  return { findings, evidenceOf: (finding) => clusterEvidence(finding, expected, seen) };
}

/**
 * How a cluster parts from every state that Firebreak may have left there.
 *
 * @param states what was applied and read back, then what an apply without an outcome was going to; mostly one
 */
export function compareClusterWithAll(
  states: States,
  observation: ClusterObservation,
  inventory: ClusterInventory,
  enforcer: string | undefined,
): Compared {
  const compared = states.map((state) => compareClusterWith(state, observation, inventory, enforcer));
  const [first, ...more] = states;
  const atAStep = new Set(
    more.flatMap((state, index) => {
      const from = more[index - 1] ?? first;
      if (from.want.kind !== "cluster" || state.want.kind !== "cluster") return [];
      const ends = [from, state].map(({ want, mark }) => ({ want, mark }) as ClusterEnd); // both are clusters
      return [...subjectsAtAStep(ends[0] as ClusterEnd, ends[1] as ClusterEnd, observation, inventory.pods)];
    }),
  );
  return joined(compared, ({ subject }) => !atAStep.has(subject));
}

/** How a host parts from every state that Firebreak may have left there; see {@link compareClusterWithAll}. */
export function compareHostWithAll(states: States, observation: HostObservation): Compared {
  const [first, ...more] = states;
  const settled = more.map((state) => compareHostWith(state, observation, "settle"));
  const compared = [compareHostWith(first, observation), ...settled, ...more.map((state) => compareHostWith(state, observation))];
  return joined(compared, () => true);
}

/** At least one state. */
export type States = readonly [Expectation, ...Expectation[]];

function joined(compared: readonly Compared[], isTold: (finding: Finding) => boolean): Compared {
  return {
    findings: partsFromAll(compared.map(({ findings }) => findings)).filter(isTold),
    evidenceOf: (finding) => compared.at(-1)?.evidenceOf(finding),
  };
}

/** How a host parts from what is expected there. `settle` is the step of an apply in which nothing drops yet. */
function compareHostWith(
  { target, want, mark }: Expectation,
  observation: HostObservation,
  phase: "settle" | "final" = "final",
): Compared {
  if (want.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no host`);
  // Which generation is in the fence is the writer's business; that there is one, and our mark, is compared.
  const generation = readTable(observation.ruleset)?.generation ?? 1;
  const expected = renderRuleset(want, mark, { generation, phase });
  return {
    findings: compareHost({ expected, observation }),
    evidenceOf: (finding) => hostEvidence(finding, expected, observation),
  };
}
