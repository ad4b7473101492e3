import { anyV4, anyV6 } from "../../address/index.ts";
import type { AddressSet } from "../../address/index.ts";
import { allPorts } from "../../address/ports.ts";
import { Budget } from "../budget.ts";
import type { Viewpoint } from "./fields.ts";
import { readListing, tablesOf } from "./listing.ts";
import type { ListedChain, ListedTable, TableName } from "./listing.ts";
import { emptySpace, intersectSpaces, spaceFromBoxes, subtractSpaces, uniteSpaces, wholeSpace } from "./space.ts";
import type { Space } from "./space.ts";
import { admittedBy, HOOK_STEPS, isOnTheWay, TOO_MUCH } from "./walk.ts";
import type { Decision } from "./walk.ts";

/** One direction of a host, with all tables that stand in its way. */
export interface RulesetSide {
  /** What passes: an upper bound, exact where nothing is uncertain. */
  readonly space: Space;
  /** What would pass if the chains of `inet firebreak` dropped what no rule accepts: less than `space` where they only observe. */
  readonly accepted: Space;
  /** What surely passes; asked for only. */
  readonly atLeast: Space | undefined;
  /** True when some table hooks in here. */
  readonly isHooked: boolean;
  readonly uncertain: readonly string[];
}

/** A decision, and the table in which it was taken. */
export interface TableDecision extends Decision {
  readonly table: TableName;
}

/** What a whole ruleset of a host lets through, told apart by nothing but packets. */
export interface RulesetAccess {
  readonly input: RulesetSide;
  readonly output: RulesetSide;
  /** Decisions that a part of these connections meets, table by table. */
  readonly decisions: (hook: "input" | "output", connections: Space) => readonly TableDecision[];
}

const FAMILIES: Readonly<Record<string, Space>> = {
  inet: wholeSpace,
  ip: intersectSpaces(wholeSpace, spaceFromBoxes([{ peers: anyV4, ports: allPorts }])),
  ip6: intersectSpaces(wholeSpace, spaceFromBoxes([{ peers: anyV6, ports: allPorts }])),
};

/**
 * Reads every table of a listing: a new connection passes when no table stops it, since an accept in one never undoes a drop in
 * another. `local`: the host's own addresses. Within one budget for all of it: what it does not reach passes and is named. Like `hostAccess`, it never guesses: what is not understood passes and is named.
 */
export function rulesetAccess(listing: unknown, local?: AddressSet, options: AskedOfRuleset = {}): RulesetAccess {
  // All tables together: a listing may hold any number of them.
  const budget = new Budget(4 * HOOK_STEPS);
  const tables = tablesOf(listing).map(({ objects, ...name }) => ({ name, listed: readListing(objects, name) }));
  const side = (hook: "input" | "output"): RulesetSide => sideOf(tables, { hook, local, budget }, options);
  return {
    input: side("input"),
    output: side("output"),
    decisions: (hook, connections) =>
      tables.flatMap(({ name, listed }) => {
        const domain = FAMILIES[name.family];
        if (domain === undefined) return [];
        const found: TableDecision[] = [];
        const onDecision = (decision: Decision): void => void found.push({ ...decision, table: name });
        admittedBy(listed, { hook, local }, { entering: intersectSpaces(domain, connections), onDecision });
        return found;
      }),
  };
}

/** What is worked out beside the upper bound. */
export interface AskedOfRuleset {
  /** What surely passes, too; `local` is then every address of the host. */
  readonly atLeast?: boolean;
}

interface Table {
  readonly name: TableName;
  readonly listed: ListedTable;
}

function sideOf(tables: readonly Table[], view: Viewpoint, asked: AskedOfRuleset): RulesetSide {
  let space = wholeSpace;
  let atLeast = asked.atLeast === true ? wholeSpace : undefined;
  let accepted = wholeSpace;
  let isHooked = false;
  const uncertain: string[] = [];
  for (const { name, listed } of tables) {
    const domain = FAMILIES[name.family];
    uncertain.push(...doubtsOf(name, listed, { ...view, atLeast: asked.atLeast }));
    if (domain === undefined) {
      // What a device lets in is not followed: nothing surely passes behind it.
      if (atLeast !== undefined && name.family === "netdev" && isStopping(listed)) atLeast = emptySpace;
      continue;
    }
    if (view.budget?.isSpent === true) {
      uncertain.push(told(name, TOO_MUCH));
      if (atLeast !== undefined) atLeast = emptySpace;
      continue;
    }
    const outside = subtractSpaces(wholeSpace, domain);
    const admitted = admittedBy(listed, view, { entering: domain });
    const strict = isOurs(name) ? admittedBy(listed, view, { entering: domain, policiesDrop: true }) : admitted;
    if (atLeast !== undefined) {
      const surely = admittedBy(listed, { ...view, atLeast: true }, { entering: domain });
      uncertain.push(...surely.uncertain.map((text) => told(name, text)));
      atLeast = intersectSpaces(atLeast, surely.isOverBudget ? outside : uniteSpaces(surely.space, outside));
    }
    isHooked ||= !listed.isDormant && [...listed.chains.values()].some((chain) => chain.hook === view.hook);
    space = intersectSpaces(space, uniteSpaces(admitted.space, outside));
    accepted = intersectSpaces(accepted, uniteSpaces(strict.space, outside));
    uncertain.push(...admitted.uncertain.map((text) => told(name, text)));
  }
  return { space, accepted, atLeast, isHooked, uncertain };
}

/** What a table has that is not read: chains at other hooks, unknown objects, and families that see packets before or below ours. */
function doubtsOf(name: TableName, { isDormant, strange, chains }: ListedTable, view: Viewpoint): readonly string[] {
  const texts = strange.map((text) => told(name, `not interpreted: ${text}`));
  if (isDormant) return texts;
  for (const chain of chains.values()) {
    if (!mayStop(chain)) continue;
    const isFollowed = (["input", "output"] as const).some((hook) => chain.hook === hook || isOnTheWay(chain, { ...view, hook }));
    const isRead = FAMILIES[name.family] !== undefined && isFollowed;
    const isForwarding = chain.hook === "forward";
    if (!isRead && !isForwarding) texts.push(told(name, `chain ${chain.name} at hook ${chain.hook} is not interpreted`));
  }
  return texts;
}

/** True for a chain at a hook that has anything to say. */
function mayStop({ hook, rules, policy }: ListedChain): boolean {
  return hook !== undefined && (rules.length > 0 || policy === "drop");
}

function isStopping({ isDormant, chains }: ListedTable): boolean {
  return !isDormant && [...chains.values()].some(mayStop);
}

function isOurs({ family, name }: TableName): boolean {
  return family === "inet" && name === "firebreak";
}

function told(name: TableName, text: string): string {
  return `table ${name.family} ${name.name}: ${text}`;
}
