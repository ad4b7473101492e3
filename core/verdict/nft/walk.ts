import { listOf, recordOf } from "./listing.ts";
import type { ListedChain, ListedRule, ListedTable } from "./listing.ts";
import type { Viewpoint } from "./fields.ts";
import { readFields, readMatch, readSet, selectKeys } from "./match.ts";
import { emptySpace, intersectSpaces, isEmptySpace, subtractSpaces, uniteSpaces, wholeSpace } from "./space.ts";
import type { Space } from "./space.ts";

/** New connections that one hook of a table lets pass: an upper bound, exact where nothing is uncertain. */
export interface Admitted {
  readonly space: Space;
  /** Texts of what was not understood, each with its chain. */
  readonly uncertain: readonly string[];
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

/** Statements that change nothing about whether a packet passes. */
const PASSIVE = new Set(["counter", "log", "comment", "last"]);

/** Statements that let a rule match only sometimes. */
const CONDITIONAL = new Set(["limit", "quota", "ct count"]);

/** Statements that decide nothing themselves, but change what later rules or other hooks see. */
const SIDE_EFFECTS = new Set([
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
 * Follows every new connection with another machine through the base chains of a hook.
 *
 * A connection passes when all base chains let it. Without a base chain there everything passes. What is not understood may match
 * or not: it never closes anything and is named in `uncertain`.
 */
export function admittedBy(table: ListedTable, view: Viewpoint, options: WalkOptions = {}): Admitted {
  const entering = options.entering ?? wholeSpace;
  if (!table.exists || table.isDormant) return { space: entering, uncertain: [] };
  const uncertain = new Set<string>();
  let space = entering;
  for (const chain of table.chains.values()) {
    if (chain.hook !== view.hook) continue;
    if (chain.type !== "filter") uncertain.add(`chain ${chain.name} of type ${chain.type ?? "unknown"} is not interpreted`);
    else space = intersectSpaces(space, new Walk(table, view, uncertain, options).baseChain(chain, entering));
  }
  return { space, uncertain: [...uncertain] };
}

/** The packets a rule is about so far. */
interface Matched {
  upper: Space;
  firm: Space;
  lower: Space;
  readonly doubts: string[];
}

/** What a chain does with what enters it: `passing` leaves at the end or by return. */
class Walk {
  readonly #table: ListedTable;
  readonly #view: Viewpoint;
  readonly #uncertain: Set<string>;
  readonly #options: WalkOptions;
  #accepted: Space = emptySpace;
  #current: ListedRule | undefined;

  constructor(table: ListedTable, view: Viewpoint, uncertain: Set<string>, options: WalkOptions) {
    this.#table = table;
    this.#view = view;
    this.#uncertain = uncertain;
    this.#options = options;
  }

  baseChain(chain: ListedChain, entering: Space): Space {
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
      if (isEmptySpace(flow.going)) break;
      this.#rule(chain, rule, flow, depth);
    }
    return uniteSpaces(flow.going, flow.returned);
  }

  #rule(chain: ListedChain, rule: ListedRule, flow: Flow, depth: number): void {
    this.#current = rule;
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
    else if (SIDE_EFFECTS.has(kind)) this.#uncertain.add(describe(chain, { [kind]: value }));
    else if (!this.#verdict(chain, kind, value, matched, flow, depth)) this.#sometimes(chain, kind, value, matched);
  }

  /** A limit lets the rule match sometimes; a statement that nobody here knows may also accept. */
  #sometimes(chain: ListedChain, kind: string, value: unknown, matched: Matched): void {
    const text = describe(chain, { [kind]: value });
    if (CONDITIONAL.has(kind)) matched.doubts.push(text);
    else {
      this.#uncertain.add(text);
      this.#accepted = uniteSpaces(this.#accepted, matched.upper);
    }
    matched.firm = emptySpace;
    matched.lower = emptySpace;
  }

  #narrow(chain: ListedChain, match: Readonly<Record<string, unknown>>, matched: Matched): void {
    const read = readMatch(match, this.#table, this.#view);
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
        this.#accepted = uniteSpaces(this.#accepted, matched.upper);
        this.#tell(chain, "accept", matched.upper);
        break;
      case "drop":
      case "reject":
        this.#tell(chain, "drop", matched.upper);
        break;
      case "return":
        flow.returned = uniteSpaces(flow.returned, matched.upper);
        break;
      case "jump":
        this.#leave(matched, flow);
        flow.going = uniteSpaces(flow.going, this.#enter(chain, target, matched.upper, depth));
        return true;
      case "goto":
        flow.returned = uniteSpaces(flow.returned, this.#enter(chain, target, matched.upper, depth));
        break;
      case "continue":
        return true;
      default:
        return false;
    }
    this.#leave(matched, flow);
    return true;
  }

  /** What certainly matched goes on no further in this chain; doubts are told when they made a difference. */
  #leave(matched: Matched, flow: Flow): void {
    flow.going = subtractSpaces(flow.going, matched.lower);
    if (matched.doubts.length === 0 || !isDoubtful(matched)) return;
    for (const doubt of matched.doubts) this.#uncertain.add(doubt);
  }

  #enter(chain: ListedChain, target: unknown, entering: Space, depth: number): Space {
    const next = this.#table.chains.get(String(target));
    if (next !== undefined && depth < MAX_DEPTH) {
      const calling = this.#current;
      const passing = this.#chain(next, entering, depth + 1);
      this.#current = calling;
      return passing;
    }
    this.#uncertain.add(
      `chain ${chain.name} jumps to ${String(target)}, which ${next === undefined ? "is not listed" : "never ends"}`,
    );
    this.#accepted = uniteSpaces(this.#accepted, entering);
    return entering;
  }

  #verdictMap(chain: ListedChain, vmap: Readonly<Record<string, unknown>>, matched: Matched, flow: Flow, depth: number): void {
    const fields = readFields(vmap["key"], this.#view);
    const elements = readSet(vmap["data"], this.#table);
    if (elements === undefined) {
      this.#unknownMap(chain, vmap, matched);
      return;
    }
    for (const { verdict, keys } of groupByVerdict(elements)) {
      const read = selectKeys(fields, keys, this.#view);
      const part: Matched = {
        upper: intersectSpaces(matched.upper, read.upper),
        firm: intersectSpaces(matched.firm, read.firm),
        lower: intersectSpaces(matched.lower, read.lower),
        doubts: [...matched.doubts],
      };
      if (isDoubtful(read)) part.doubts.push(describe(chain, { vmap: vmap["key"] }));
      const [[kind, value] = ["unknown", null]] = Object.entries(verdict);
      if (!this.#verdict(chain, kind, value, part, flow, depth)) this.#unknownMap(chain, vmap, part);
      matched.upper = subtractSpaces(matched.upper, part.lower);
      matched.firm = subtractSpaces(matched.firm, part.upper);
      matched.lower = subtractSpaces(matched.lower, part.upper);
    }
  }

  /** Nobody knows what such a map decides: it may accept. */
  #unknownMap(chain: ListedChain, vmap: Readonly<Record<string, unknown>>, matched: Matched): void {
    this.#accepted = uniteSpaces(this.#accepted, matched.upper);
    this.#uncertain.add(describe(chain, { vmap }));
    matched.firm = emptySpace;
    matched.lower = emptySpace;
  }
}

interface Flow {
  going: Space;
  returned: Space;
}

interface VerdictGroup {
  readonly verdict: Readonly<Record<string, unknown>>;
  readonly keys: unknown[];
}

/** Keys of a map never overlap, so their order means nothing. */
function groupByVerdict(elements: readonly unknown[]): readonly VerdictGroup[] {
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

function isDoubtful({ upper, firm }: { readonly upper: Space; readonly firm: Space }): boolean {
  return !isEmptySpace(subtractSpaces(upper, firm));
}

/** The expression as nft printed it, cut to a length that fits a line. */
function describe(chain: ListedChain, expression: unknown): string {
  const text = JSON.stringify(expression);
  return `chain ${chain.name}: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`;
}
