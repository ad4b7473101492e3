import { emptySet } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { toggleSingles } from "./toggle.ts";

/** IPv4 as a number, IPv6 as a bigint: a key of its own for every address. */
export type AddressValue = number | bigint;

/**
 * One address set that follows those who hold addresses in it. An address is in it while anybody holds it: two pods may, for a moment,
 * and all pods of a node do where pods show their node's.
 */
export class AddressEntry {
  readonly #holders = new Map<AddressValue, number>();
  /** What was touched since `take`, and whether it was in the set then. */
  #touched = new Map<AddressValue, boolean>();
  /** The set as it was last written, and the addresses that are in it exactly when they were not: a big set is written when asked for. */
  #set: AddressSet = emptySet;
  readonly #turned = new Set<AddressValue>();

  /** One more holder of this address. */
  hold(value: AddressValue): void {
    const holders = this.#holders.get(value) ?? 0;
    if (holders === 0 && !this.#touched.has(value)) this.#touched.set(value, false);
    this.#holders.set(value, holders + 1);
  }

  /** One holder of this address less. */
  release(value: AddressValue): void {
    const holders = this.#holders.get(value) ?? 0;
    if (holders > 1) {
      this.#holders.set(value, holders - 1);
      return;
    }
    this.#holders.delete(value);
    if (!this.#touched.has(value)) this.#touched.set(value, true);
  }

  /** The set as of the last `take`. */
  get set(): AddressSet {
    if (this.#turned.size > 0) {
      this.#set = toggleSingles(this.#set, [...this.#turned]);
      this.#turned.clear();
    }
    return this.#set;
  }

  /** True when nobody holds an address. */
  get isEmpty(): boolean {
    return this.#holders.size === 0;
  }

  /** Brings the set up to date; undefined when it is what it was, however much came and went in between. */
  take(): { readonly added: AddressSet; readonly removed: AddressSet } | undefined {
    const added: AddressValue[] = [];
    const removed: AddressValue[] = [];
    for (const [value, wasIn] of this.#touched) {
      if (this.#holders.has(value) === wasIn) continue;
      (wasIn ? removed : added).push(value);
    }
    this.#touched = new Map();
    if (added.length + removed.length === 0) return undefined;
    for (const value of [...added, ...removed]) if (!this.#turned.delete(value)) this.#turned.add(value);
    return { added: toggleSingles(emptySet, added), removed: toggleSingles(emptySet, removed) };
  }
}
