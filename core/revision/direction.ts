import type { Definitions, IsolationMode, Segment } from "../model/kinds.ts";
import { said } from "./said.ts";

/**
 * Whether a revision can open a connection that the one before it does not let through, or close one, whatever workloads there are. "No" is
 * certain: nothing differs but rules that are taken away (or added), and isolation that gets stricter (or looser). Everything else is "yes".
 */
export function mayOpen(before: Definitions, after: Definitions): boolean {
  return !isWithin(after, before);
}

/** @see mayOpen */
export function mayClose(before: Definitions, after: Definitions): boolean {
  return !isWithin(before, after);
}

/** True when `less` lets nothing through that `more` does not. */
function isWithin(less: Definitions, more: Definitions): boolean {
  if (worldOf(less) !== worldOf(more)) return false;
  const rules = rulesOf(more);
  if (![...rulesOf(less)].every((rule) => rules.has(rule))) return false;
  const needy = [...less.segments.values()].filter(({ name, needs }) => needs.length > 0 && !more.segments.has(name));
  if (needy.length > 0) return false;
  // A segment that only `less` has isolates there, and nothing else: no rule and no other segment of `more` names it.
  return [...more.segments.values()].every((segment) => {
    const stricter = less.segments.get(segment.name);
    return stricter !== undefined && membersOf(segment) === membersOf(stricter) && isStricter(stricter, segment);
  });
}

/** All that decides about connections beside rules and segments. */
function worldOf({ clusters, fleets, externals, workspace }: Definitions): string {
  const { internal, essentials } = workspace;
  return said([[...clusters.values()], [...fleets.values()], [...externals.values()], internal, essentials]);
}

function rulesOf({ policies }: Definitions): ReadonlySet<string> {
  return new Set(
    [...policies.values()].flatMap(({ rules }) => rules.map(({ from, to, ports, same }) => said({ from, to, ports, same }))),
  );
}

function membersOf({ members, not, needs }: Segment): string {
  return said({ members, not, needs });
}

const RANK: Readonly<Record<IsolationMode, number>> = { off: 0, observe: 1, enforce: 2 };

function isStricter(a: Segment, b: Segment): boolean {
  return (["ingress", "egress"] as const).every((direction) => RANK[a.isolate[direction]] >= RANK[b.isolate[direction]]);
}
