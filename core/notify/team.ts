import type { Finding } from "../drift/finding.ts";
import type { Definitions } from "../model/kinds.ts";

/** Owner of the policy that a finding points into: the last one that begins at or above its line in the same file. */
export function teamOf(definitions: Definitions, { at }: Pick<Finding, "at">): string | undefined {
  if (at === undefined) return undefined;
  const inFile = [...definitions.policies.values()].filter((policy) => policy.at.file === at.file && policy.at.line <= at.line);
  return inFile.sort((a, b) => b.at.line - a.at.line)[0]?.owner;
}
