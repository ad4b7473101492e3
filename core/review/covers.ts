import { isSubset, type AddressSet } from "../address/index.ts";
import { choosesCluster, isHostIn, peerAddresses } from "../membership/resolve.ts";
import { isCovered, portLine } from "../model/check/port-cover.ts";
import {
  BUILT_IN_SEGMENTS,
  type Definitions,
  type GuardrailRule,
  type Member,
  type Segment,
  type TargetId,
} from "../model/kinds.ts";
import { hostTargetId, listTargets } from "../model/target.ts";
import type { LabelSelector } from "../selector/index.ts";
import { isWithin, selectorKey } from "../selector/index.ts";

/**
 * Whether one set of definitions says at least what another says: a claim of a guardrail, a segment.
 *
 * "Yes" is certain, for every pod, host and address, also those that are not there yet. Whatever cannot be decided from Git is "no". Of
 * clusters and hosts those count that both sides name: one that is gone is told by itself.
 */
export class Covers {
  readonly #part: Definitions;
  readonly #whole: Definitions;
  readonly #segments: Map<string, boolean>;
  #reverse: Covers | undefined;
  #named: ReadonlySet<TargetId> | undefined;

  /** @param part what must be covered @param whole what may cover it */
  constructor(part: Definitions, whole: Definitions) {
    this.#part = part;
    this.#whole = whole;
    this.#segments = new Map();
  }

  /** The question the other way round. */
  get reverse(): Covers {
    this.#reverse ??= new Covers(this.#whole, this.#part);
    return this.#reverse;
  }

  /** True when the claim `whole` of the one side is about every connection that `part` of the other side is about. */
  claim(part: GuardrailRule, whole: GuardrailRule): boolean {
    if (part.kind !== whole.kind || part.path !== whole.path) return false;
    if (!whole.same.every((key) => part.same.includes(key)) || !hasPorts(part, whole)) return false;
    const names = (some: readonly string[], all: readonly string[]): boolean =>
      some.every((name) => all.includes(name) && this.segment(name));
    return names(part.from, whole.from) && names(part.to, whole.to);
  }

  /** True when whoever is in the segment on the one side is in the one of this name on the other. */
  segment(name: string): boolean {
    if ((BUILT_IN_SEGMENTS as readonly string[]).includes(name)) return true;
    const known = this.#segments.get(name);
    if (known !== undefined) return known;
    const [part, whole] = [this.#part.segments.get(name), this.#whole.segments.get(name)];
    const isIn = part !== undefined && whole !== undefined && this.#segment(part, whole);
    this.#segments.set(name, isIn);
    return isIn;
  }

  #segment(part: Segment, whole: Segment): boolean {
    // Who is left out there must be left out here, too.
    return this.#members(part.members, whole) && this.reverse.#members(whole.not, { ...part, members: part.not });
  }

  /** True when every member of the one side is covered by those of the segment of the other; its `not` is not looked at. */
  #members(members: readonly Member[], by: Segment): boolean {
    if (members.length === 0) return true;
    const side = sideOf(this.#whole, { ...by, not: [] });
    return members.every((member) => this.#member(member, by, side));
  }

  #member(member: Member, by: Segment, { keys, addresses, hosts }: Side): boolean {
    const alone: Segment = { ...by, members: [member], not: [] };
    switch (member.kind) {
      case "addresses":
      case "externals":
        return isSubset(peerAddresses(this.#part, alone), addresses);
      case "hosts":
        return isHostsWithin(member, by) && [...hostsIn(this.#part, alone)].every((id) => hosts.has(id) || !this.#stays(id));
      case "segments":
        return member.segments.every((name) => keys.has(`segment ${name}`) && this.segment(name));
      case "pods":
      case "service":
      case "boundary":
        return this.#clusters(member.clusters, keys.get(whatOf(member)) ?? []);
      default:
        return member satisfies never;
    }
  }

  /** True when the other side names this host, too. */
  #stays(id: TargetId): boolean {
    this.#named ??= new Set(listTargets(this.#whole).map((target) => target.id));
    return this.#named.has(id);
  }

  /** True when one of these choices of clusters holds all clusters of the first, also those that will be. */
  #clusters(part: LabelSelector | undefined, wholes: readonly (LabelSelector | undefined)[]): boolean {
    const chosen = (definitions: Definitions, selector: LabelSelector | undefined): readonly string[] =>
      [...definitions.clusters.values()].filter((cluster) => choosesCluster(selector, cluster)).map(({ name }) => name);
    const names = chosen(this.#part, part).filter((name) => this.#whole.clusters.has(name));
    return wholes.some((whole) => {
      const isFuture =
        whole === undefined || selectorKey(whole) === selectorKey({}) || selectorKey(whole) === selectorKey(part ?? {});
      const there = chosen(this.#whole, whole);
      return isFuture && names.every((name) => there.includes(name));
    });
  }
}

/** True when a host that will be added with labels of the one is in the other, too, whatever else they are. */
function isHostsWithin(member: Extract<Member, { kind: "hosts" }>, by: Segment): boolean {
  return by.members.some(
    (whole) => whole.kind === "hosts" && isWithin(member.hosts, whole.hosts) && isWithin(member.fleets ?? {}, whole.fleets ?? {}),
  );
}

/** What a segment says, so that a member is looked up in it. */
interface Side {
  /** By what is chosen, the choices of clusters. */
  readonly keys: ReadonlyMap<string, readonly (LabelSelector | undefined)[]>;
  readonly addresses: AddressSet;
  readonly hosts: ReadonlySet<string>;
}

function sideOf(definitions: Definitions, segment: Segment): Side {
  const keys = new Map<string, (LabelSelector | undefined)[]>();
  const add = (key: string, clusters: LabelSelector | undefined): void => {
    keys.set(key, [...(keys.get(key) ?? []), clusters]);
  };
  for (const member of segment.members) {
    if (member.kind === "segments") for (const name of member.segments) add(`segment ${name}`, undefined);
    if (member.kind === "pods" || member.kind === "service" || member.kind === "boundary") add(whatOf(member), member.clusters);
  }
  return { keys, addresses: peerAddresses(definitions, segment), hosts: hostsIn(definitions, segment) };
}

function whatOf(member: Extract<Member, { kind: "pods" | "service" | "boundary" }>): string {
  if (member.kind === "pods") return `pods ${selectorKey(member.pods)} ${selectorKey(member.namespaces)}`;
  return member.kind === "service" ? `service ${member.service.namespace}/${member.service.name}` : `boundary ${member.side}`;
}

function hostsIn(definitions: Definitions, segment: Segment): ReadonlySet<string> {
  if (!segment.members.some(({ kind }) => kind === "hosts" || kind === "segments")) return new Set();
  const fleets = [...definitions.fleets.values()];
  return new Set(
    fleets.flatMap((fleet) =>
      fleet.hosts.filter((host) => isHostIn(definitions, segment, fleet, host)).map((host) => hostTargetId(fleet.name, host.name)),
    ),
  );
}

/** `any` in a guardrail leaves out what begins no connection (ICMP errors, DHCP), so it covers TCP alone for certain. */
function hasPorts({ ports: part }: GuardrailRule, { ports: whole }: GuardrailRule): boolean {
  if (part === "any" || whole !== "any") return isCovered(portLine(part), portLine(whole));
  return part.every(({ protocol }) => protocol === "tcp");
}
