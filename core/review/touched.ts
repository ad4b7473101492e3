import { compileTarget, type OperatorInputs, type TargetInputs } from "../compile/inputs.ts";
import { emptySet } from "../address/index.ts";
import { clusterStructure } from "../compile/structure.ts";
import { clashingAddresses, findAddressClashes, liveAddresses, type LiveAddresses } from "../membership/clashes.ts";
import { computeMembership } from "../membership/compute.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import type { Memberships } from "../membership/membership.ts";
import { freezeAddresses } from "../membership/merge.ts";
import { relevantMemberships } from "../membership/parts.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Definitions, TargetId, TargetMode } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { clusterTargetId, findTarget, listTargets, type Target } from "../model/target.ts";
import { membersDigest, wantDigest } from "../render/digest.ts";
import { said } from "../revision/said.ts";

/** A target whose enforcement a change touches, or may touch. */
export interface TouchedTarget {
  readonly id: TargetId;
  /** As the candidate has it; of a target that is gone, as it was. */
  readonly mode: TargetMode;
  /** `begins`: it was only planned, and is written from now on; `ends`: the other way round · `reconnected`: reached another way, so it may be another machine or cluster · `unknown`: its workloads are not known whole, so nobody can say. */
  readonly how: "changed" | "begins" | "ends" | "added" | "gone" | "reconnected" | "unknown";
}

/** What a change does to rendering. */
export interface Touched {
  /** Sorted by id. */
  readonly targets: readonly TouchedTarget[];
  /** Of all that both revisions name. */
  readonly total: number;
  /** What compiling the candidate tells and compiling the revision in force did not: unenforceable here, widened here. */
  readonly notes: readonly Note[];
}

/** What both revisions are compiled on. */
export interface CompileWorld {
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  /** What the service knows now; absent offline. An address that two parties claim stays where it is there, and joins nothing. */
  readonly memberships?: Memberships | undefined;
  readonly operator: OperatorInputs;
  /** ms since the epoch */
  readonly now: number;
}

interface Side {
  readonly definitions: Definitions;
  readonly memberships: Memberships;
}

/** Which targets shall enforce something else, digests of what is wanted compared; address sets count. */
export function touchedTargets(before: Definitions | undefined, after: Definitions, world: CompileWorld): Touched {
  const [old, next] = [before && sideOf(before, world), sideOf(after, world)];
  const gone = (before === undefined ? [] : listTargets(before)).filter(({ id }) => findTarget(after, id) === undefined);
  const targets: TouchedTarget[] = gone.map(({ id, mode }) => ({ id, mode, how: "gone" }));
  const notes = new Map<string, Note>();
  for (const target of listTargets(after)) {
    const earlier = old && listTargets(old.definitions).find(({ id }) => id === target.id);
    const compiled = compileOn(next, target, world);
    const was = old === undefined || earlier === undefined ? undefined : compileOn(old, earlier, world);
    const how = howTouched(compiled, was, earlier, target);
    if (how !== undefined) targets.push({ id: target.id, mode: target.mode, how });
    const known = new Set((was?.notes ?? []).map(noteKey));
    for (const note of compiled?.notes ?? []) if (!known.has(noteKey(note))) notes.set(noteKey(note), note);
  }
  return {
    targets: targets.sort((a, b) => (a.id < b.id ? -1 : 1)),
    total: listTargets(after).length + gone.length,
    notes: [...notes.values()],
  };
}

interface CompiledOn {
  readonly digest: string;
  readonly notes: readonly Note[];
}

function howTouched(
  compiled: CompiledOn | undefined,
  was: CompiledOn | undefined,
  earlier: Target | undefined,
  target: Target,
): TouchedTarget["how"] | undefined {
  if (earlier === undefined) return "added";
  if (reachedBy(earlier) !== reachedBy(target)) return "reconnected";
  if (earlier.mode === "plan" && target.mode === "apply") return "begins";
  if (earlier.mode === "apply" && target.mode === "plan") return "ends";
  if (compiled === undefined || was === undefined) return "unknown";
  return compiled.digest === was.digest && earlier.mode === target.mode ? undefined : "changed";
}

/** How the service gets to a target, as Git says it. */
function reachedBy(target: Target): string {
  return said(target.kind === "cluster" ? target.cluster.connection : [target.fleet.transport, target.host.addresses]);
}

function sideOf(definitions: Definitions, { inventories, memberships: known, now }: CompileWorld): Side {
  const clashing =
    known === undefined ? emptySet : clashingAddresses(findAddressClashes(definitions, liveOf(definitions, inventories)));
  const memberships = [...definitions.clusters.values()].flatMap((cluster) => {
    const inventory = inventories.get(clusterTargetId(cluster.name));
    if (inventory?.complete !== true) return [];
    const { membership } = computeMembership(definitions, cluster, inventory, now);
    return [[inventory.target, freezeAddresses(known?.get(inventory.target), membership, clashing)] as const];
  });
  return { definitions, memberships: new Map(memberships) };
}

function liveOf(
  definitions: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
): ReadonlyMap<TargetId, LiveAddresses> {
  const live = new Map<TargetId, LiveAddresses>();
  for (const cluster of definitions.clusters.values()) {
    const inventory = inventories.get(clusterTargetId(cluster.name));
    if (inventory !== undefined) live.set(inventory.target, liveAddresses(cluster, inventory));
  }
  return live;
}

/** Undefined when its workloads are not known whole. */
function compileOn({ definitions, memberships }: Side, target: Target, world: CompileWorld): CompiledOn | undefined {
  const common = { memberships: relevantMemberships(definitions, target, memberships), orphans: [], now: world.now };
  const inputs = inputsOf(definitions, target, world, common);
  if (inputs === undefined) return undefined;
  try {
    const { want, notes } = compileTarget(definitions, target, inputs, world.operator);
    return { digest: `${wantDigest(want)} ${membersDigest(want)}`, notes };
  } catch (error) {
    // What cannot be compiled says so when it is planned; here nobody can tell what changes.
    if (error instanceof FirebreakError) return undefined;
    throw error;
  }
}

function inputsOf(
  definitions: Definitions,
  target: Target,
  { inventories }: CompileWorld,
  common: Pick<TargetInputs, "memberships" | "orphans" | "now">,
): TargetInputs | undefined {
  // What a host itself says (resolvers, time servers) is the same for both revisions.
  if (target.kind === "host") return { kind: "host", resolvers: [], timeServers: [], ...common };
  const inventory = inventories.get(target.id);
  if (inventory?.complete !== true) return undefined;
  return { kind: "cluster", ...clusterStructure(definitions, target.cluster, inventory), ...common };
}

function noteKey({ code, summary, at }: Note): string {
  return `${code} ${summary} ${at?.file ?? ""}`;
}
