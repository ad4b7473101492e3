import { emptySet, equals, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { OperatorInputs, TargetInputs } from "../compile/inputs.ts";
import { definitionsOf } from "../compile/moment.ts";
import type { Want } from "../compile/want.ts";
import { checkEquivalence } from "../enforced/equivalence.ts";
import type { Equivalence } from "../enforced/equivalence.ts";
import { renderedSource } from "../enforced/source.ts";
import type { RenderedTarget } from "../enforced/target.ts";
import type { Workload } from "../estate/estate.ts";
import { intentOf } from "../intent/intent.ts";
import { cellText, cellValues } from "../membership/cells.ts";
import { sha256Hex } from "../membership/hash.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import type { Membership } from "../membership/membership.ts";
import { boundaryOnly, feedersOf } from "../membership/parts.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { Target } from "../model/target.ts";
import { membersDigest, wantDigest } from "../render/digest.ts";
import { renderNetworkPolicies } from "../render/networkpolicy.ts";
import { renderRuleset } from "../render/nft.ts";
import { profileOf } from "../verdict/profile.ts";
import { noteHostNetwork } from "./host-network.ts";
import { momentEstate } from "./moment-estate.ts";
import type { MomentEstate } from "./moment-estate.ts";

/** A compilation, and what it was made from. */
export interface CompiledWant {
  readonly definitions: Definitions;
  readonly target: Target;
  readonly want: Want;
  readonly inputs: TargetInputs;
  readonly operator: OperatorInputs;
  /** What is known of the workloads of every cluster now; the target's own as it was compiled from. */
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  /** What was found enforcing in the target, when it is a cluster. */
  readonly enforcer?: string | undefined;
}

/** The check reads what is rendered, not who it is from. */
const MARK = { instance: "check", sequence: 0, digest: "0000000000000000" };

/** NetworkPolicies that are read for one check; more of them, and only some namespaces are compared. */
const MAX_OBJECTS = 4000;

/** Addresses in the sets of one host beyond which reading them back takes seconds. */
const MAX_ADDRESSES = 50_000;

/**
 * Checks that what a want renders to lets through exactly what the definitions mean, before anybody may plan with it.
 *
 * @returns notes on what was not compared, and on pods on the host network that segments name
 * @throws FirebreakError PLAN_INVARIANT_BROKEN with a connection about which the two do not agree
 */
export function requireEquivalence(compiled: CompiledWant): readonly Note[] {
  const { target, want, inputs } = compiled;
  const now = definitionsOf(compiled.definitions, inputs.now).definitions;
  const definitions = asApplied(now, target);
  const rendered = renderedOf(want);
  if (rendered.kind === "host" && countAddresses(rendered.ruleset) > MAX_ADDRESSES) {
    return [partialNote(target, `its sets hold more than ${MAX_ADDRESSES} addresses`)];
  }
  if (!inputs.memberships.has(target.id) && feedersOf(definitions, target).includes(target.id)) {
    return [partialNote(target, "its own boundary is not known yet")];
  }
  const chosen = chosenNamespaces(want, rendered);
  const { estate, membershipOf } = momentEstate(now, fedInventories(compiled, definitions));
  const enforcers = new Map(readsPolicies(compiled.enforcer) ? [[target.id, compiled.enforcer]] : []);
  const facts = inputs.kind === "host" ? { resolvers: inputs.resolvers, timeServers: inputs.timeServers ?? [] } : undefined;
  const found = checkEquivalence({
    target: target.id,
    intent: intentOf(definitions, estate, {
      as: "enforceable",
      hosts: new Map(facts === undefined ? [] : [[target.id, facts]]),
      operator: compiled.operator,
      enforcers,
    }),
    rendered: renderedSource(estate, new Map([[target.id, onlyIn(rendered, chosen)]]), enforcers),
    leftOut: unsettledAddresses(compiled, definitions, membershipOf),
    isSubject: subjectsIn(inputs, chosen, want),
  });
  if (found.kind !== "same") throw broken(target, found);
  return [...notesOf(target, found, chosen, want), ...hostNetworkNotes(compiled, now)];
}

/** Who is a node here, whatever its labels say: only the inventory tells. */
function hostNetworkNotes({ target, inventories, enforcer }: CompiledWant, definitions: Definitions): readonly Note[] {
  const inventory = inventories.get(target.id);
  if (target.kind !== "cluster" || inventory === undefined) return [];
  const { cluster } = target;
  const found = cluster.enforcer === "auto" ? (enforcer ?? "auto") : cluster.enforcer;
  return noteHostNetwork(definitions, cluster, inventory, profileOf(found));
}

/** Where nothing was found that enforces, policies are compared in the usual reading: they are written for when something does. */
function readsPolicies(enforcer: string | undefined): enforcer is string {
  return enforcer !== undefined && enforcer !== "none";
}

/** A check that found no difference, and of what. */
export interface Checked {
  readonly key: string;
  readonly notes: readonly Note[];
}

/** As `requireEquivalence`, unless the last check was the same one: planning again for the same reasons asks nothing twice. */
export function checkedWant(compiled: CompiledWant, sequence: number, last: Checked | undefined): Checked {
  const key = equivalenceKey(compiled, sequence);
  return last?.key === key ? last : { key, notes: requireEquivalence(compiled) };
}

/** Equal keys: the same check, with the same answer. It looks at groups of workloads, not at each. */
export function equivalenceKey({ want, target, inventories, enforcer }: CompiledWant, sequence: number): string {
  const groups = [...inventories].map(([id, inventory]) => [id, groupsKey(inventory)]);
  return sha256Hex(JSON.stringify([target.id, sequence, wantDigest(want), membersDigest(want), enforcer ?? null, groups]));
}

/** What was seen never changes: each look at a cluster is read once, for all targets that ask about it. */
const groupsKeys = new WeakMap<ClusterInventory, string>();

function groupsKey(inventory: ClusterInventory): string {
  const known = groupsKeys.get(inventory);
  if (known !== undefined) return known;
  const { pods, namespaces } = inventory;
  const groups = [...new Set(pods.map((pod) => JSON.stringify([pod.namespace, pod.labels, pod.hostNetwork, pod.ports])))].sort();
  const key = sha256Hex(JSON.stringify([namespaces, groups]));
  groupsKeys.set(inventory, key);
  return key;
}

/** A target that is only planned is compared as what applying it would make. */
function asApplied(definitions: Definitions, target: Target): Definitions {
  if (target.mode === "apply") return definitions;
  if (target.kind === "cluster") {
    const { cluster } = target;
    return { ...definitions, clusters: new Map(definitions.clusters).set(cluster.name, { ...cluster, mode: "apply" }) };
  }
  const fleet = definitions.fleets.get(target.fleet.name) ?? target.fleet;
  return { ...definitions, fleets: new Map(definitions.fleets).set(fleet.name, { ...fleet, mode: "apply" }) };
}

function renderedOf(want: Want): RenderedTarget {
  if (want.kind === "cluster") return { kind: "cluster", policies: renderNetworkPolicies(want, MARK) };
  return { kind: "host", ruleset: renderRuleset(want, MARK, { generation: 1, phase: "final" }) };
}

function countAddresses(ruleset: readonly unknown[]): number {
  return ruleset.reduce<number>((sum, object) => {
    const { set } = object as { readonly set?: { readonly elem?: readonly unknown[] } }; // what we rendered ourselves
    return sum + (set?.elem?.length ?? 0);
  }, 0);
}

/** Namespaces that are compared, in an order that only their names decide; undefined: all. */
function chosenNamespaces(want: Want, rendered: RenderedTarget): ReadonlySet<string> | undefined {
  if (want.kind !== "cluster" || rendered.kind !== "cluster" || rendered.policies.length <= MAX_OBJECTS) return undefined;
  const sizes = new Map<string, number>();
  for (const { metadata } of rendered.policies) {
    sizes.set(metadata.namespace ?? "", (sizes.get(metadata.namespace ?? "") ?? 0) + 1);
  }
  const ranked = want.governed.map((name) => ({ name, rank: sha256Hex(name) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const chosen = new Set<string>();
  let objects = 0;
  for (const { name } of ranked) {
    const size = sizes.get(name) ?? 0;
    if (chosen.size > 0 && objects + size > MAX_OBJECTS) continue;
    objects += size;
    chosen.add(name);
  }
  return chosen;
}

function onlyIn(rendered: RenderedTarget, chosen: ReadonlySet<string> | undefined): RenderedTarget {
  if (rendered.kind === "host" || chosen === undefined) return rendered;
  return { kind: "cluster", policies: rendered.policies.filter(({ metadata }) => chosen.has(metadata.namespace ?? "")) };
}

/**
 * Nothing is rendered into a namespace that is being deleted, so its pods are nobody's subjects; nor are those in cells for which a rule
 * was not rendered, because there are too many: they are allowed less than is meant, and that is told.
 */
function subjectsIn(inputs: TargetInputs, chosen: ReadonlySet<string> | undefined, want: Want): (workload: Workload) => boolean {
  const living = inputs.kind === "cluster" ? new Set(inputs.namespaces.map(({ name }) => name)) : new Set<string>();
  const cuts = (want.kind === "cluster" ? (want.cut ?? []) : []).map(({ keys, kept }) => ({ keys, kept: new Set(kept) }));
  const isCut = ({ labels }: Workload): boolean =>
    cuts.some(({ keys, kept }) => {
      const values = cellValues(keys, labels);
      return values !== undefined && !kept.has(cellText(keys, values));
    });
  return (workload) => {
    const { namespace } = workload;
    if (namespace === undefined) return true;
    return living.has(namespace) && (chosen === undefined || chosen.has(namespace)) && !isCut(workload);
  };
}

/** The inventories of clusters that have fed, and of the target itself: to the target nothing else is known. */
function fedInventories({ target, inputs, inventories }: CompiledWant, definitions: Definitions): CompiledWant["inventories"] {
  const feeders = new Set(feedersOf(definitions, target));
  return new Map([...inventories].filter(([id]) => id === target.id || !feeders.has(id) || inputs.memberships.has(id)));
}

/**
 * Addresses that joined or left something between the moment of a membership and that of the inventory: nobody can say whose they are
 * now. Closed or open because of that is no bug; the next membership mends it.
 */
function unsettledAddresses(
  { target, inputs }: CompiledWant,
  definitions: Definitions,
  membershipOf: MomentEstate["membershipOf"],
): AddressSet {
  const sets = feedersOf(definitions, target).flatMap((feeder): readonly AddressSet[] => {
    const known = inputs.memberships.get(feeder);
    if (known === undefined) return [];
    const membership = membershipOf(feeder);
    if (membership === undefined) return [...known.segments.values()];
    const fresh = feeder === target.id ? boundaryOnly(membership) : membership;
    return fresh.digest === known.digest ? [] : differenceOf(known, fresh);
  });
  return sets.length === 0 ? emptySet : unionAll(sets);
}

function differenceOf(before: Membership, after: Membership): readonly AddressSet[] {
  return [...new Set([...before.segments.keys(), ...after.segments.keys()])].flatMap((key) => {
    const [known = emptySet, fresh = emptySet] = [before.segments.get(key), after.segments.get(key)];
    return equals(known, fresh) ? [] : [subtract(known, fresh), subtract(fresh, known)];
  });
}

function broken(target: Target, found: Exclude<Equivalence, { kind: "same" }>): FirebreakError {
  return new FirebreakError("PLAN_INVARIANT_BROKEN", `check what was rendered for ${target.id}: ${found.text}`);
}

function notesOf(
  target: Target,
  { compared, pairs, undecided }: Extract<Equivalence, { kind: "same" }>,
  chosen: ReadonlySet<string> | undefined,
  want: Want,
): readonly Note[] {
  const gaps: string[] = [];
  if (want.kind === "cluster" && want.cut !== undefined)
    gaps.push("pods with label values for which a rule was not rendered, because there are too many, were left out");
  if (chosen !== undefined)
    gaps.push(`only the pods of ${chosen.size} namespaces, which have ${MAX_OBJECTS} policies, were looked at`);
  if (compared < pairs) gaps.push(`${compared} of ${pairs} pairs of classes were compared`);
  if (undecided > 0) gaps.push(`${undecided} pairs wait for an inventory`);
  return gaps.length === 0 ? [] : [partialNote(target, gaps.join("; "))];
}

function partialNote(target: Target, gaps: string): Note {
  return {
    severity: "info",
    code: "equivalence-partial",
    at: target.kind === "cluster" ? target.cluster.at : target.host.at,
    summary: `${target.id}: what was rendered was compared with the definitions in part: ${gaps}`,
    detail: "No difference was found in what was compared. The same part is looked at every time.",
  };
}
