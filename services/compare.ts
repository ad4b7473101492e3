import { clusterEvidence, hostEvidence, type Evidence } from "../core/adopt/evidence.ts";
import { aheadOfLog, type RaisedMark } from "../core/drift/ahead-of-log.ts";
import { compareCluster, type ClusterComparison } from "../core/drift/cluster.ts";
import type { Finding, FindingKind } from "../core/finding/finding.ts";
import { compareHost } from "../core/drift/host.ts";
import { partsFromAll, subjectsAtAStep, type ClusterEnd } from "../core/drift/unfinished.ts";
import { objectSubject, ownMark } from "../core/plan/cluster-live.ts";
import { livingNamespaces, type ClusterInventory } from "../core/membership/inventory.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { TargetId } from "../core/model/kinds.ts";
import { tableFacts, type ClusterObservation, type HostObservation } from "../core/observed/observation.ts";
import { renderNetworkPolicies } from "../core/render/networkpolicy.ts";
import type { NetworkPolicy } from "../core/render/networkpolicy-types.ts";
import { readTable } from "../core/render/nft-table.ts";
import { renderRuleset, type NftRuleset, type Phase } from "../core/render/nft.ts";
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
  "ahead-of-log",
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
  "ahead-of-log",
];

/** What should be there, and of the definitions only where they say so. */
type Expected = Pick<Expectation, "target" | "want" | "mark"> & {
  readonly definitions: NonNullable<ClusterComparison["definitions"]>;
};

/** What was applied and read back, then what an apply without an outcome was going to; mostly one. */
export type States = readonly [Expected, ...Expected[]];

/** One look at a target: what should be there, and what is. Data only, so that another process may compare. */
export type Look = ClusterLook | HostLook;

interface ClusterLook {
  readonly kind: "cluster";
  readonly states: States;
  readonly observation: ClusterObservation;
  readonly inventory: ClusterInventory;
  /** As it was found; undefined before anybody looked. */
  readonly enforcer: string | undefined;
}

interface HostLook {
  readonly kind: "host";
  readonly states: States;
  readonly observation: HostObservation;
}

/** The target of a look. */
export function targetOf({ states }: Look): TargetId {
  return states[0].target.id;
}

/**
 * How a target parts from every state that Firebreak may have left there.
 *
 * @param steps what it may cost instead of the usual, for each state; beyond it there is a finding `not-comparable`
 */
export function compareLook(look: Look, steps?: number): readonly Finding[] {
  const within = steps === undefined ? {} : { steps };
  return look.kind === "cluster" ? compareClusterLook(look, within) : compareHostLook(look, within);
}

interface Within {
  readonly steps?: number;
}

/** What findings of a look stand on, by the state that is being reached; undefined for what Git could not say. */
export function evidenceOf(look: Look): (finding: Pick<Finding, "kind" | "subject">) => Evidence | undefined {
  const state = look.states.at(-1) ?? look.states[0];
  if (look.kind === "host") {
    const expected = expectedRuleset(state, look.observation, "final");
    return (finding) => hostEvidence(finding, expected, look.observation);
  }
  const { expected, seen } = livingObjects(state, look);
  return (finding) => clusterEvidence(finding, expected, seen);
}

function compareClusterLook(look: ClusterLook, within: Within): readonly Finding[] {
  const { states, observation, inventory } = look;
  const [first, ...more] = states;
  const atAStep = new Set(
    more.flatMap((state, index) => {
      const from = more[index - 1] ?? first;
      if (from.want.kind !== "cluster" || state.want.kind !== "cluster") return [];
      const ends = [from, state].map(({ want, mark }) => ({ want, mark }) as ClusterEnd); // both are clusters
      return [...subjectsAtAStep(ends[0] as ClusterEnd, ends[1] as ClusterEnd, observation, inventory.pods)];
    }),
  );
  const compared = states.map((state) => compareClusterWith(state, look, within));
  return partsFromAll(compared).filter(({ subject }) => !atAStep.has(subject));
}

function compareClusterWith(state: Expected, look: ClusterLook, within: Within): readonly Finding[] {
  const { target, want, mark, definitions } = state;
  if (target.kind !== "cluster" || want.kind !== "cluster")
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no cluster`);
  const { expected, seen } = livingObjects(state, look);
  const findings = compareCluster({
    expected,
    observation: seen,
    governed: want.governed,
    inventory: look.inventory,
    cluster: target.cluster,
    definitions,
    instance: mark.instance,
    profile: profileOf(look.enforcer ?? target.cluster.enforcer),
    ...within,
  });
  const raised = seen.policies.flatMap((policy): readonly RaisedMark[] => {
    const sequence = ownMark(policy, mark.instance)?.sequence ?? 0;
    return sequence > mark.sequence ? [{ subject: objectSubject(policy.object), sequence, who: policy.manager }] : [];
  });
  return [...findings, ...aheadOfLog(target.id, raised, mark.sequence, findings)];
}

/** The policies of a namespace that is being deleted, or is gone, vanished with it: nobody's doing. */
function livingObjects({ target, want, mark }: Expected, { observation, inventory }: ClusterLook) {
  if (want.kind !== "cluster") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no cluster`);
  const living = new Set(livingNamespaces(inventory.namespaces).map(({ name }) => name));
  const lives = (object: NetworkPolicy): boolean => living.has(object.metadata.namespace);
  const seen: ClusterObservation = { ...observation, policies: observation.policies.filter(({ object }) => lives(object)) };
  return { expected: renderNetworkPolicies(want, mark).filter(lives), seen };
}

function compareHostLook({ states, observation }: HostLook, within: Within): readonly Finding[] {
  const [first, ...more] = states;
  const live = (observation.ours ?? tableFacts(observation.ruleset)).mark;
  const compare = (state: Expected, phase: Phase): readonly Finding[] => {
    const { target, mark } = state;
    const findings = compareHost({ expected: expectedRuleset(state, observation, phase), observation, ...within });
    const isRaised = live?.instance === mark.instance && live.sequence > mark.sequence;
    const raised = isRaised ? [{ subject: "table inet firebreak", sequence: live.sequence, who: undefined }] : [];
    return [...findings, ...aheadOfLog(target.id, raised, mark.sequence, findings)];
  };
  // `settle` is the step of an apply in which nothing drops yet.
  return partsFromAll([
    compare(first, "final"),
    ...more.map((state) => compare(state, "settle")),
    ...more.map((state) => compare(state, "final")),
  ]);
}

function expectedRuleset({ target, want, mark }: Expected, observation: HostObservation, phase: Phase): NftRuleset {
  if (want.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no host`);
  // Which generation is in the fence is the writer's business; that there is one, and our mark, is compared.
  return renderRuleset(want, mark, { generation: readTable(observation.ruleset)?.generation ?? 1, phase });
}
