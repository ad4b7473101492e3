import { controllerOf } from "../estate/build.ts";
import { canHoldPods } from "../membership/compute.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import { subjectsIn } from "../membership/resolve.ts";
import { groupPods, namespaceLabels } from "../membership/select.ts";
import type { Cluster, Definitions, Segment, TargetId } from "../model/kinds.ts";
import { matches } from "../selector/index.ts";
import type { Finding } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";

/**
 * Sealed segments: who is in them is settled, and an identity that enters is a finding. In a cluster anybody who may label a pod or a
 * namespace can enter a segment without a commit (docs/design/networkpolicy.md 30); no policy object changes, so nothing else
 * would tell.
 */

/** Who is in one sealed segment of one cluster. */
export interface SealedMembers {
  readonly segment: Segment;
  /** What the definitions and services say; while it stays, who is in it changes by labels alone. */
  readonly meaning: string;
  /** `NAMESPACE/CONTROLLER[KIND]`: replicas of one controller are one identity, and so come and go without a finding. */
  readonly identities: ReadonlySet<string>;
}

/** Who is in the sealed segments of a cluster now, by segment. */
export function sealedMembers(
  definitions: Definitions,
  cluster: Cluster,
  inventory: ClusterInventory,
): ReadonlyMap<string, SealedMembers> {
  const sealed = [...definitions.segments.values()].filter(
    (segment) => segment.sealed && canHoldPods(definitions, segment, cluster),
  );
  if (sealed.length === 0) return new Map();
  const groups = groupPods(inventory.namespaces, inventory.pods).map((group) => ({
    ...group,
    of: namespaceLabels(group.namespace),
  }));
  return new Map(
    sealed.map((segment) => {
      const subjects = subjectsIn(definitions, segment, cluster, inventory.services, "in");
      const inside = groups.filter(({ labels, of }) =>
        subjects.some(({ pods, namespaces }) => matches(namespaces, of) && matches(pods, labels)),
      );
      const members = inside.flatMap(({ pods }) => pods).filter((pod) => !pod.hostNetwork);
      const identities = new Set(members.map((pod) => `${pod.namespace}/${controllerOf(pod)}`));
      return [segment.name, { segment, meaning: JSON.stringify(subjects), identities }] as const;
    }),
  );
}

/** Identities that have been in a sealed segment since its meaning was first seen, by segment. */
export type SealedMemory = ReadonlyMap<string, Pick<SealedMembers, "meaning" | "identities">>;

/**
 * What to remember after a look: for a segment of the same meaning what was known, for a new one who is in it now. Who entered stays
 * unknown, so that the finding stays open until the identity has left or a revision says otherwise.
 *
 * @param told subjects of findings that are open: a process that has just started takes none of these for known
 */
export function rememberSealed(
  before: SealedMemory,
  now: ReadonlyMap<string, SealedMembers>,
  told: ReadonlySet<string>,
): SealedMemory {
  return new Map(
    [...now].map(([name, { meaning, identities }]) => {
      const known = before.get(name);
      if (known?.meaning === meaning) return [name, known] as const;
      const isFirst = known === undefined;
      const settled = [...identities].filter((identity) => !isFirst || !told.has(subjectOf(name, identity)));
      return [name, { meaning, identities: new Set(settled) }] as const;
    }),
  );
}

/** A finding for each identity in a sealed segment that is not remembered, sorted. */
export function findEntered(
  target: TargetId,
  remembered: SealedMemory,
  now: ReadonlyMap<string, SealedMembers>,
): readonly Finding[] {
  return [...now]
    .flatMap(([name, { segment, identities }]) =>
      [...identities]
        .filter((identity) => remembered.get(name)?.identities.has(identity) !== true)
        .map((identity) => enteredFinding(target, segment, identity)),
    )
    .sort((a, b) => compareText(a.subject, b.subject));
}

function enteredFinding(target: TargetId, segment: Segment, identity: string): Finding {
  const subject = subjectOf(segment.name, identity);
  return {
    fingerprint: fingerprintOf("sealed-entered", target, subject),
    kind: "sealed-entered",
    target,
    subject,
    severity: "high",
    summary: `${identity} entered the sealed segment ${segment.name}: everything its rules allow is open to it. Take the label away, or change the segment if it belongs there`,
    effect: { verdict: "uncertain", opened: [], closed: [] },
    who: undefined,
    at: segment.at,
    healable: false,
    widens: true,
    foreign: false,
  };
}

function subjectOf(segment: string, identity: string): string {
  return `${identity} in segment ${segment}`;
}
