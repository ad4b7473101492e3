import { canonicalJson, canonicalMap } from "../render/nft-canonical.ts";
import { ABOUT } from "../render/nft-names.ts";
import type { ListedChain, ListedTable } from "../render/nft-table.ts";

const MAX_CHANGES = 6;

/**
 * What is different between the wanted and the live table, in a few words each: `chain input: policy accept`, `chain input: 1 rule
 * added`. Empty when nothing but addresses, hits and generation differs. No text of a foreign rule is repeated.
 */
export function describeChange(want: ListedTable, live: ListedTable): readonly string[] {
  const changes = [
    ...[...want.chains].flatMap(([name, chain]) => describeChain(name, chain, live.chains.get(name))),
    ...names(live.chains, want.chains).map((name) => `chain ${name} added`),
    ...names(want.sets, live.sets).map((name) => `set ${name} missing`),
    ...names(live.sets, want.sets).map((name) => `set ${name} added`),
    ...names(want.maps, live.maps).map((name) => `map ${name} missing`),
    ...names(live.maps, want.maps).map((name) => `map ${name} added`),
    ...[...want.maps].flatMap(([name, map]) => {
      const other = live.maps.get(name);
      return other === undefined || canonicalMap(other) === canonicalMap(map) ? [] : [`map ${name}: other ports`];
    }),
    ...[...want.sets].flatMap(([name, set]) => {
      const other = live.sets.get(name);
      return other === undefined || canonicalJson(other.body) === canonicalJson(set.body) ? [] : [`set ${name} remade`];
    }),
    ...[...want.counters].filter((name) => !live.counters.has(name)).map((name) => `counter ${name} missing`),
    ...[...live.counters].filter((name) => !want.counters.has(name)).map((name) => `counter ${name} added`),
    ...(live.others.length > 0 ? [`${live.others.length} objects of other kinds added`] : []),
    ...(live.generation === undefined ? ["the fence is broken"] : []),
    ...(canonicalJson(live.mark ?? null) === canonicalJson(want.mark ?? null) ? [] : ["the mark is missing or another one"]),
  ];
  if (changes.length <= MAX_CHANGES) return changes;
  return [...changes.slice(0, MAX_CHANGES - 1), `and ${changes.length - MAX_CHANGES + 1} more changes`];
}

function describeChain(name: string, want: ListedChain, live: ListedChain | undefined): readonly string[] {
  if (live === undefined) return [`chain ${name} missing`];
  const words: string[] = [];
  if (canonicalJson(want.body) !== canonicalJson(live.body)) {
    const policy = live.body["policy"];
    words.push(want.body["policy"] === policy ? "on another hook" : `policy ${policy === "accept" ? "accept" : "drop"}`);
  }
  if (name !== ABOUT || live.rules.length !== want.rules.length) words.push(...describeRules(want, live));
  return words.map((word) => `chain ${name}: ${word}`);
}

/** Counts rules by their text, so that one inserted rule is one change and not a shift of all. */
function describeRules(want: ListedChain, live: ListedChain): readonly string[] {
  const wanted = want.rules.map(({ comment, expr }) => canonicalJson({ comment, expr }));
  const seen = live.rules.map(({ comment, expr }) => canonicalJson({ comment, expr }));
  if (canonicalJson(wanted) === canonicalJson(seen)) return [];
  if (seen.length === 0) return ["flushed"];
  const added = surplus(seen, wanted);
  const missing = surplus(wanted, seen);
  if (added === 0 && missing === 0) return ["rules in another order"];
  return [...(added > 0 ? [`${countOf(added)} added`] : []), ...(missing > 0 ? [`${countOf(missing)} removed`] : [])];
}

function countOf(rules: number): string {
  return rules === 1 ? "1 rule" : `${rules} rules`;
}

/** How many of the texts have no partner among the others. */
function surplus(texts: readonly string[], others: readonly string[]): number {
  const left = new Map<string, number>();
  for (const text of others) left.set(text, (left.get(text) ?? 0) + 1);
  let count = 0;
  for (const text of texts) {
    const partners = left.get(text) ?? 0;
    if (partners === 0) count += 1;
    else left.set(text, partners - 1);
  }
  return count;
}

function names(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): readonly string[] {
  return [...one.keys()].filter((name) => !other.has(name));
}
