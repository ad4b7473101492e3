import { union } from "../address/index.ts";
import type { LiveAddresses } from "../membership/clashes.ts";
import { AddressEntry, type AddressValue } from "./address-entry.ts";

/** Who says which address is his: pods or nodes. */
class Claimants {
  readonly entry = new AddressEntry();
  readonly #counts = new Map<AddressValue, number>();
  readonly #changed: (value: AddressValue) => void;

  constructor(changed: (value: AddressValue) => void) {
    this.#changed = changed;
  }

  count(value: AddressValue): number {
    return this.#counts.get(value) ?? 0;
  }

  hold(values: readonly AddressValue[]): void {
    for (const value of values) this.#add(value, 1);
  }

  release(values: readonly AddressValue[]): void {
    for (const value of values) this.#add(value, -1);
  }

  #add(value: AddressValue, by: 1 | -1): void {
    const count = this.count(value) + by;
    if (count > 0) this.#counts.set(value, count);
    else this.#counts.delete(value);
    if (by === 1) this.entry.hold(value);
    else this.entry.release(value);
    this.#changed(value);
  }
}

/** Whose address is whose in one cluster, kept current: see `LiveAddresses`. */
export class LiveClaims {
  readonly pods = new Claimants((value) => this.#settle(value));
  readonly nodes = new Claimants((value) => this.#settle(value));
  readonly #contested = new AddressEntry();
  readonly #disputed = new Set<AddressValue>();

  /** Brings the sets up to date. */
  take(): void {
    for (const entry of [this.pods.entry, this.nodes.entry, this.#contested]) entry.take();
  }

  /** As of the last {@link take}. */
  addresses(): LiveAddresses {
    const nodes = this.nodes.entry.set;
    return { own: union(nodes, this.pods.entry.set), nodes, contested: this.#contested.set };
  }

  #settle(value: AddressValue): void {
    const pods = this.pods.count(value);
    const isDisputed = pods > 1 || (pods === 1 && this.nodes.count(value) > 0);
    if (isDisputed === this.#disputed.has(value)) return;
    if (isDisputed) {
      this.#disputed.add(value);
      this.#contested.hold(value);
    } else {
      this.#disputed.delete(value);
      this.#contested.release(value);
    }
  }
}
