import type { ClusterInventory } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import type { Cluster } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import { objectKey, objectSubject, ownMark } from "../plan/cluster-live.ts";
import { specKey, specKeyWithoutAddresses } from "../plan/defaulting.ts";
import type { ClusterObservation, LivePolicy } from "../observed/observation.ts";
import { SEGMENT_LABEL } from "../render/networkpolicy-mark.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import type { Profile } from "../verdict/profile.ts";
import { isSurelyNarrower, isWithoutRules, judgeEffects, opens } from "./cluster-effect.ts";
import type { Divergence, EffectOf, JudgedEffect } from "./cluster-effect.ts";
import type { Finding, FindingEffect, FindingKind, Severity } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";
import { notComparable } from "./not-comparable.ts";

/** What a cluster is compared from. */
export interface ClusterComparison {
  /** What should be there, rendered from the recorded revision and memberships. */
  readonly expected: readonly NetworkPolicy[];
  readonly observation: ClusterObservation;
  /** Namespaces that we write to; foreign objects elsewhere are none of our business. */
  readonly governed: readonly string[];
  /** Who is there, to say what a divergence opens and closes. */
  readonly inventory: ClusterInventory;
  readonly cluster: Cluster;
  readonly instance: string;
  readonly profile: Profile;
  /** What it may cost; see `LOOK_STEPS`. */
  readonly steps?: number;
  /** To point at the segment that an object stands for. */
  readonly definitions?: { readonly segments: ReadonlyMap<string, { readonly at: Position }> };
}

/** Everything the findings of one comparison share. */
interface Context {
  readonly comparison: ClusterComparison;
  readonly governed: ReadonlySet<string>;
  readonly expected: ReadonlyMap<string, NetworkPolicy>;
  /** Live objects of ours that are as they should be. */
  readonly same: ReadonlySet<NetworkPolicy>;
  readonly effectOf: EffectOf;
}

/**
 * Every way in which the policy objects of a cluster part from what is expected, sorted by subject.
 *
 * Whole specs are compared after defaulting, so a default deny that somebody opened shows, and a text that means the same does not.
 * `deleted` is only said on a complete observation. Nothing is said on a failed one.
 */
export function compareCluster(comparison: ClusterComparison): readonly Finding[] {
  const { observation } = comparison;
  if (observation.completeness === "failed") return [];
  const live = [...observation.policies].sort((a, b) => compareText(objectKey(a.object), objectKey(b.object)));
  const context = contextOf(comparison, live);
  const found = live.flatMap((policy) => judgeLive(context, policy));
  const missing = observation.completeness === "complete" ? findDeleted(context, live) : [];
  const findings = [...found, ...missing].map(({ finding: one }) => one);
  const left = [...found, ...missing].filter(({ isNotCompared }) => isNotCompared).length;
  if (left > 0) {
    const why = `telling what ${left} of ${findings.length} objects open takes more work than a look may; each has its finding`;
    findings.push(notComparable(clusterTargetId(comparison.cluster.name), why));
  }
  return findings.sort((a, b) => compareText(a.subject, b.subject) || compareText(a.kind, b.kind));
}

/** A finding, and whether what it does to connections was not compared. */
interface Found {
  readonly finding: Finding;
  readonly isNotCompared: boolean;
}

