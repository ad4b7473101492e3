import { canonicalJson, canonicalMap } from "../render/nft-canonical.ts";
import { elementText } from "../render/nft-elements.ts";
import { ABOUT, FAMILY, FENCE, TABLE } from "../render/nft-names.ts";
import { isSeenSet } from "../render/nft-seen.ts";
import { readTable } from "../render/nft-table.ts";
import type { ListedSet, ListedTable } from "../render/nft-table.ts";
import type { NftObject, NftRuleset } from "../render/nft-types.ts";
import { FirebreakError } from "../ground/error.ts";

/** Commands of one `nft -j -f -`: atomic, in this order. */
export type Transaction = readonly unknown[];

const IN_TABLE = { family: FAMILY, table: TABLE } as const;

/** What may name what: a chain before the map that jumps to it, a set before the rule that looks into it. */
const LOADING_ORDER = ["table", "chain", "counter", "set", "map", "rule"];

/** Loads the table where none is; fails as a whole when somebody else was faster. */
export function createTransaction(wanted: NftRuleset): Transaction {
  return inLoadingOrder(wanted).map((object) => ("table" in object ? { create: object } : { add: object }));
}

/**
 * Deletes what is there and loads everything: counters start again. Where the fence still says which generation was observed, its
 * removal comes first, so that another writer's newer table is not replaced.
 */
export function replaceTransaction(live: ListedTable, wanted: NftRuleset): Transaction {
  const fence = live.generation === undefined ? [] : [{ delete: { element: fenceElement(live.generation) } }];
  return [
    ...fence,
    { delete: { table: { family: FAMILY, name: TABLE } } },
    ...inLoadingOrder(wanted).map((object) => ({ add: object })),
  ];
}

/** Puts the table there whatever is there now; without a compare-and-swap, for a host that has just started. */
export function bootTransaction(confirmed: NftRuleset): Transaction {
  const table = { table: { family: FAMILY, name: TABLE } };
  return [{ add: table }, { delete: table }, ...inLoadingOrder(confirmed).map((object) => ({ add: object }))];
}

/** Changes elements of address sets, and the mark where it is another one. Everything else must be as wanted already. */
export function elementsTransaction(live: ListedTable, wanted: NftRuleset): Transaction {
  const isMarked = canonicalJson(live.mark) === canonicalJson(readTable(wanted)?.mark);
  const marks = wanted.filter((object) => "rule" in object && object.rule.chain === ABOUT);
  const remark = [{ flush: { chain: { ...IN_TABLE, name: ABOUT } } }, ...marks.map((object) => ({ add: object }))];
  return [...swapFence(live, wanted), ...changeElements(live, wanted), ...(isMarked ? [] : remark)];
}

/**
 * Turns the live table into the wanted one without deleting it, so that named counters go on counting: flush the chains, drop what
 * is no longer wanted, add what is new, change elements by difference, add all rules. See {@link isUpdatable}.
 */
export function updateTransaction(live: ListedTable, wanted: NftRuleset): Transaction {
  const want = readTable(wanted);
  if (want === undefined) throw new FirebreakError("PLAN_INVARIANT_BROKEN", "update a host to a ruleset without our table");
  const staleMaps = [...live.maps].filter(([name, map]) => !sameMap(map, want.maps.get(name))).map(([name]) => name);
  const isNew = (object: NftObject): boolean => {
    if ("chain" in object) return true; // also where it is: this is what sets its policy
    if ("counter" in object) return !live.counters.has(object.counter.name);
    if ("set" in object) return !live.sets.has(object.set.name);
    if ("map" in object) return !live.maps.has(object.map.name) || staleMaps.includes(object.map.name);
    return "rule" in object;
  };
  const additions = inLoadingOrder(wanted).filter(isNew);
  return [
    ...swapFence(live, wanted),
    ...[...live.chains.keys()].map((name) => ({ flush: { chain: { ...IN_TABLE, name } } })),
    ...staleMaps.map((name) => ({ delete: { map: { ...IN_TABLE, name } } })),
    ...gone(live.chains.keys(), want.chains).map((name) => ({ delete: { chain: { ...IN_TABLE, name } } })),
    ...gone(live.sets.keys(), want.sets).map((name) => ({ delete: { set: { ...IN_TABLE, name } } })),
    ...gone(live.counters, want.counters).map((name) => ({ delete: { counter: { ...IN_TABLE, name } } })),
    ...additions.filter((object) => !("rule" in object)).map((object) => ({ add: object })),
    ...changeElements(live, wanted),
    ...additions.filter((object) => "rule" in object).map((object) => ({ add: object })),
  ];
}

