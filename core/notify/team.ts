import type { Finding } from "../finding/finding.ts";
import type { Definitions, Policy } from "../model/kinds.ts";

/**
 * Owners of the policies that a finding concerns, by name; empty: nobody owns it.
 *
 * A finding that points into a policy is its owner's: of the last one that begins at or above its line in the same file. One that points
 * at a segment (whose object was changed) is of those who let somebody reach it, or else of those who let it reach somebody.
 */
export function teamsOf(definitions: Definitions, { at }: Pick<Finding, "at">): readonly string[] {
  if (at === undefined) return [];
  const policies = [...definitions.policies.values()];
  const segment = [...definitions.segments.values()].find((one) => one.at.file === at.file && one.at.line === at.line);
  if (segment !== undefined) {
    const towards = policies.filter(({ rules }) => rules.some(({ to }) => to.includes(segment.name)));
    return ownersOf(
      towards.length > 0 ? towards : policies.filter(({ rules }) => rules.some(({ from }) => from.includes(segment.name))),
    );
  }
  const above = policies.filter((policy) => policy.at.file === at.file && policy.at.line <= at.line);
  return ownersOf(above.sort((a, b) => b.at.line - a.at.line).slice(0, 1));
}

function ownersOf(policies: readonly Policy[]): readonly string[] {
  return [...new Set(policies.flatMap(({ owner }) => owner ?? []))].sort();
}