function contextOf(comparison: ClusterComparison, observed: readonly LivePolicy[]): Context {
  const governed = new Set(comparison.governed);
  const expected = new Map(comparison.expected.map((object) => [objectKey(object), object]));
  const live = new Map(observed.map(({ object }) => [objectKey(object), object]));
  const elsewhere = [...live].filter(([, object]) => !governed.has(object.metadata.namespace));
  const worlds = { live, expected: new Map([...elsewhere, ...expected]) };
  const { inventory, profile, steps, instance, observation } = comparison;
  const same = new Set<NetworkPolicy>();
  const divergences = observed.flatMap((policy): readonly Divergence[] => {
    const before = expected.get(objectKey(policy.object));
    const after = policy.object;
    const isOurs = ownMark(policy, instance) !== undefined;
    if (before !== undefined && isOurs && specKey(after.spec) === specKey(before.spec)) {
      same.add(after);
      return [];
    }
    if (before === undefined && !isOurs && !governed.has(after.metadata.namespace)) return [];
    return [{ before, after, isForeign: before === undefined && !isOurs }];
  });
  const gone = observation.completeness === "complete" ? [...expected].filter(([key]) => !live.has(key)) : [];
  const all = [...gone.map(([, before]) => ({ before, after: undefined, isForeign: false })), ...divergences];
  return { comparison, governed, expected, same, effectOf: judgeEffects(all, worlds, inventory, profile, steps) };
}

function judgeLive(context: Context, live: LivePolicy): readonly Found[] {
  const wanted = context.expected.get(objectKey(live.object));
  const isOurs = ownMark(live, context.comparison.instance) !== undefined;
  if (wanted !== undefined) return isOurs ? judgeOurs(context, live, wanted) : [conflictFinding(context, live, wanted)];
  if (isOurs) return [leftoverFinding(context, live)];
  return context.governed.has(live.object.metadata.namespace) ? [foreignFinding(context, live)] : [];
}

function judgeOurs(context: Context, live: LivePolicy, wanted: NetworkPolicy): readonly Found[] {
  if (context.same.has(live.object)) return [];
  const effect = context.effectOf(wanted, live.object);
  const isElementsOnly = specKeyWithoutAddresses(live.object.spec) === specKeyWithoutAddresses(wanted.spec);
  const what = isElementsOnly ? "has address blocks that nobody published" : "was changed";
  const widens = opens(effect) || !isSurelyNarrower(wanted, live.object);
  return [finding(context, live, isElementsOnly ? "unpublished-element" : "modified", what, effect, { widens })];
}

const MARKED = "carries our mark, and no definition asks for it";

/** Ours by its mark, and no definition asks for it: an object that stayed, or one that somebody marked as ours. */
function leftoverFinding(context: Context, live: LivePolicy): Found {
  const { namespace } = live.object.metadata;
  const effect = context.effectOf(undefined, live.object);
  if (isPartOf(context, live.object)) {
    return finding(context, live, "unpublished-element", "has address blocks that nobody published", effect, {});
  }
  const isGoverned = context.governed.has(namespace);
  if (isGoverned && (effect.verdict === "opens" || effect.verdict === "equivalent")) {
    return finding(context, live, "foreign", MARKED, effect, {});
  }
  // Whether Firebreak wrote it, only the syncer can tell: it removes what it did not write, and holds what it did.
  if (isGoverned && context.comparison.cluster.foreign === "remove" && (opens(effect) || effect.isNotCompared)) {
    return finding(context, live, "foreign", MARKED, effect, { foreign: true, widens: true });
  }
  const what = isGoverned
    ? "is asked for by no definition any more and stays, because it isolates workloads"
    : `stays although namespace ${namespace} is governed no more`;
  return finding(context, live, "would-un-isolate", what, effect, { healable: false });
}

/** A further part of an object whose address list was split. */
function isPartOf(context: Context, object: NetworkPolicy): boolean {
  const base = /^(.+)-b[0-9]+$/.exec(object.metadata.name)?.[1];
  const wanted = base === undefined ? undefined : context.expected.get(`${object.metadata.namespace}/${base}`);
  return (
    wanted !== undefined && specKeyWithoutAddresses({ ...wanted.spec, ...emptied(wanted) }) === specKeyWithoutAddresses(object.spec)
  );
}

function emptied({ spec }: NetworkPolicy): Partial<NetworkPolicy["spec"]> {
  return spec.ingress === undefined ? { egress: [] } : { ingress: [] };
}

