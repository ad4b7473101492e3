import type { CompiledPolicy, CompiledRule } from "./compiled.ts";
import type { Bound } from "./unknown.ts";

/**
 * Policies and rules where it is not known whom they name, as a bound has them.
 *
 * For the least that is open, what may deny denies, and what may allow does not; for the most the other way round. What may pass is
 * neither: whom it may name is denied (allowed) right behind it, and whom it names surely has passed before.
 */
export class Doubtful {
  readonly #bound: Bound;
  readonly #isUnsure: boolean;
  readonly #maybe = new Map<CompiledPolicy, CompiledPolicy>();
  readonly #originals = new Map<CompiledPolicy, CompiledPolicy>();
  readonly #behindPass = new Set<CompiledRule>();

  constructor(bound: Bound, isUnsure: boolean) {
    this.#bound = bound;
    this.#isUnsure = isUnsure;
  }

  /** The policy as it is towards a subject that it may select. */
  maybe(policy: CompiledPolicy): CompiledPolicy {
    const known = this.#maybe.get(policy);
    if (known !== undefined) return known;
    const change = (rules: readonly CompiledRule[] | null): readonly CompiledRule[] | null =>
      rules === null ? null : this.#reduced(rules, policy.tier !== undefined);
    const made = { ...policy, ingress: change(policy.ingress), egress: change(policy.egress) };
    this.#maybe.set(policy, made);
    this.#originals.set(made, this.original(policy));
    return made;
  }

  isDoubtful(policy: CompiledPolicy): boolean {
    return this.#originals.has(policy) && policy.tier === undefined;
  }

  /** The policy that was given. */
  original(policy: CompiledPolicy): CompiledPolicy {
    return this.#originals.get(policy) ?? policy;
  }

  /** A cluster-wide policy with a rule behind each that passes, for those whom it may name. */
  passing(policy: CompiledPolicy): CompiledPolicy {
    const isPassing = [...(policy.ingress ?? []), ...(policy.egress ?? [])].some(({ action }) => action === "pass");
    if (!this.#isUnsure || !isPassing) return policy;
    const change = (rules: readonly CompiledRule[] | null): readonly CompiledRule[] | null =>
      rules?.flatMap((rule) => (rule.action === "pass" ? [rule, this.#behind(rule)] : [rule])) ?? null;
    const made = { ...policy, ingress: change(policy.ingress), egress: change(policy.egress) };
    this.#originals.set(made, policy);
    return made;
  }

  /** Are those whom the rule may name among those whom it names? */
  isWide(rule: CompiledRule): boolean {
    return this.#behindPass.has(rule) || rule.action === (this.#bound === "least" ? "deny" : "accept");
  }

  #behind(rule: CompiledRule): CompiledRule {
    const made: CompiledRule = { ...rule, action: this.#bound === "least" ? "deny" : "accept" };
    this.#behindPass.add(made);
    return made;
  }

  #reduced(rules: readonly CompiledRule[], isOfTier: boolean): readonly CompiledRule[] {
    const kept = this.#bound === "least" ? "deny" : "accept";
    if (!isOfTier) return this.#bound === "least" ? [] : rules;
    return rules.flatMap((rule) => (rule.action === kept ? [rule] : rule.action === "pass" ? [this.#behind(rule)] : []));
  }
}
