import { fromAddressTexts } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { compareText } from "../membership/order.ts";
import { flatMembers, isHostIn, peerAddresses, segmentNamed } from "../membership/resolve.ts";
import type { Definitions, Direction, Host, HostFleet, Member, Rule, Segment } from "../model/kinds.ts";
import { unionOf } from "./unions.ts";

/** Rules and segments of one set of definitions, ready to be looked up: made once for all targets. */
export interface RuleBook {
  /** Every rule of every policy, by policy name, then by its place in the policy: the same order whatever the input order. */
  readonly rules: readonly Rule[];
  /** Sorted by name. */
  readonly segments: readonly Segment[];
  /** Indexes of the rules that name a segment (or `any`) where this direction is enforced, ascending. */
  readonly naming: (direction: Direction, name: string) => readonly number[];
  /** The hosts of a segment, by fleet name and in the order of their definition. */
  readonly hostsIn: (name: string) => readonly Host[];
  /** The segments a host is in, sorted by name; a host that these definitions do not hold (a target of others) is looked at by itself. */
  readonly segmentsOf: (fleet: HostFleet, host: Host) => readonly Segment[];
  readonly hostAddresses: (name: string) => AddressSet;
  /** Addresses of a segment that Git knows: its hosts, externals and addresses. */
  readonly knownAddresses: (name: string) => AddressSet;
  /** All members of a segment, nested ones included; `not` is not among them. */
  readonly flatMembers: (name: string) => readonly Member[];
}

const books = new WeakMap<Definitions, RuleBook>();

/** The rule book of definitions. Made once for as long as they live. */
export function ruleBook(definitions: Definitions): RuleBook {
  const known = books.get(definitions);
  if (known !== undefined) return known;
  const book = makeBook(definitions);
  books.set(definitions, book);
  return book;
}

/** The segments a rule is enforced at in this direction: responders for ingress, initiators for egress. */
export function subjectEnds(rule: Rule, direction: Direction): readonly string[] {
  return direction === "ingress" ? rule.to : rule.from;
}

/** The segments at the other end. */
export function peerEnds(rule: Rule, direction: Direction): readonly string[] {
  return direction === "ingress" ? rule.from : rule.to;
}

function makeBook(definitions: Definitions): RuleBook {
  const policies = [...definitions.policies.values()].sort((a, b) => compareText(a.name, b.name));
  const rules = policies.flatMap((policy) => policy.rules);
  const naming = { ingress: indexRules(rules, "ingress"), egress: indexRules(rules, "egress") };
  const segments = [...definitions.segments.values()].sort((a, b) => compareText(a.name, b.name));
  const membersOf = remember((name) => flatMembers(definitions, segmentNamed(definitions, name).members));
  const hosts = lazily(() => indexHosts(definitions, segments, membersOf));
  const hostsIn = (name: string): readonly Host[] => hosts().inSegment.get(name) ?? [];
  const hostAddresses = remember((name) => fromAddressTexts(hostsIn(name).flatMap(({ addresses }) => addresses)).set);
  return {
    rules,
    segments,
    naming: (direction, name) => naming[direction].get(name) ?? [],
    hostsIn,
    segmentsOf: (fleet, host) =>
      hosts().ofHost.get(host) ?? segments.filter((segment) => isHostIn(definitions, segment, fleet, host)),
    hostAddresses,
    knownAddresses: remember((name) => unionOf([hostAddresses(name), peerAddresses(definitions, segmentNamed(definitions, name))])),
    flatMembers: membersOf,
  };
}

function indexRules(rules: readonly Rule[], direction: Direction): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  for (const [position, rule] of rules.entries()) {
    for (const name of new Set(subjectEnds(rule, direction))) {
      const list = index.get(name);
      if (list === undefined) index.set(name, [position]);
      else list.push(position);
    }
  }
  return index;
}

interface HostIndex {
  readonly inSegment: ReadonlyMap<string, readonly Host[]>;
  readonly ofHost: ReadonlyMap<Host, readonly Segment[]>;
}

function indexHosts(
  definitions: Definitions,
  segments: readonly Segment[],
  membersOf: (name: string) => readonly Member[],
): HostIndex {
  const inSegment = new Map<string, Host[]>();
  const fleets = [...definitions.fleets.values()].sort((a, b) => compareText(a.name, b.name));
  const ofHost = new Map(fleets.flatMap(({ hosts }) => hosts.map((host): [Host, Segment[]] => [host, []])));
  for (const segment of segments) {
    if (!membersOf(segment.name).some(({ kind }) => kind === "hosts")) continue;
    const hosts = fleets.flatMap((fleet) => fleet.hosts.filter((host) => isHostIn(definitions, segment, fleet, host)));
    inSegment.set(segment.name, hosts);
    for (const host of hosts) ofHost.get(host)?.push(segment);
  }
  return { inSegment, ofHost };
}

function remember<Answer>(answer: (name: string) => Answer): (name: string) => Answer {
  const known = new Map<string, Answer>();
  return (name) => {
    if (known.has(name)) return known.get(name) as Answer; // the cast: it is there
    const found = answer(name);
    known.set(name, found);
    return found;
  };
}

function lazily<Value>(make: () => Value): () => Value {
  let value: { readonly made: Value } | undefined;
  return () => (value ??= { made: make() }).made;
}
