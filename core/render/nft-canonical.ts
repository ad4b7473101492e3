import { createHash } from "node:crypto";
import type { Mark } from "./mark.ts";
import { elementText } from "./nft-elements.ts";
import { ABOUT, FENCE } from "./nft-names.ts";
import { isSeenSet } from "./nft-seen.ts";
import { isRecord, readTable } from "./nft-table.ts";
import type { ListedChain, ListedSet, ListedTable } from "./nft-table.ts";

/** A table in the one form in which equal tables have equal text. */
export interface CanonicalRuleset {
  /**
   * One line of JSON per object: table flags, counters, sets without elements, maps with theirs (ports are structure), chains with
   * their rules in order. Without handles, counter values, the mark's text and the generation. Sorted.
   */
  readonly structure: readonly string[];
  /** Elements of every address set as sorted texts (`elementText`); neither the fence nor what the kernel fills is among them. */
  readonly elements: ReadonlyMap<string, readonly string[]>;
  readonly mark: Mark | undefined;
  readonly generation: number | undefined;
}

/** Canonical form of `table inet firebreak` in a listing (or rendering); undefined when it is not there. */
export function canonicalRuleset(listing: readonly unknown[]): CanonicalRuleset | undefined {
  const table = readTable(listing);
  return table === undefined ? undefined : canonicalTable(table);
}

/** The same for a table that was read already. */
export function canonicalTable(table: ListedTable): CanonicalRuleset {
  return {
    structure: structureOf(table),
    elements: new Map([...table.sets].filter(isPublished).map(([name, { elem }]) => [name, elem.map(elementText).sort()])),
    mark: table.mark,
    generation: table.generation,
  };
}

/** SHA-256 of the structure, hex: equal for rulesets that mean the same, whatever addresses are in their sets. */
export function rulesetDigest(canonical: CanonicalRuleset): string {
  return structureDigest(canonical.structure);
}

/** The digest of a table's structure; its elements are not even read. */
export function tableDigest(table: ListedTable): string {
  return structureDigest(structureOf(table));
}

/** Neither the fence nor what the kernel fills. */
function isPublished([name]: readonly [string, ListedSet]): boolean {
  return name !== FENCE && !isSeenSet(name);
}

/** The elements of every address set as sorted texts; neither the fence nor what the kernel fills is among them. */
export function elementsOf(table: ListedTable): ReadonlyMap<string, readonly string[]> {
  const sets = [...table.sets].filter(isPublished);
  return new Map(sets.map(([name, { elem }]) => [name, elem.map(elementText).sort()]));
}

function structureDigest(structure: readonly string[]): string {
  const hash = createHash("sha256");
  for (const line of structure) hash.update(`${line}\n`);
  return hash.digest("hex");
}

/** Text of one JSON value with sorted keys, and with the lists sorted that nft treats as sets. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonicalValue(value));
}

function structureOf(table: ListedTable): readonly string[] {
  const lines = [canonicalJson({ table: { flags: table.flags === undefined ? null : "set" } })];
  for (const name of table.counters) lines.push(canonicalJson({ counter: name }));
  for (const [name, { body }] of table.sets) lines.push(canonicalJson({ set: isSeenSet(name) ? withoutDynamic(body) : body }));
  for (const map of table.maps.values()) lines.push(canonicalMap(map));
  for (const [name, chain] of table.chains) lines.push(canonicalChain(name, chain, table.mark !== undefined));
  for (const other of table.others) lines.push(canonicalJson({ other }));
  return lines.sort();
}

/** That rules fill a set is listed as a flag by newer versions of nft, and by older ones not. */
function withoutDynamic(body: ListedSet["body"]): ListedSet["body"] {
  const { flags } = body;
  return Array.isArray(flags) ? { ...body, flags: flags.filter((flag) => flag !== "dynamic") } : body;
}

/** A map with its entries, one text for one meaning. */
export function canonicalMap({ body, elem }: ListedSet): string {
  const entries = elem.map((entry) =>
    Array.isArray(entry) ? `${elementText(entry[0])}: ${canonicalJson(entry.slice(1))}` : canonicalJson(entry),
  );
  return canonicalJson({ map: body, entries: { set: entries } });
}

/** A chain with its rules in order; the text of a sound mark is left out. */
export function canonicalChain(name: string, { body, rules }: ListedChain, isMarked: boolean): string {
  const shown = rules.map((rule, index) => ({
    comment: isMarked && name === ABOUT && index === 0 ? "mark" : rule.comment,
    expr: rule.expr,
  }));
  return canonicalJson({ chain: body, rules: shown });
}

/**
 * Keys in order; anonymous sets and flag lists sorted (their order is the kernel's choice); inline counters without their values.
 * Ranges and rules keep their order, because theirs means something.
 */
function canonicalValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonicalValue);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
    if ((key === "set" || key === "right" || key === "flags") && Array.isArray(inner)) return [key, sortedValues(inner)];
    if (key === "counter" && isRecord(inner)) return [key, null];
    return [key, canonicalValue(inner)];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sortedValues(values: readonly unknown[]): readonly unknown[] {
  return values
    .map((value) => canonicalValue(value))
    .map((value) => [JSON.stringify(value), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, value]) => value);
}
