/** Things by number, divided step by step: two stay together until something tells them apart. */
export class Partition {
  /** The part of each. */
  readonly #parts: Uint32Array;
  readonly #sizes: number[];

  constructor(size: number) {
    this.#parts = new Uint32Array(size);
    this.#sizes = [size];
  }

  /** Divides every part by a value of each thing, below 2²⁴; the value of the first thing is at `offset`. */
  divide(values: Uint8Array | Uint32Array, offset = 0): void {
    const parts = this.#parts;
    const sizes = this.#sizes;
    const known = sizes.length;
    const found = new Map<number, number>();
    const left = new Map<number, number>();
    for (let thing = 0; thing < parts.length; thing += 1) {
      const value = values[offset + thing] as number;
      if (value === 0) continue; // they stay where they are
      const part = parts[thing] as number;
      if (sizes[part] === 1) continue;
      const key = part * 0x1000000 + value;
      const next = found.get(key) ?? known + found.size;
      found.set(key, next);
      sizes[next] = (sizes[next] ?? 0) + 1;
      left.set(part, (left.get(part) ?? 0) + 1);
      parts[thing] = next;
    }
    for (const [part, count] of left) sizes[part] = (sizes[part] as number) - count;
  }

  /** The first thing of the part of each. */
  firsts(): Uint32Array {
    const first = new Map<number, number>();
    return this.#parts.map((part, thing) => {
      const found = first.get(part) ?? thing;
      first.set(part, found);
      return found;
    });
  }
}
