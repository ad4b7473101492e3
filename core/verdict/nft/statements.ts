import { listOf, recordOf } from "./listing.ts";
import type { ListedChain } from "./listing.ts";

/** Statements that change nothing about whether a packet passes. */
export const PASSIVE = new Set(["counter", "log", "comment", "last"]);

/** Statements that let a rule match only sometimes. */
export const CONDITIONAL = new Set(["limit", "quota", "ct count"]);

/** Statements that decide nothing themselves, but change what later rules or other hooks see. */
export const SIDE_EFFECTS = new Set([
  "mangle",
  "set",
  "map",
  "meter",
  "notrack",
  "flow",
  "dup",
  "ct helper",
  "ct timeout",
  "ct expectation",
  "secmark",
]);

/**
 * `update @seen_in4 { … }`: what a host in observe mode remembers. A rule that looked into such a set would match by several fields at once,
 * which is not understood and said.
 */
export function isMemory(statement: unknown): boolean {
  const { op, set } = recordOf(statement);
  return op === "update" && typeof set === "string" && /^@seen_(in|out)[46]$/.test(set);
}

/** Elements of a verdict map that lead to the same verdict. */
export interface VerdictGroup {
  readonly verdict: Readonly<Record<string, unknown>>;
  readonly keys: unknown[];
}

/** Keys of a map never overlap, so their order means nothing. */
export function groupByVerdict(elements: readonly unknown[]): readonly VerdictGroup[] {
  const groups = new Map<string, VerdictGroup>();
  for (const element of elements) {
    const [key, verdict] = listOf(element);
    const text = JSON.stringify(verdict);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { verdict: recordOf(verdict), keys: [key] });
    else group.keys.push(key);
  }
  return [...groups.values()];
}

/** The expression as nft printed it, cut to a length that fits a line. */
export function describe(chain: ListedChain, expression: unknown): string {
  const text = JSON.stringify(expression);
  return `chain ${chain.name}: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`;
}
