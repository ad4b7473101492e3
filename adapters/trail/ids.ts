import { sha256 } from "../../core/audit/merkle.ts";

/**
 * Which numbers an entry's id may have: 16 bytes a slot in two flat tables instead of strings on the heap (32 bytes an entry).
 *
 * It keeps 48 bits of a hash, so a match is only a candidate: the caller compares the id in the entry itself.
 */
export class IdIndex {
  #keys = new Float64Array(1024);
  #seqs = new Float64Array(1024);
  #count = 0;

  /** Remembers that entry `seq` has this id. */
  add(id: string, seq: number): void {
    if (this.#count * 2 >= this.#keys.length) this.#grow();
    this.#insert(keyOf(id), seq);
    this.#count += 1;
  }

  /** The numbers of entries that may have this id, almost always none or one. */
  candidates(id: string): readonly number[] {
    const key = keyOf(id);
    const found: number[] = [];
    for (let slot = key % this.#keys.length; this.#keys[slot] !== 0; slot = (slot + 1) % this.#keys.length) {
      if (this.#keys[slot] === key) found.push(this.#seqs[slot] as number);
    }
    return found;
  }

  #insert(key: number, seq: number): void {
    let slot = key % this.#keys.length;
    while (this.#keys[slot] !== 0) slot = (slot + 1) % this.#keys.length;
    this.#keys[slot] = key;
    this.#seqs[slot] = seq;
  }

  #grow(): void {
    const [keys, seqs] = [this.#keys, this.#seqs];
    this.#keys = new Float64Array(keys.length * 2);
    this.#seqs = new Float64Array(keys.length * 2);
    keys.forEach((key, slot) => {
      if (key !== 0) this.#insert(key, seqs[slot] as number);
    });
  }
}

/** 48 bits of the id's hash, never 0: 0 marks a free slot. */
function keyOf(id: string): number {
  return Buffer.from(sha256(Buffer.from(id))).readUIntBE(0, 6) + 1;
}
