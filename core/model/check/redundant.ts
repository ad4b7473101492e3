import type { Note } from "../note.ts";
import type { Path, YamlDocument } from "../parse/document.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind, placeOf } from "./context.ts";
import { isCovered, portLine } from "./port-cover.ts";
import type { PortLine } from "./port-cover.ts";

/**
 * Rules that could be removed: the same said twice, or all of it allowed by one other rule with wider ends (`any`, a segment that
 * nests this one), wider ports, fewer conditions and an end no earlier. Segments are compared by name, never by who is in them now.
 */
export function checkRedundant(set: DefinitionSet): readonly Note[] {
  const rules = comparable(set);
  const index = indexOf(rules);
  return rules.flatMap((rule): readonly Note[] => {
    const wider = widerRule(rule, index, set);
    return wider === undefined ? [] : [redundantNote(rule, wider)];
  });
}

/** A rule in the form in which two are compared. */
interface Comparable {
  /** Its place in the order of files and lines. */
  readonly order: number;
  readonly policy: string;
  readonly from: ReadonlySet<string>;
  readonly to: ReadonlySet<string>;
  readonly ports: PortLine;
  readonly same: readonly string[];
  /** When it closes (ms since the epoch); infinite when never. */
  readonly until: number;
  readonly document: YamlDocument;
  readonly path: Path;
}

function comparable(set: DefinitionSet): readonly Comparable[] {
  const rules = ofKind(set, "Policy").flatMap(({ body, document }) =>
    body.spec.rules.map((rule, place) => ({
      policy: body.metadata.name,
      from: endOf(rule.from),
      to: endOf(rule.to),
      ports: portLine(rule.ports),
      same: rule.same ?? [],
      until: body.spec.expires ?? Number.POSITIVE_INFINITY,
      document,
      path: ["spec", "rules", place],
    })),
  );
  return rules.map((rule, order) => ({ ...rule, order }));
}

function endOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.includes("any") ? ["any"] : names);
}

/**
 * Rules by each pair of their ends. A rule with very many pairs is not looked up, so that the index stays small, nor is one from any
 * to any, which is refused anyway.
 */
type Index = ReadonlyMap<string, readonly Comparable[]>;
const PAIRS_PER_RULE = 256;

function indexOf(rules: readonly Comparable[]): Index {
  const index = new Map<string, Comparable[]>();
  for (const rule of rules) {
    if (rule.from.size * rule.to.size > PAIRS_PER_RULE || (rule.from.has("any") && rule.to.has("any"))) continue;
    for (const from of rule.from) {
      for (const to of rule.to) {
        const key = pairKey(from, to);
        const list = index.get(key);
        if (list === undefined) index.set(key, [rule]);
        else list.push(rule);
      }
    }
  }
  return index;
}

function pairKey(from: string, to: string): string {
  return `${from} ${to}`;
}

/** At most so many rules are compared with one: these are hints, and reading a revision must stay quick. */
const LOOKS_PER_RULE = 500;

/** The first rule that allows all of this one; of two that allow the same, the earlier is the wider. */
function widerRule(rule: Comparable, index: Index, set: DefinitionSet): Comparable | undefined {
  const [from] = rule.from;
  const [to] = rule.to;
  if (from === undefined || to === undefined) return undefined;
  let looks = 0;
  for (const wideFrom of around(from, set)) {
    for (const wideTo of around(to, set)) {
      for (const other of index.get(pairKey(wideFrom, wideTo)) ?? []) {
        looks += 1;
        if (looks > LOOKS_PER_RULE) return undefined;
        if (other !== rule && allows(other, rule, set) && (other.order < rule.order || !allows(rule, other, set))) return other;
      }
    }
  }
  return undefined;
}

/** True when every connection of `rule` is one of `other`, for as long. */
function allows(other: Comparable, rule: Comparable, set: DefinitionSet): boolean {
  return (
    isCovered(rule.ports, other.ports) &&
    other.until >= rule.until &&
    other.same.every((key) => rule.same.includes(key)) &&
    isWithin(rule.from, other.from, set) &&
    isWithin(rule.to, other.to, set)
  );
}

function isWithin(part: ReadonlySet<string>, whole: ReadonlySet<string>, set: DefinitionSet): boolean {
  if (whole.has("any")) return true;
  return [...part].every((name) => whole.has(name) || [...set.nesting.holdersOf(name)].some((holder) => whole.has(holder)));
}

function around(name: string, set: DefinitionSet): ReadonlySet<string> {
  return name === "any" ? new Set([name]) : new Set([...set.nesting.holdersOf(name), "any"]);
}

function redundantNote(rule: Comparable, wider: Comparable): Note {
  const place = placeOf(wider.document, wider.path);
  const policy = `policy ${quote(wider.policy)}`;
  if (isEqual(rule, wider)) {
    const detail = `It says the same as ${place} (${policy}); remove one of them`;
    return noteIn(rule.document, rule.path, "warning", "duplicate-rule", "a rule that is there twice", detail);
  }
  const detail = `${place} (${policy}) allows all of it; remove this one, or narrow the other`;
  return noteIn(rule.document, rule.path, "info", "shadowed-rule", "a rule that allows nothing more", detail);
}

function isEqual(a: Comparable, b: Comparable): boolean {
  const text = ({ from, to, ports, same }: Comparable) =>
    JSON.stringify([[...from].sort(), [...to].sort(), ports, [...same].sort()]);
  return text(a) === text(b);
}
