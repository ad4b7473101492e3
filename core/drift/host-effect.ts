import type { AddressSet } from "../address/index.ts";
import type { NftRuleset } from "../render/nft.ts";
import { Budget } from "../verdict/budget.ts";
import { accessDifference, formatHostConnection, hostAccess } from "../verdict/nft.ts";
import type { HostAccess, HostEffect } from "../verdict/nft.ts";
import { FINDING_LENGTH, tellLines } from "../finding/effect-lines.ts";
import { NO_EFFECT } from "../finding/finding.ts";
import type { Finding, FindingEffect, Severity } from "../finding/finding.ts";

/**
 * What a comparison of one host may cost, in steps of 20 to 50 ns: half a second, besides so many times what reading our own ruleset
 * costs. Everything that root of the host can write counts against it, so that no listing holds up the looks at others.
 */
export const HOST_STEPS = 10_000_000;
const TIMES_OURS = 12;

/** An effect, and whether it could be told at all. What was not compared is treated as if it opened. */
export interface Judged extends FindingEffect {
  readonly isNotCompared: boolean;
}

/** What the comparisons of one host share. */
export class HostJudge {
  readonly expected: NftRuleset;
  /** The host's own addresses. */
  readonly local: AddressSet;
  readonly #steps: number;
  #read: { readonly access: HostAccess; readonly budget: Budget } | undefined;

  constructor(expected: NftRuleset, local: AddressSet, steps: number) {
    this.expected = expected;
    this.local = local;
    this.#steps = steps;
  }

  /** What our own ruleset lets through, as it should be. It is ours, so its size is nobody's attack. */
  get access(): HostAccess {
    return this.#once().access;
  }

  /** What is left for what the host says. */
  get budget(): Budget {
    return this.#once().budget;
  }

  /** What having this listing instead of ours does to the host's connections, in words. */
  effectOf(listing: readonly unknown[]): Judged {
    if (this.budget.isSpent) return NOT_COMPARED;
    const live = hostAccess(listing, undefined, this.local, this.budget);
    const effect = accessDifference(this.access, live, this.budget);
    return { ...describeEffect(effect), isNotCompared: effect.isOverBudget };
  }

  /** Counts work that is about to be done; false when it is more than what is left. */
  affords(steps: number): boolean {
    if (steps > this.budget.left) return false;
    this.budget.spend(steps);
    return true;
  }

  #once(): { readonly access: HostAccess; readonly budget: Budget } {
    if (this.#read === undefined) {
      const ours = new Budget(OUR_STEPS);
      const access = hostAccess(this.expected, undefined, this.local, ours);
      this.#read = { access, budget: new Budget(this.#steps + TIMES_OURS * ours.spent) };
    }
    return this.#read;
  }
}

/** A host that Git gives more than this is told as one that cannot be compared. */
const OUR_STEPS = 200_000_000;

/** An effect for a finding; not knowing is said, unless something is known to open. */
export function describeEffect(effect: HostEffect): FindingEffect {
  const verdict = effect.uncertain.length > 0 && effect.opened.length === 0 ? "uncertain" : effect.kind;
  return { verdict, ...tellLines(effect, formatHostConnection, FINDING_LENGTH) };
}

/** A finding of a host, and whether what it does could be told. */
export interface FoundOnHost {
  readonly finding: Finding;
  readonly isNotCompared: boolean;
}

/** Added to the summary of what was not compared. */
export const NOT_COMPARED_WORDS = "not compared, too large: treated as if it opened";

/** An effect that cannot be told from the rules. */
export const UNCERTAIN: FindingEffect = { ...NO_EFFECT, verdict: "uncertain" };

/** Beyond the budget. */
export const NOT_COMPARED: Judged = { ...UNCERTAIN, isNotCompared: true };

/** widened > uncertain > narrowed > equivalent; what is foreign and does nothing is only worth knowing. */
export function severityOf(effect: FindingEffect, isForeign: boolean): Severity {
  switch (effect.verdict) {
    case "opens":
    case "both":
      return isForeign ? "high" : "critical";
    case "closes":
      return "medium";
    case "uncertain":
      return "medium";
    case "equivalent":
      return isForeign ? "info" : "low";
    default:
      return effect.verdict satisfies never;
  }
}

/** True when more is reachable than the definitions say, as far as anybody can tell. */
export function isWider(effect: FindingEffect): boolean {
  return effect.verdict === "opens" || effect.verdict === "both";
}
