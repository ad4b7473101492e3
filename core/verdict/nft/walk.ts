import { Budget, OverBudget } from "../budget.ts";
import { recordOf } from "./listing.ts";
import type { ListedChain, ListedRule, ListedTable } from "./listing.ts";
import type { Viewpoint } from "./fields.ts";
import { MAX_PARTS, readFields, readMatch, readSet, selectKeys } from "./match.ts";
import { CONDITIONAL, describe, groupByVerdict, isMemory, PASSIVE, SIDE_EFFECTS } from "./statements.ts";
import {
  costOf,
  emptySpace,
  equalSpaces,
  intersectSpaces,
  isEmptySpace,
  subtractSpaces,
  uniteSpaces,
  wholeSpace,
} from "./space.ts";
import type { Space } from "./space.ts";

/** New connections that one hook of a table lets pass: an upper bound, exact where nothing is uncertain. */
export interface Admitted {
  readonly space: Space;
  /** Texts of what was not understood, each with its chain. */
  readonly uncertain: readonly string[];
  /** True when following the rules would have cost more than the budget: `space` is then everything that entered. */
  readonly isOverBudget: boolean;
}

/** Where a walk came to an end: a rule's verdict, or the policy of a base chain. */
export interface Decision {
  readonly chain: string;
  readonly verdict: "accept" | "drop";
  /** True when no rule decided. */
  readonly byPolicy: boolean;
  /** The named counter that the deciding rule counts into. */
  readonly counter: string | undefined;
}

/** How to walk; without anything, every connection and the policies as they are listed. */
export interface WalkOptions {
  /** Only these connections enter. */
  readonly entering?: Space;
  /** Read every base chain as if its policy were to drop: what is left is what rules accept. */
  readonly policiesDrop?: boolean;
  /** Called for every verdict that some of the connections meet. */
  readonly onDecision?: (decision: Decision) => void;
}

/** The kernel allows a jump depth of 16; more than that is a loop we must not follow. */
const MAX_DEPTH = 20;

/**
 * What following one hook of one table may cost where the caller brings no budget: about a second. A step is one number of a set that an
 * operation reads.
 */
export const HOOK_STEPS = 20_000_000;

/** So many answers of a chain are remembered, the latest ones: a chain is mostly entered with the same connections, or with ever new ones. */
const REMEMBERED = 8;

/** What is said instead of an answer that would cost too much. */
export const TOO_MUCH = "following its chains takes more steps than the budget allows, so nothing was concluded";

/**
 * Follows every new connection with another machine through the base chains of a hook.
 *
 * A connection passes when all base chains let it. Without a base chain there everything passes. What is not understood may match
 * or not: it never closes anything and is named in `uncertain`; with `view.atLeast` it never opens anything. A chain is followed once for the same connections, however many rules
 * jump to it, and all of it within a budget (`view.budget`): whoever writes the listing does not decide how long reading it takes.
 */
export function admittedBy(table: ListedTable, view: Viewpoint, options: WalkOptions = {}): Admitted {
  const entering = options.entering ?? wholeSpace;
  if (view.atLeast === true && table.strange.length > 0) return { space: emptySpace, uncertain: [], isOverBudget: false };
  if (!table.exists || table.isDormant) return { space: entering, uncertain: [], isOverBudget: false };
  const uncertain = new Set<string>();
  const limited = { ...view, budget: view.budget ?? new Budget(HOOK_STEPS) };
  let space = entering;
  try {
    for (const chain of table.chains.values()) {
      if (chain.hook !== view.hook && !isOnTheWay(chain, view)) continue;
      if (chain.type !== "filter") uncertain.add(`chain ${chain.name} of type ${chain.type ?? "unknown"} is not interpreted`);
      else space = intersectSpaces(space, new Walk(table, limited, uncertain, options).baseChain(chain, entering));
    }
  } catch (error) {
    if (!(error instanceof OverBudget)) throw error;
    return { space: entering, uncertain: [...uncertain, TOO_MUCH], isOverBudget: true };
  }
  return { space, uncertain: [...uncertain], isOverBudget: false };
}

/** Hooks that a packet passes beside the one that is asked for (nft(8), "ADDRESS FAMILIES"). */
const ON_THE_WAY: Readonly<Record<Viewpoint["hook"], readonly string[]>> = {
  input: ["ingress", "prerouting"],
  output: ["postrouting"],
};

/** A chain that may drop before or after the hook: it is followed where only what surely passes counts. */
export function isOnTheWay({ hook, type }: ListedChain, view: Pick<Viewpoint, "hook" | "atLeast">): boolean {
  return view.atLeast === true && type === "filter" && ON_THE_WAY[view.hook].includes(hook ?? "");
}

/** The packets a rule is about so far. */
interface Matched {
  upper: Space;
  firm: Space;
  lower: Space;
  readonly doubts: string[];
}

/** What a chain did with what entered it: what it accepted is in `accepted` for good, so only what leaves it is remembered. */
interface Followed {
  readonly entering: Space;
  readonly passing: Space;
}

