import type { Mark } from "./mark.ts";
import { elementText } from "./nft-elements.ts";
import { parseMarkComment } from "./nft-mark.ts";
import { ABOUT, FAMILY, FENCE, TABLE } from "./nft-names.ts";

/** JSON of one listed object, its handle left out. */
export type ListedBody = Readonly<Record<string, unknown>>;

/** A listed set or map: what it is, and what is in it. */
export interface ListedSet {
  readonly body: ListedBody;
  readonly elem: readonly unknown[];
}

export interface ListedRule {
  readonly comment: string | undefined;
  readonly expr: readonly unknown[];
}

export interface ListedChain {
  readonly body: ListedBody;
  readonly rules: readonly ListedRule[];
}

/** `table inet firebreak` as a listing shows it (or as we render it). Keys of the maps are names. */
export interface ListedTable {
  /** Absent for a plain table. Its value in nft 1.0.6 JSON is garbage: any value means a flag is set (dormant or owner). */
  readonly flags: unknown;
  readonly counters: ReadonlySet<string>;
  readonly sets: ReadonlyMap<string, ListedSet>;
  readonly maps: ReadonlyMap<string, ListedSet>;
  readonly chains: ReadonlyMap<string, ListedChain>;
  /** Objects of kinds that we never make. */
  readonly others: readonly unknown[];
  /** The one number in the fence; undefined when there is no fence, or not exactly one. */
  readonly generation: number | undefined;
  /** From the first rule of chain `about`. */
  readonly mark: Mark | undefined;
}

/**
 * Reads our table out of a listing of one table or of everything; undefined when it is not there.
 *
 * Never throws: what does not look as expected ends in `others`, and so makes the table differ from anything rendered.
 */
export function readTable(listing: readonly unknown[]): ListedTable | undefined {
  const counters = new Set<string>();
  const sets = new Map<string, ListedSet>();
  const maps = new Map<string, ListedSet>();
  const chains = new Map<string, { body: ListedBody; rules: ListedRule[] }>();
  const others: unknown[] = [];
  let flags: unknown;
  let isThere = false;
  for (const { kind, body } of listing.flatMap(listed)) {
    if (body["family"] !== FAMILY) continue;
    if (kind === "table" && body["name"] === TABLE) {
      isThere = true;
      flags = body["flags"];
    }
    if (body["table"] !== TABLE) continue;
    const name = String(body["name"]);
    if (kind === "counter") counters.add(name);
    else if (kind === "set") sets.set(name, listedSet(body));
    else if (kind === "map") maps.set(name, listedSet(body));
    else if (kind === "chain") chains.set(name, { body: without(body, ["handle"]), rules: chains.get(name)?.rules ?? [] });
    else if (kind === "rule") addRule(chains, body, others);
    else others.push({ [kind]: without(body, ["handle"]) });
  }
  if (!isThere) return undefined;
  const about = chains.get(ABOUT)?.rules[0]?.comment;
  return {
    flags,
    counters,
    sets,
    maps,
    chains,
    others,
    generation: fenceGeneration(sets.get(FENCE)),
    mark: about === undefined ? undefined : parseMarkComment(about),
  };
}

function addRule(chains: Map<string, { rules: ListedRule[] }>, body: ListedBody, others: unknown[]): void {
  const chain = chains.get(String(body["chain"]));
  const expr = body["expr"];
  if (chain === undefined || !Array.isArray(expr)) {
    others.push({ rule: without(body, ["handle"]) });
    return;
  }
  chain.rules.push({ comment: typeof body["comment"] === "string" ? body["comment"] : undefined, expr });
}

function listed(object: unknown): readonly { readonly kind: string; readonly body: ListedBody }[] {
  if (!isRecord(object)) return [];
  return Object.entries(object).flatMap(([kind, body]) => (isRecord(body) ? [{ kind, body }] : []));
}

function listedSet(body: ListedBody): ListedSet {
  const elem = body["elem"];
  return { body: without(body, ["handle", "elem"]), elem: Array.isArray(elem) ? elem : [] };
}

function fenceGeneration(fence: ListedSet | undefined): number | undefined {
  const [only, ...more] = fence?.elem ?? [];
  if (only === undefined || more.length > 0) return undefined;
  const generation = Number(elementText(only));
  return Number.isSafeInteger(generation) ? generation : undefined;
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function without(body: ListedBody, keys: readonly string[]): ListedBody {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !keys.includes(key)));
}
