import { isEmpty } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Direction } from "../model/kinds.ts";
import type { Party } from "../reach/source.ts";
import type { Atoms } from "../verdict/atoms.ts";

/**
 * The addresses by which an enforcer elsewhere sees a party: who comes in shows what it shows outside, who is connected to is asked
 * by its own addresses (those of a masqueraded pod lead nowhere, and no rule names them).
 */
export function addressesAt(direction: Direction, peer: Party): AddressSet {
  if (peer.kind === "addresses") return peer.addresses;
  return direction === "ingress" ? peer.workload.shown : peer.workload.addresses;
}

/** Finds the atoms that hold some of a set, each set once. */
export class AtomFinder {
  readonly #atoms: Atoms;
  readonly #known = new WeakMap<AddressSet, readonly number[]>();

  constructor(atoms: Atoms) {
    this.#atoms = atoms;
  }

  /** Ascending. Who has no address yet is met by what names everybody only: the atoms that no set holds. */
  of(set: AddressSet): readonly number[] {
    const known = this.#known.get(set);
    if (known !== undefined) return known;
    const found = isEmpty(set) ? this.#unnamed() : this.#atoms.meeting(set);
    this.#known.set(set, found);
    return found;
  }

  #unnamed(): readonly number[] {
    return this.#atoms.list.flatMap(({ within }, atom) => (within.length === 0 ? [atom] : []));
  }
}