/** What a chain does with what enters it: `passing` leaves at the end or by return. */
class Walk {
  readonly #table: ListedTable;
  readonly #view: Viewpoint & { readonly budget: Budget };
  readonly #followed = new Map<string, Followed[]>();
  /** Chains that are being followed; one that comes back to itself never ends. */
  readonly #open = new Set<string>();
  readonly #uncertain: Set<string>;
  readonly #options: WalkOptions;
  #accepted: Space = emptySpace;
  #current: ListedRule | undefined;

  constructor(table: ListedTable, view: Viewpoint & { readonly budget: Budget }, uncertain: Set<string>, options: WalkOptions) {
    this.#table = table;
    this.#view = view;
    this.#uncertain = uncertain;
    this.#options = options;
  }

  baseChain(chain: ListedChain, entering: Space): Space {
    this.#open.add(chain.name);
    const passing = this.#chain(chain, entering, 0);
    const verdict = this.#options.policiesDrop === true ? "drop" : chain.policy;
    this.#current = undefined;
    this.#tell(chain, verdict, passing);
    return verdict === "accept" ? uniteSpaces(this.#accepted, passing) : this.#accepted;
  }

  #tell(chain: ListedChain, verdict: Decision["verdict"], met: Space): void {
    if (this.#options.onDecision === undefined || isEmptySpace(met)) return;
    const counter = this.#current?.expressions.map((part) => recordOf(part)["counter"]).find((name) => typeof name === "string");
    this.#options.onDecision({ chain: chain.name, verdict, byPolicy: this.#current === undefined, counter });
  }

  #chain(chain: ListedChain, entering: Space, depth: number): Space {
    const flow = { going: entering, returned: emptySpace };
    for (const rule of chain.rules) {
      this.#spend(flow.going);
      if (isEmptySpace(flow.going)) break;
      this.#rule(chain, rule, flow, depth);
    }
    return uniteSpaces(flow.going, flow.returned);
  }

