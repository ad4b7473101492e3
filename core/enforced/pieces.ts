import type { Party } from "../reach/source.ts";

/**
 * A workload by each of the addresses under which somebody tells it apart. Made when it is looked at: a network of a million addresses
 * that cover everybody's has a piece for everybody, and most of them are never asked for.
 */
export class Pieces {
  readonly count: number;
  readonly #make: (index: number) => Party;
  readonly #made: Party[] = [];

  constructor(count: number, make: (index: number) => Party) {
    this.count = count;
    this.#make = make;
  }

  at(index: number): Party {
    return (this.#made[index] ??= this.#make(index));
  }
}

/** Of a workload that nobody tells apart by its addresses. */
export const WHOLE = new Pieces(0, () => {
  throw new RangeError("there are no pieces");
});