/**
 * True when {@link updateTransaction} can work on the live table: a fence to compare with, no table flag (dormant, owner), no chain or
 * object that we did not make, and no chain, set or map of ours that was remade as something else.
 */
export function isUpdatable(live: ListedTable, wanted: NftRuleset): boolean {
  const want = readTable(wanted);
  if (want === undefined || live.generation === undefined || live.flags !== undefined || live.others.length > 0) return false;
  const isOurs = [...live.chains].every(([name, { body }]) =>
    body["hook"] === undefined ? isClassName(name) : name === body["hook"],
  );
  const sameChains = [...live.chains].every(([name, chain]) => sameHook(chain.body, want.chains.get(name)?.body));
  const sameKind = (mine: ReadonlyMap<string, ListedSet>, theirs: ReadonlyMap<string, ListedSet>): boolean =>
    [...mine].every(([name, { body }]) => {
      const other = theirs.get(name);
      return other === undefined || canonicalJson(body) === canonicalJson(other.body);
    });
  return isOurs && sameChains && sameKind(live.sets, want.sets) && sameKind(live.maps, want.maps);
}

function isClassName(name: string): boolean {
  return name === ABOUT || /^(in|out)_(tcp|udp|sctp|icmp|icmpv6)_[0-9]+$/.test(name);
}

/** A base chain that stays must keep its type, hook and priority: only its policy can be changed in place. */
function sameHook(mine: Readonly<Record<string, unknown>>, theirs: Readonly<Record<string, unknown>> | undefined): boolean {
  if (theirs === undefined) return true;
  return ["type", "hook", "prio", "dev"].every((key) => mine[key] === theirs[key]);
}

function sameMap(live: ListedSet, wanted: ListedSet | undefined): boolean {
  return wanted !== undefined && canonicalMap(live) === canonicalMap(wanted);
}

function gone(live: Iterable<string>, wanted: { has(name: string): boolean }): readonly string[] {
  return [...live].filter((name) => !wanted.has(name));
}

function inLoadingOrder(ruleset: NftRuleset): readonly NftObject[] {
  return LOADING_ORDER.flatMap((kind) => ruleset.filter((object) => kind in object));
}

function fenceElement(generation: number) {
  return { ...IN_TABLE, name: FENCE, elem: [generation] };
}

/** The compare-and-swap: fails, and the whole transaction with it, unless the fence still holds what was observed. */
function swapFence(live: ListedTable, wanted: NftRuleset): Transaction {
  const next = readTable(wanted)?.generation;
  if (live.generation === undefined || next === undefined) {
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", "update a host without a fence");
  }
  return [{ delete: { element: fenceElement(live.generation) } }, { add: { element: fenceElement(next) } }];
}

/** Hash sets by difference both ways; interval sets by difference while they only grow, else flushed and filled again. */
function changeElements(live: ListedTable, wanted: NftRuleset): Transaction {
  return wanted.flatMap((object) => {
    if (!("set" in object) || object.set.name === FENCE || isSeenSet(object.set.name)) return [];
    const known = live.sets.get(object.set.name);
    if (known === undefined) return [];
    return changeSet(object.set.name, object.set.flags !== undefined, known.elem, object.set.elem ?? []);
  });
}

function changeSet(name: string, isInterval: boolean, live: readonly unknown[], wanted: readonly unknown[]): Transaction {
  const liveTexts = new Map(live.map((element) => [elementText(element), element]));
  const wantedTexts = new Map(wanted.map((element) => [elementText(element), element]));
  const extra = [...liveTexts].filter(([text]) => !wantedTexts.has(text)).map(([, element]) => bare(element));
  const missing = [...wantedTexts].filter(([text]) => !liveTexts.has(text)).map(([, element]) => element);
  if (isInterval && extra.length > 0) {
    return [{ flush: { set: { ...IN_TABLE, name } } }, ...changeElement("add", name, [...wantedTexts.values()])];
  }
  return [...changeElement("delete", name, extra), ...changeElement("add", name, missing)];
}

function changeElement(verb: "add" | "delete", name: string, elem: readonly unknown[]): Transaction {
  return elem.length === 0 ? [] : [{ [verb]: { element: { ...IN_TABLE, name, elem } } }];
}

/** A listed element without its time-out and comment: those are not part of what identifies it. */
function bare(element: unknown): unknown {
  if (typeof element !== "object" || element === null || !("elem" in element)) return element;
  const inner = element.elem;
  return typeof inner === "object" && inner !== null && "val" in inner ? inner.val : element;
}