  /** Counts an operation on these sets before it is done. */
  #spend(...spaces: readonly Space[]): void {
    this.#view.budget.spend(spaces.reduce((sum, space) => sum + costOf(space), 1));
  }

  #rule(chain: ListedChain, rule: ListedRule, flow: Flow, depth: number): void {
    this.#current = rule;
    this.#view.budget.spend(rule.expressions.length);
    const matched: Matched = { upper: flow.going, firm: flow.going, lower: flow.going, doubts: [] };
    for (const expression of rule.expressions) {
      if (isEmptySpace(matched.upper)) return;
      for (const [kind, value] of Object.entries(recordOf(expression))) this.#statement(chain, kind, value, matched, flow, depth);
    }
  }

  #statement(chain: ListedChain, kind: string, value: unknown, matched: Matched, flow: Flow, depth: number): void {
    if (PASSIVE.has(kind)) return;
    if (kind === "match") this.#narrow(chain, recordOf(value), matched);
    else if (kind === "vmap") this.#verdictMap(chain, recordOf(value), matched, flow, depth);
    else if (kind === "set" && isMemory(value)) return;
    else if (SIDE_EFFECTS.has(kind)) {
      this.#uncertain.add(describe(chain, { [kind]: value }));
      // A set that is full, or a rate in it, ends the rule.
      if (this.#isAtLeast) matched.firm = emptySpace;
    } else if (!this.#verdict(chain, kind, value, matched, flow, depth)) this.#sometimes(chain, kind, value, matched, flow);
  }

  /** A limit lets the rule match sometimes; a statement that nobody here knows may also accept. */
  #sometimes(chain: ListedChain, kind: string, value: unknown, matched: Matched, flow: Flow): void {
    const text = describe(chain, { [kind]: value });
    if (CONDITIONAL.has(kind)) matched.doubts.push(text);
    else {
      this.#uncertain.add(text);
      this.#unknown(matched, flow);
    }
    matched.firm = emptySpace;
    matched.lower = emptySpace;
  }

  /** What nobody here knows may accept, and may drop. */
  #unknown({ upper }: Matched, flow: Flow): void {
    if (this.#isAtLeast) flow.going = subtractSpaces(flow.going, upper);
    else this.#accept(upper);
  }

  #narrow(chain: ListedChain, match: Readonly<Record<string, unknown>>, matched: Matched): void {
    const read = readMatch(match, this.#table, this.#view);
    this.#spend(read.upper, read.firm, read.lower, matched.upper, matched.firm, matched.lower);
    matched.upper = intersectSpaces(matched.upper, read.upper);
    matched.firm = intersectSpaces(matched.firm, read.firm);
    matched.lower = intersectSpaces(matched.lower, read.lower);
    if (isDoubtful(read)) matched.doubts.push(describe(chain, { match }));
  }

  /** Applies a verdict; false when the statement is none. */
  #verdict(chain: ListedChain, kind: string, value: unknown, matched: Matched, flow: Flow, depth: number): boolean {
    const target = recordOf(value)["target"];
    switch (kind) {
      case "accept":
        this.#accept(this.#met(matched));
        this.#tell(chain, "accept", matched.upper);
        break;
      case "drop":
      case "reject":
        this.#tell(chain, "drop", matched.upper);
        break;
      case "return":
        this.#spend(flow.returned, matched.upper);
        flow.returned = uniteSpaces(flow.returned, this.#met(matched));
        break;
      case "jump":
        this.#leave(matched, flow);
        flow.going = this.#unite(flow.going, this.#enter(chain, target, this.#met(matched), depth));
        return true;
      case "goto":
        flow.returned = this.#unite(flow.returned, this.#enter(chain, target, this.#met(matched), depth));
        break;
      case "continue":
        return true;
      default:
        return false;
    }
    this.#leave(matched, flow);
    return true;
  }

  /** What meets the verdict of a rule: what may, or what surely does where whoever connects wants it to. */
  #met({ upper, firm }: Matched): Space {
    return this.#isAtLeast ? firm : upper;
  }

  get #isAtLeast(): boolean {
    return this.#view.atLeast === true;
  }

  /** What certainly matched goes on no further in this chain; doubts are told when they made a difference. */
  #leave(matched: Matched, flow: Flow): void {
    const { upper, firm, lower } = matched;
    this.#spend(flow.going, upper, firm, lower);
    flow.going = subtractSpaces(flow.going, this.#isAtLeast ? uniteSpaces(lower, subtractSpaces(upper, firm)) : lower);
    if (matched.doubts.length === 0 || !isDoubtful(matched)) return;
    for (const doubt of matched.doubts) this.#uncertain.add(doubt);
  }

  #enter(chain: ListedChain, target: unknown, entering: Space, depth: number): Space {
    const next = this.#table.chains.get(String(target));
    if (next !== undefined && depth < MAX_DEPTH && !this.#open.has(next.name)) {
      const known = this.#followed.get(next.name)?.find((followed) => equalSpaces(followed.entering, entering));
      if (known !== undefined) return known.passing;
      const calling = this.#current;
      this.#open.add(next.name);
      const passing = this.#chain(next, entering, depth + 1);
      this.#open.delete(next.name);
      this.#current = calling;
      this.#remember(next, { entering, passing });
      return passing;
    }
    this.#uncertain.add(
      `chain ${chain.name} jumps to ${String(target)}, which ${next === undefined ? "is not listed" : "never ends"}`,
    );
    if (this.#isAtLeast) return emptySpace;
    this.#accept(entering);
    return entering;
  }

  #remember(chain: ListedChain, followed: Followed): void {
    const known = this.#followed.get(chain.name) ?? [];
    this.#followed.set(chain.name, [followed, ...known.slice(0, REMEMBERED - 1)]);
  }

  #accept(connections: Space): void {
    this.#accepted = this.#unite(this.#accepted, connections);
  }

  #unite(a: Space, b: Space): Space {
    this.#spend(a, b);
    return uniteSpaces(a, b);
  }

  #verdictMap(chain: ListedChain, vmap: Readonly<Record<string, unknown>>, matched: Matched, flow: Flow, depth: number): void {
    const fields = readFields(vmap["key"], this.#view);
    const elements = readSet(vmap["data"], this.#table);
    if (elements === undefined || fields.length > MAX_PARTS) {
      this.#unknownMap(chain, vmap, matched, flow);
      return;
    }
    this.#view.budget.spend(elements.length);
    for (const { verdict, keys } of groupByVerdict(elements)) {
      const read = selectKeys(fields, keys, this.#view);
      this.#spend(read.upper, read.firm, read.lower, matched.upper, matched.firm, matched.lower);
      const part: Matched = {
        upper: intersectSpaces(matched.upper, read.upper),
        firm: intersectSpaces(matched.firm, read.firm),
        lower: intersectSpaces(matched.lower, read.lower),
        doubts: [...matched.doubts],
      };
      if (isDoubtful(read)) part.doubts.push(describe(chain, { vmap: vmap["key"] }));
      const [[kind, value] = ["unknown", null]] = Object.entries(verdict);
      if (!this.#verdict(chain, kind, value, part, flow, depth)) this.#unknownMap(chain, vmap, part, flow);
      matched.upper = subtractSpaces(matched.upper, part.lower);
      matched.firm = subtractSpaces(matched.firm, part.upper);
      matched.lower = subtractSpaces(matched.lower, part.upper);
    }
  }

  /** Nobody knows what such a map decides. */
  #unknownMap(chain: ListedChain, vmap: Readonly<Record<string, unknown>>, matched: Matched, flow: Flow): void {
    this.#unknown(matched, flow);
    this.#uncertain.add(describe(chain, { vmap }));
    matched.firm = emptySpace;
    matched.lower = emptySpace;
  }
}

interface Flow {
  going: Space;
  returned: Space;
}

function isDoubtful({ upper, firm }: { readonly upper: Space; readonly firm: Space }): boolean {
  return !isEmptySpace(subtractSpaces(upper, firm));
}
