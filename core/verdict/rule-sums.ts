import { noPorts, portRanges, portsFromRanges } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Budget } from "./budget.ts";
import { BOTH_FAMILIES } from "./classes.ts";
import type { CompiledRule } from "./compiled.ts";
import type { ActiveRule } from "./active-rule.ts";

/**
 * What a long list of rules that only add up lets each peer do.
 *
 * Which rules name a peer is looked up once, by reading every rule's mask (rules × classes in all); the sum per peer and family is
 * remembered, for every subject under the same policies.
 */
export class RuleSums {
  readonly #rules: readonly ActiveRule[];
  readonly #portsAt: (rule: CompiledRule, peer: number) => PortSet;
  readonly #budget: Budget | undefined;
  /** Per peer, the indices of the rules that name it in some family; those of rules without peers apart. */
  readonly #naming: (number[] | undefined)[] = [];
  readonly #everybody: number[] = [];
  readonly #known = new Map<number, PortSet>();

  constructor(
    rules: readonly ActiveRule[],
    classes: number,
    portsAt: (rule: CompiledRule, peer: number) => PortSet,
    budget: Budget | undefined,
  ) {
    this.#rules = rules;
    this.#portsAt = portsAt;
    this.#budget = budget;
    budget?.spend(rules.length * classes);
    for (const [index, { mask }] of rules.entries()) {
      if (mask === undefined) {
        this.#everybody.push(index);
        continue;
      }
      for (let peer = 0; peer < mask.length; peer += 1) if (mask[peer] !== 0) (this.#naming[peer] ??= []).push(index);
    }
  }

  accepted(peer: number, family: number): PortSet {
    const key = peer * (BOTH_FAMILIES + 1) + family;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const sum = this.#sum(peer, family);
    this.#known.set(key, sum);
    return sum;
  }

  #sum(peer: number, family: number): PortSet {
    const named = (this.#naming[peer] ?? []).filter((index) => ((this.#rules[index]?.mask?.[peer] ?? 0) & family) !== 0);
    const sets = [...named, ...this.#everybody].map((index) => {
      const { rule, ports } = this.#rules[index] as ActiveRule; // indices of this very list
      return ports ?? this.#portsAt(rule, peer);
    });
    const [only, ...more] = sets;
    if (only === undefined) return noPorts;
    if (more.length === 0) return only;
    const ranges = sets.flatMap((ports) => portRanges(ports));
    this.#budget?.spend(8 * (sets.length + ranges.length));
    return { ...portsFromRanges(ranges), other: sets.some(({ other }) => other) };
  }
}
