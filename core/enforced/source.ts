import { fromAddressTexts } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { allPorts } from "../address/ports.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { TargetId } from "../model/kinds.ts";
import type { End, EndMode, Party, Reason, Source } from "../reach/source.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";
import { profileOf } from "../verdict/profile.ts";
import type { PolicyObject } from "../verdict/world.ts";
import { clusterEnds } from "./cluster.ts";
import { hostEnds } from "./host.ts";
import { AtomFinder } from "./peers.ts";
import type { LiveTarget, RenderedTarget, TargetEnds } from "./target.ts";

/** What was found enforcing in each cluster (`calico`, `none`), by target; where a definition names an enforcer, that counts. */
export type Enforcers = ReadonlyMap<TargetId, string>;

/** A source that is read from what enforcers have or get, with what it could not read. */
export interface EnforcedSource extends Source {
  readonly kind: "rendered" | "live";
  /** What a target has that is not understood, or was not seen; each a sentence. Empty: its answers are settled. */
  readonly doubtsOf: (target: TargetId) => readonly string[];
}

/**
 * Who may connect to whom as the rendered objects and rulesets have it, read back by the verdict engine alone.
 *
 * Targets that are not in `rendered` (mode plan, not compiled) have no enforcer of ours. Inside a cluster peers are known by their
 * labels, across targets by the addresses they show. Nothing is read before it is asked for.
 */
export function renderedSource(
  estate: Estate,
  rendered: ReadonlyMap<TargetId, RenderedTarget>,
  enforcers: Enforcers = new Map(),
): EnforcedSource {
  const addressesOf = hostAddresses(estate);
  return sourceOf("rendered", estate, [...rendered.keys()], (target) => {
    const found = rendered.get(target);
    if (found === undefined) return unmanaged([]);
    if (found.kind === "host") return hostEnds(target, found.ruleset, addressesOf(target), []);
    return ofCluster(estate, target, found.policies, enforcers, []);
  });
}

/**
 * Who may connect to whom as the enforcers have it now: every policy of a cluster and every table of a host, whoever wrote them, in
 * whatever mode the target is. A target that was not seen, or only in part, passes everything as far as anybody knows: uncertain.
 */
export function liveSource(
  estate: Estate,
  live: ReadonlyMap<TargetId, LiveTarget>,
  enforcers: Enforcers = new Map(),
): EnforcedSource {
  const addressesOf = hostAddresses(estate);
  return sourceOf("live", estate, [...live.keys()], (target) => {
    const found = live.get(target);
    if (found === undefined || found.completeness === "failed") return unmanaged([`${target} was not read`]);
    const doubts = found.completeness === "complete" ? [] : [`${target} was read only in part`];
    if (found.kind === "host") {
      const legacy = found.legacyTables.map((table) => `iptables-legacy table ${table} is in use and cannot be listed`);
      const local = fromAddressTexts(found.addresses).set;
      const isKnown = found.addresses.length > 0;
      return hostEnds(target, found.ruleset, isKnown ? local : addressesOf(target), [...doubts, ...legacy]);
    }
    const policies = [...found.policies.map(({ object }) => object), ...(found.tierPolicies ?? [])];
    return ofCluster(estate, target, policies, enforcers, doubts);
  });
}

function ofCluster(
  estate: Estate,
  target: TargetId,
  policies: readonly PolicyObject[],
  enforcers: Enforcers,
  doubts: readonly string[],
): TargetEnds {
  const known = estate.clusters.get(target);
  if (known?.inventory === undefined) return unmanaged([`the workloads of ${target} are not known`]);
  const enforcer = known.cluster.enforcer === "auto" ? (enforcers.get(target) ?? "auto") : known.cluster.enforcer;
  if (enforcer === "none") return passing("open", doubts);
  return clusterEnds(estate, target, known.inventory, policies, profileOf(enforcer), doubts);
}

/** A target with no enforcer of ours. */
function unmanaged(doubts: readonly string[]): TargetEnds {
  return passing("unmanaged", doubts);
}

function passing(mode: EndMode, doubts: readonly string[]): TargetEnds {
  const end: End = { mode, ports: allPorts, uncertain: doubts };
  const text = mode === "open" ? "nothing enforces policies there" : (doubts[0] ?? "nothing of ours enforces there");
  return {
    borders: [],
    ownKey: () => mode,
    endKey: () => `${mode} ${doubts.join()}`,
    end: () => end,
    explain: (direction): Reason => ({ direction, allowed: true, mode, origins: [], isolatedBy: [], at: undefined, text }),
    doubts,
  };
}

function sourceOf(
  kind: EnforcedSource["kind"],
  estate: Estate,
  targets: readonly TargetId[],
  read: (target: TargetId) => TargetEnds,
): EnforcedSource {
  const known = new Map<TargetId, TargetEnds>();
  const endsOf = (target: TargetId): TargetEnds => {
    const ends = known.get(target) ?? read(target);
    known.set(target, ends);
    return ends;
  };
  const nobody = unmanaged([]);
  const endsAt = (subject: Party): TargetEnds =>
    subject.kind === "workload" && subject.workload.target !== undefined ? endsOf(subject.workload.target) : nobody;
  let borders: readonly AddressSet[] | undefined;
  let finder: AtomFinder | undefined;
  const bordersOfAll = (): readonly AddressSet[] => (borders ??= distinct(targets.flatMap((target) => endsOf(target).borders)));
  const keyOf = (workload: Workload): string => {
    finder ??= new AtomFinder(cutIntoAtoms(bordersOfAll()));
    const shown = finder.of(workload.shown).join();
    const own = workload.shown === workload.addresses ? shown : finder.of(workload.addresses).join();
    const target = workload.target ?? "";
    const scope = workload.kind === "host" ? "host" : target;
    return `${scope}#${workload.target === undefined ? "" : endsOf(target).ownKey(workload)}|${shown}|${own}`;
  };
  return {
    kind,
    estate,
    get borders() {
      return bordersOfAll();
    },
    keyOf,
    endKey: (direction, workload) =>
      workload.target === undefined ? "unmanaged" : endsOf(workload.target).endKey(direction, workload),
    end: (direction, subject, peer) =>
      subject.kind === "workload" ? endsAt(subject).end(direction, subject.workload, peer) : OUTSIDE,
    namedAt: (direction, subject, peers) =>
      subject.target === undefined ? undefined : endsOf(subject.target).namedAt?.(direction, subject, peers),
    explain: (direction, subject, peer, protocol, port) =>
      subject.kind === "workload"
        ? endsAt(subject).explain(direction, subject.workload, peer, protocol, port)
        : {
            direction,
            allowed: true,
            mode: "unmanaged",
            origins: [],
            isolatedBy: [],
            at: undefined,
            text: "nothing of ours enforces there",
          },
    doubtsOf: (target) => endsOf(target).doubts,
  };
}

const OUTSIDE: End = { mode: "unmanaged", ports: allPorts, uncertain: [] };

/** Sets with the same addresses once. */
function distinct(sets: readonly AddressSet[]): readonly AddressSet[] {
  const byText = new Map(sets.map((set) => [`${set.v4.join()};${set.v6.join()}`, set]));
  return [...byText.values()];
}

function hostAddresses(estate: Estate): (target: TargetId) => AddressSet {
  let byTarget: ReadonlyMap<TargetId, AddressSet> | undefined;
  return (target) => {
    byTarget ??= new Map(estate.workloads.flatMap((one) => (one.kind === "host" ? [[one.id, one.addresses] as const] : [])));
    return byTarget.get(target) ?? fromAddressTexts([]).set;
  };
}
