import type { AddressSet } from "../address/index.ts";
import { formatHostConnection, hostEffect } from "../verdict/nft.ts";
import type { HostEffect } from "../verdict/nft.ts";
import { NO_EFFECT } from "./finding.ts";
import type { FindingEffect, Severity } from "./finding.ts";

/** Most lines per list that people are shown; the last one says how many more. */
const MAX_LINES = 20;

/** What turning one listing into another does to the host's connections, in words. `local`: the host's own addresses. */
export function effectBetween(before: readonly unknown[], after: readonly unknown[], local: AddressSet): FindingEffect {
  return describeEffect(hostEffect(before, after, undefined, local));
}

/** An effect for a finding; not knowing is said, unless something is known to open. */
export function describeEffect(effect: HostEffect): FindingEffect {
  const verdict = effect.uncertain.length > 0 && effect.opened.length === 0 ? "uncertain" : effect.kind;
  return { verdict, opened: cut(effect.opened.map(formatHostConnection)), closed: cut(effect.closed.map(formatHostConnection)) };
}

/** An effect that cannot be told from the rules. */
export const UNCERTAIN: FindingEffect = { ...NO_EFFECT, verdict: "uncertain" };

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

/** True when more is reachable than the definitions say. */
export function isWider(effect: FindingEffect): boolean {
  return effect.verdict === "opens" || effect.verdict === "both";
}

/** The lines, or the first of them and how many more there are. */
export function cut(lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES - 1), `and ${lines.length - MAX_LINES + 1} more`];
}
