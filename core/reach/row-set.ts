import { ALL_PORTS } from "./port-table.ts";

/** Port numbers by column, a column per peer of interest. */
export type Row = Uint32Array;

/** So many columns are turned at once. */
const BLOCK = 32;

/**
 * Rows by number, to be read column by column: thousands of rows far apart in memory cost a wait each for one number of theirs, so the
 * columns beside it are copied with it.
 */
export class RowSet {
  /** The number of a row without anything. */
  readonly nothing = 0;
  readonly #rows: Row[];
  readonly #numbers = new Map<Row, number>();
  readonly #everything: Row;
  #turned = new Uint32Array(0);
  #first = -1;

  /** @param columns how many numbers each row has */
  constructor(columns: number) {
    this.#rows = [new Uint32Array(columns)];
    this.#everything = new Uint32Array(columns).fill(ALL_PORTS);
  }

  /** The number of a row; null is one that restricts nothing. Rows are added before the first column is read. */
  number(row: Row | null): number {
    const one = row ?? this.#everything;
    const known = this.#numbers.get(one);
    if (known !== undefined) return known;
    const number = this.#rows.push(one) - 1;
    this.#numbers.set(one, number);
    return number;
  }

  /** One column, by number of row; good until the next is asked for. */
  column(column: number): Uint32Array {
    const first = column - (column % BLOCK);
    if (first !== this.#first) this.#turn(first);
    const rows = this.#rows.length;
    return this.#turned.subarray((column - first) * rows, (column - first + 1) * rows);
  }

  #turn(first: number): void {
    const rows = this.#rows;
    if (this.#turned.length === 0) this.#turned = new Uint32Array(BLOCK * rows.length);
    for (const [number, row] of rows.entries()) {
      const end = Math.min(BLOCK, row.length - first);
      for (let index = 0; index < end; index += 1) this.#turned[index * rows.length + number] = row[first + index] as number;
    }
    this.#first = first;
  }
}
