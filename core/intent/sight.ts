import type { AddressSet } from "../address/index.ts";
import type { Definitions, HostFleet, Segment, TargetId } from "../model/kinds.ts";
import { RuleBook } from "./allow.ts";
import type { Allow } from "./allow.ts";
import { divide } from "./classes.ts";
import type { ClassTable } from "./classes.ts";
import { clusterEssentials, hostEssentials } from "./essentials.ts";
import type { Essential, HostFacts, OperatorFacts } from "./essentials.ts";
import { indexOf } from "./estate-index.ts";
import type { EstateIndex, Unit } from "./estate-index.ts";
import { MemberLists } from "./members.ts";
import type { Members } from "./members.ts";
import { Targets } from "./target.ts";
import type { Governance } from "./target.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { Profile } from "../verdict/profile.ts";

/** An essential with the allow that it is. */
export interface OpenEssential {
  readonly essential: Essential;
  readonly allow: Allow;
}

/** Definitions, read for one estate: who is in what, which rules there are, and how the estate falls apart into classes. */
export interface Reading {
  readonly definitions: Definitions;
  readonly index: EstateIndex;
  readonly as: "approved" | "enforceable";
  /** Segments that isolate, need something, or are named by a rule; with their members. */
  readonly segments: readonly { readonly segment: Segment; readonly members: Members }[];
  readonly book: RuleBook;
  readonly table: ClassTable;
  readonly governanceOf: (unit: Unit) => Governance;
  /** The same of one workload, in words that name it: what is shared by a unit names another. */
  readonly governanceAt: (workload: Workload) => Governance;
  readonly essentialsAt: (target: TargetId) => readonly OpenEssential[];
  /** Every explicit set: what the reading tells apart among addresses. */
  readonly explicit: ReadonlyMap<number, AddressSet>;
}

/** What is known of hosts, of enforcers and of the operator's settings; what is not given is closed. */
export interface Facts {
  readonly hosts: ReadonlyMap<TargetId, HostFacts>;
  readonly operator: OperatorFacts;
  /** How the enforcer of a cluster reads policies; undefined where identity counts. */
  readonly profileOf: (cluster: TargetId) => Profile | undefined;
}

/** Reads definitions. Everything that depends on segments alone is remembered with the estate. */
export function readIntent(definitions: Definitions, estate: Estate, as: "approved" | "enforceable", facts: Facts): Reading {
  const index = indexOf(estate);
  const lists = new MemberLists(definitions, index, as, contextOf(definitions));
  const book = new RuleBook(definitions, { index, lists, as, profileOf: facts.profileOf });
  const targets = new Targets(definitions, estate);
  const named = new Set(
    [...definitions.policies.values()].flatMap(({ rules }) => rules.flatMap(({ from, to }) => [...from, ...to])),
  );
  const segments = [...definitions.segments.values()]
    .filter((segment) => named.has(segment.name) || isActive(segment))
    .map((segment) => ({ segment, members: lists.of(segment) }));
  const essentials = essentialsOf(definitions, index, lists, book, targets, facts);
  const governed = new Map<Unit, Governance>();
  const governanceOf = (unit: Unit): Governance => {
    const known = governed.get(unit) ?? targets.of(unit.sample);
    governed.set(unit, known);
    return known;
  };
  const table = divide(index, {
    members: [...segments.map(({ members }) => members), ...essentials.members, ...book.parts.locals],
    explicit: book.parts.explicit,
    sameKeys: book.sameKeys,
    portNames: sortedTexts([...book.portNames, ...essentials.portNames]),
    traitOf: (unit) => traitOf(unit, governanceOf(unit), essentials.textOf),
    traits: `${targets.text} ${essentials.text}`,
    byAddress: as === "enforceable",
  });
  return {
    definitions,
    index,
    as,
    segments,
    book,
    table,
    governanceOf,
    governanceAt: (workload) => targets.of(workload),
    essentialsAt: essentials.at,
    explicit: book.parts.explicit,
  };
}

function isActive({ isolate, needs }: Segment): boolean {
  return isolate.ingress !== "off" || isolate.egress !== "off" || needs.length > 0;
}

/** Pods of a cluster are told from those of others, because what is open to them are pods of their own cluster. */
function traitOf({ sample }: Unit, governance: Governance, hostText: (target: TargetId) => string): string {
  if (sample.target === undefined) return "external";
  if (governance.kind === "host") return `host ${hostText(governance.target)}`;
  const scope = sample.kind === "host" ? "host" : sample.target;
  if (governance.kind === "cluster") return `${scope} governed${governance.isSpared ? " spared" : ""}`;
  return `${scope} ${governance.isGone ? "gone" : "nobody"}${sample.hostNetwork ? " host network" : ""}`;
}

/** What members rest on besides their own text. */
function contextOf({ clusters, fleets, externals }: Definitions): string {
  return JSON.stringify([
    [...clusters.values()].map(({ name, labels, podNetwork }) => [name, labels, podNetwork]),
    [...fleets.values()].map(({ name, labels, hosts }) => [name, labels, hosts.map((host) => [host.name, host.labels])]),
    [...externals.values()].map(({ name, labels, addresses }) => [name, labels, addresses.v4, addresses.v6.map(String)]),
  ]);
}

function essentialsOf(
  definitions: Definitions,
  index: EstateIndex,
  lists: MemberLists,
  book: RuleBook,
  targets: Targets,
  { hosts, operator }: Facts,
) {
  const open = (list: readonly Essential[]): readonly OpenEssential[] =>
    list.map((essential) => ({ essential, allow: book.ofEssential(essential) }));
  const byTarget = new Map<TargetId, readonly OpenEssential[]>();
  const texts = new Map<TargetId, string>();
  const alike = new Map<string, readonly OpenEssential[]>();
  for (const id of index.estate.clusters.keys()) byTarget.set(id, open(clusterEssentials(definitions, index, lists, id)));
  for (const [id, unit] of index.hosts) {
    const governance = targets.of((index.units[unit] as Unit).sample);
    if (governance.kind !== "host") continue;
    const known = hosts.get(id) ?? NO_FACTS;
    const key = hostKey(governance.fleet, known);
    const list = alike.get(key) ?? open(hostEssentials(definitions, governance.fleet, known, operator));
    alike.set(key, list);
    byTarget.set(id, list);
    texts.set(id, list.map(({ essential, allow }) => `${essential.direction} ${allow.key}`).join(" "));
  }
  const all = [...byTarget.values()].flat().map(({ essential }) => essential);
  return {
    at: (target: TargetId) => byTarget.get(target) ?? [],
    textOf: (target: TargetId) => texts.get(target) ?? "",
    text: [...texts].map(([id, text]) => `${id}=${text}`).join(),
    members: all.flatMap(({ subjects, peers }) => [
      ...(subjects === undefined ? [] : [subjects]),
      ...(peers === "any" || peers.members === undefined ? [] : [peers.members]),
    ]),
    portNames: all.flatMap(({ named }) => named.map(({ name }) => name)),
  };
}

const NO_FACTS: HostFacts = { resolvers: [], timeServers: [] };

function hostKey(fleet: HostFleet, { resolvers, timeServers }: HostFacts): string {
  return JSON.stringify([fleet.name, resolvers, timeServers]);
}

function sortedTexts(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort();
}
