import type { Direction } from "../model/kinds.ts";
import type { PeerPart } from "./parts.ts";
import type { Shadow } from "./classes.ts";
import { shadowNumber } from "./classes.ts";
import type { Peer } from "./match.ts";
import type { Row } from "./row.ts";

/**
 * Finds, among some peers, those that the rules of a row can name, so that nobody has to ask about each: 2,000 segments make millions
 * of pairs, of which rules name a few thousand. It may name some too many, never one too few.
 */
export class NamedPeers {
  readonly #byMembers = new Map<number, number[]>();
  readonly #byAddress = new Map<number, number[]>();
  readonly #shadowsOf = new Map<number, number[]>();
  readonly #ofPart = new WeakMap<PeerPart, readonly number[]>();

  constructor(peers: readonly Peer[], shadows: readonly Shadow[]) {
    for (const [index, peer] of peers.entries()) {
      const hits = peer.kind === "addresses" ? [peer.hits] : [peer.of.own, peer.of.shown];
      for (const hit of new Set(hits.flatMap((some) => [...some.keys()]))) addTo(this.#byAddress, hit, index);
      if (peer.kind === "workloads") for (const id of peer.of.cell.certain) addTo(this.#byMembers, id, index);
    }
    for (const [position, { cast }] of shadows.entries()) {
      for (const id of new Set(cast.flatMap(({ cell }) => [...cell.certain]))) {
        addTo(this.#shadowsOf, id, shadowNumber(position));
      }
    }
  }

  /** Positions of peers, ascending; undefined where the answer differs from peer to peer although none is named. */
  at(direction: Direction, { allows }: Row): ReadonlySet<number> | undefined {
    const found = new Set<number>();
    for (const { peers, named } of allows) {
      if (peers === "any" && named.length > 0 && direction === "egress") return undefined;
      if (peers !== "any") for (const part of peers) for (const index of this.#at(part)) found.add(index);
    }
    return found;
  }

  #at(part: PeerPart): readonly number[] {
    const known = this.#ofPart.get(part);
    if (known !== undefined) return known;
    const { members, local, explicit, labelled } = part;
    const sets = [explicit, ...labelled.map((one) => one.explicit), ...(this.#shadowsOf.get(members.id) ?? [])];
    const found = [
      ...(this.#byMembers.get(members.id) ?? []),
      ...(local === undefined ? [] : (this.#byMembers.get(local.id) ?? [])),
      ...sets.flatMap((number) => (number === undefined ? [] : (this.#byAddress.get(number) ?? []))),
    ];
    this.#ofPart.set(part, found);
    return found;
  }
}

function addTo(map: Map<number, number[]>, key: number, index: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [index]);
  else list.push(index);
}
