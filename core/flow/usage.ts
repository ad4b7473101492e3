import type { ConnectivityWorld } from "../guardrail/world.ts";
import { endReader } from "../guardrail/ends.ts";
import { formatPosition } from "../model/note.ts";
import type { Rule } from "../model/kinds.ts";
import type { Party } from "../reach/source.ts";
import type { Coverage, FlowTable } from "./flow.ts";
import { gapsOf } from "./ready.ts";
import { seenOf, type Seen, type Unclear } from "./seen.ts";

/**
 * used: a connection that it allows was seen · unseen: none, though somebody at its ends was seen meanwhile · unknown: nobody looked at its
 * ends, or the window is shorter than what was asked for.
 */
export type RuleUsage = "used" | "unseen" | "unknown";

/** One rule and what was seen of it. */
export interface UsageLine {
  /** `POLICY/INDEX` */
  readonly rule: string;
  readonly at: string;
  readonly owner: string | null;
  readonly usage: RuleUsage;
  readonly count: number;
  /** ISO 8601, UTC; null: never seen. */
  readonly last: string | null;
  /** Why it is unknown, as a sentence; null otherwise. */
  readonly why: string | null;
}

/** Which rules carried what was seen. */
export interface UsageAnswer {
  /** Days that a window needs before "unseen" is said. */
  readonly days: number;
  readonly rules: readonly UsageLine[];
  readonly unclear: readonly Unclear[];
  readonly coverage: readonly Coverage[];
  readonly gaps: readonly string[];
}

const DAY_MS = 86_400_000;

/**
 * Which rules allowed something that was seen. A rule counts for what it allows, whether or not another one allows it, too.
 *
 * @param days a rule is unseen only where its ends were looked at for so long: a job that runs once a quarter is not unused
 */
export function usageOf(world: ConnectivityWorld, table: FlowTable, days: number): UsageAnswer {
  const { definitions, estate } = world;
  const { seen, unclear } = seenOf(estate, table.flows);
  const read = endReader(definitions, estate);
  const holds = (names: readonly string[], party: Party): boolean =>
    names.some((name) => {
      const end = read(name);
      return party.kind === "workload" ? end.has(party.workload) : name === "any" || name === "internet";
    });
  const passed = seen.filter(({ isRefused }) => !isRefused);
  const rules = [...definitions.policies.values()].flatMap(({ rules: of, owner }) =>
    of.map((rule): UsageLine => {
      const line = { rule: rule.id, at: formatPosition(rule.at), owner: owner ?? null };
      const used = passed.filter((one) => allows(rule, one) && holds(rule.from, one.initiator) && holds(rule.to, one.responder));
      if (used.length > 0) {
        const last = Math.max(...used.map((one) => one.last));
        const count = used.reduce((sum, one) => sum + one.count, 0);
        return { ...line, usage: "used", count, last: new Date(last).toISOString(), why: null };
      }
      const near = passed.filter((one) => holds(rule.from, one.initiator) || holds(rule.to, one.responder));
      const why = whyUnknown(near, days);
      return { ...line, usage: why === null ? "unseen" : "unknown", count: 0, last: null, why };
    }),
  );
  return { days, rules, unclear, coverage: table.coverage, gaps: [...world.gaps, ...gapsOf(table)] };
}

/** Somebody at its ends was seen, early and late enough: then who is not seen is not used. */
function whyUnknown(near: readonly Seen[], days: number): string | null {
  if (near.length === 0) return "nobody at its ends was seen: no source may look there";
  const first = Math.min(...near.map((one) => one.first));
  const last = Math.max(...near.map((one) => one.last));
  const found = Math.floor((last - first) / DAY_MS);
  return found >= days ? null : `its ends were seen over ${found} ${found === 1 ? "day" : "days"} only`;
}

/** By its ports; a rule with `same` counts for every pair of its segments, so it is rather called used than not. */
function allows({ ports }: Rule, { protocol, port }: Seen): boolean {
  if (ports === "any") return true;
  return ports.some((allowed) => {
    if (allowed.kind === "range") return allowed.protocol === protocol && allowed.from <= port && port <= allowed.to;
    if (allowed.kind === "icmp") return allowed.protocol === protocol && (allowed.type === undefined || allowed.type === port);
    return allowed.protocol === protocol; // a named port may be any number: rather used than not
  });
}
