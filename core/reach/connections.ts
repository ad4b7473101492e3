import type { ReachConnection } from "./matrix-types.ts";

/**
 * Connections of a matrix, kept as three numbers each: a big cluster has millions.
 *
 * Sources and destinations are positions of classes, texts positions of connection texts.
 */
export class ConnectionList implements Iterable<ReachConnection> {
  #numbers = new Uint32Array(3 * 1024);
  #length = 0;
  readonly #ids: readonly string[];
  readonly #texts: readonly string[];

  /** Both lists may still grow while connections are added. */
  constructor(ids: readonly string[], texts: readonly string[]) {
    this.#ids = ids;
    this.#texts = texts;
  }

  get length(): number {
    return this.#length;
  }

  add(src: number, dst: number, text: number): void {
    const at = this.#length * 3;
    if (at === this.#numbers.length) {
      const wider = new Uint32Array(this.#numbers.length * 2);
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    this.#numbers[at] = src;
    this.#numbers[at + 1] = dst;
    this.#numbers[at + 2] = text;
    this.#length += 1;
  }

  *[Symbol.iterator](): Generator<ReachConnection> {
    for (let index = 0; index < this.#length; index += 1) yield this.#at(index);
  }

  #at(index: number): ReachConnection {
    const name = (list: readonly string[], offset: number): string => list[this.#numbers[index * 3 + offset] as number] as string;
    return { src: name(this.#ids, 0), dst: name(this.#ids, 1), conn: name(this.#texts, 2) };
  }
}
