import type { Finding } from "../finding/finding.ts";
import type { Definitions, Guardrail, Policy } from "../model/kinds.ts";

/**
 * Owners of what a finding concerns, by name; empty: nobody owns it.
 *
 * A finding that points into a policy or a guardrail is its owner's: of the definition that begins last at or above its line in the same
 * file, whatever else stands in that file. One that points into a segment (whose object was changed) is of {@link teamsOfSegment}.
 */
export function teamsOf(definitions: Definitions, { at }: Pick<Finding, "at">): readonly string[] {
  if (at === undefined) return [];
  const { policies, guardrails, segments, clusters, fleets, externals } = definitions;
  const all = [policies, guardrails, segments, clusters, fleets, externals].flatMap((some) => [...some.values()]);
  const above = all.filter((one) => one.at.file === at.file && one.at.line <= at.line);
  const found = above.reduce<(typeof all)[number] | undefined>(
    (last, one) => (last === undefined || one.at.line > last.at.line ? one : last),
    undefined,
  );
  if (found?.kind === "Segment") return teamsOfSegment(definitions, found.name);
  return found?.kind === "Policy" || found?.kind === "Guardrail" ? ownersOf([found]) : [];
}

/** Owners of the policies that let somebody reach a segment, or else of those that let it reach somebody. */
export function teamsOfSegment({ policies }: Definitions, name: string): readonly string[] {
  const all = [...policies.values()];
  const towards = all.filter(({ rules }) => rules.some(({ to }) => to.includes(name)));
  return ownersOf(towards.length > 0 ? towards : all.filter(({ rules }) => rules.some(({ from }) => from.includes(name))));
}

/** Names, sorted. */
export function ownersOf(owned: readonly (Policy | Guardrail)[]): readonly string[] {
  return [...new Set(owned.flatMap(({ owner }) => owner ?? []))].sort();
}
