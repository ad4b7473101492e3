import { anyV4, anyV6, emptySet, equals, isEmpty, intersect, unionAll, type AddressSet } from "../address/index.ts";
import { allPorts, formatPorts } from "../address/ports.ts";
import { rulesetAccess, type RulesetSide } from "../verdict/nft/ruleset.ts";
import { TOO_MUCH } from "../verdict/nft/walk.ts";
import { intersectSpaces, isEmptySpace, spaceFromBoxes, subtractSpaces, wholeSpace, type Space } from "../verdict/nft/space.ts";
import { boxesForPeople } from "../verdict/nft/gains.ts";
import type { DraftEnd } from "./draft.ts";

/** What a host's firewall surely lets through in one direction, as ends and ports of rules. */
export interface HostDraftSide {
  /** False: everything passes, so nothing is isolated. */
  readonly isIsolated: boolean;
  readonly opens: readonly { readonly peers: DraftEnd; readonly ports: readonly string[] }[];
  /** The same as a set, for the check. */
  readonly space: Space;
}

/** What the firewall of one host means, before names are given. */
export interface HostDraft {
  readonly input: HostDraftSide;
  readonly output: HostDraftSide;
  /** What is not understood, or what a rule cannot say. */
  readonly leftOut: readonly string[];
  /** True when following the rules would cost more than the budget: nothing is known of the host, and nothing is written of it. */
  readonly isUnread: boolean;
}

/**
 * What the tables of a host mean for new connections with other machines.
 *
 * It is a lower bound: what hangs on something that definitions do not know (an interface, a mark, a rate, a source port, an element that
 * expires) opens nothing, and is named.
 *
 * @param listing the output of `nft -j list ruleset`, or what reads like it
 * @param local the host's own addresses: families that it has none of are left out
 */
export function hostDraftOf(listing: unknown, local: AddressSet): HostDraft {
  const access = rulesetAccess(listing, local, { atLeast: true });
  const families = familiesOf(local);
  const leftOut = new Set<string>();
  const side = (read: RulesetSide): HostDraftSide => {
    for (const text of read.uncertain) leftOut.add(text);
    const space = intersectSpaces(read.atLeast ?? read.space, families);
    if (isEmptySpace(subtractSpaces(families, space))) return { isIsolated: false, opens: [], space };
    const opens = boxesForPeople(space).map(({ peers, ports }) => {
      const words = formatPorts(ports).split(", ");
      const said = words.filter((word) => word !== "other protocols").flatMap(asInRules);
      if (words.includes("other protocols"))
        leftOut.add("protocols other than tcp, udp, sctp and icmp: a rule says them by `any` only");
      return { peers: endOf(peers, local), ports: said };
    });
    return { isIsolated: true, opens: opens.filter(({ ports }) => ports.length > 0), space };
  };
  const sides = { input: side(access.input), output: side(access.output) };
  return { ...sides, leftOut: [...leftOut], isUnread: [...leftOut].some((text) => text.endsWith(TOO_MUCH)) };
}

/** Rules name ICMP types one by one, and no port 0: nobody can connect to it. */
function asInRules(word: string): readonly string[] {
  const types = /^(icmp|icmpv6)\/(\d+)-(\d+)$/.exec(word);
  if (types !== null) {
    const [first, last] = [Number(types[2]), Number(types[3])];
    return Array.from({ length: last - first + 1 }, (_, at) => `${types[1] ?? ""}/${first + at}`);
  }
  return word.startsWith("0/") ? [] : [word.replace(/^0-/, "1-")];
}

/** Every connection with a peer of a family that the host has an address of. */
export function familiesOf(local: AddressSet): Space {
  return intersectSpaces(wholeSpace, spaceFromBoxes([{ peers: familySet(local), ports: allPorts }]));
}

function familySet(local: AddressSet): AddressSet {
  const has = (family: AddressSet): AddressSet => (isEmpty(intersect(local, family)) ? emptySet : family);
  return unionAll([has(anyV4), has(anyV6)]);
}

function endOf(peers: AddressSet, local: AddressSet): DraftEnd {
  return equals(peers, familySet(local)) ? { kind: "everything" } : { kind: "addresses", set: peers };
}