function conflictFinding(context: Context, live: LivePolicy, wanted: NetworkPolicy): Found {
  const effect = context.effectOf(wanted, live.object);
  const widens = opens(effect) || !isSurelyNarrower(wanted, live.object);
  const healable = widens && context.comparison.cluster.foreign === "remove";
  const what = `has the name of an object of ours and not our mark${healable ? "" : ", so it is not overwritten"}`;
  return finding(context, live, "conflict", what, effect, { healable, foreign: true, widens });
}

function foreignFinding(context: Context, live: LivePolicy): Found {
  const effect = context.effectOf(undefined, live.object);
  // Without rules it can only close, whatever was compared; what was not compared is told and removed as if it opened.
  const widens = opens(effect) || (effect.isNotCompared && !isWithoutRules(live.object));
  const healable = widens && context.comparison.cluster.foreign === "remove";
  const severity: Severity = widens ? "high" : effect.verdict === "uncertain" && !effect.isNotCompared ? "medium" : "info";
  return finding(context, live, "foreign", "is not ours", effect, { healable, foreign: true, severity, widens });
}

function findDeleted(context: Context, live: readonly LivePolicy[]): readonly Found[] {
  const there = new Set(live.map(({ object }) => objectKey(object)));
  return [...context.expected]
    .filter(([key]) => !there.has(key))
    .map(([, object]) => {
      const gone: LivePolicy = { object, manager: undefined, managedAt: undefined };
      // Also where nobody is open by it today: the next pod that it selects would be open from birth.
      return finding(context, gone, "deleted", "is not there", context.effectOf(object, undefined), { widens: true });
    });
}

const NOT_COMPARED = "what it changes was not compared (too much), and is treated as opening";

function finding(
  context: Context,
  live: LivePolicy,
  kind: FindingKind,
  what: string,
  judged: JudgedEffect,
  over: Partial<Pick<Finding, "severity" | "healable" | "foreign" | "widens">>,
): Found {
  const { cluster } = context.comparison;
  const { isNotCompared: isMissed, ...effect } = judged;
  const isNotCompared = isMissed && (over.widens ?? true);
  const target = clusterTargetId(cluster.name);
  const subject = objectSubject(live.object);
  const who = live.manager === undefined ? "" : ` (last written by ${live.manager})`;
  const found: Finding = {
    fingerprint: fingerprintOf(kind, target, subject),
    kind,
    target,
    subject,
    severity: isNotCompared ? "critical" : severityOf(effect),
    summary: `${objectKey(live.object)} ${what}${who}: ${isMissed ? (isNotCompared ? NOT_COMPARED : "not compared, and it can only close") : effectWords(effect)}`,
    effect,
    who: live.manager,
    at: positionOf(context, live.object),
    healable: true,
    widens: opens(effect) || effect.verdict === "uncertain",
    foreign: false,
    ...over,
  };
  return { finding: found, isNotCompared };
}

/** The segment an object stands for. Ours carry it as a label; for a deleted one the expected object does. */
function positionOf({ comparison, expected }: Context, object: NetworkPolicy): Position | undefined {
  const segment = (expected.get(objectKey(object)) ?? object).metadata.labels?.[SEGMENT_LABEL];
  return segment === undefined ? undefined : comparison.definitions?.segments.get(segment)?.at;
}

function severityOf({ verdict }: FindingEffect): Severity {
  switch (verdict) {
    case "opens":
    case "both":
      return "critical";
    case "uncertain":
      return "high";
    case "closes":
      return "medium";
    case "equivalent":
      return "low";
    default:
      return verdict satisfies never;
  }
}

function effectWords({ verdict, opened, closed }: FindingEffect): string {
  const first = (lines: readonly string[]): string => (lines.length > 1 ? `${lines[0]} and more` : (lines[0] ?? "connections"));
  switch (verdict) {
    case "opens":
      return `opens ${first(opened)}`;
    case "closes":
      return `closes ${first(closed)}`;
    case "both":
      return `opens ${first(opened)}, closes ${first(closed)}`;
    case "equivalent":
      return "no connection changes";
    case "uncertain":
      return "what it changes is uncertain";
    default:
      return verdict satisfies never;
  }
}
