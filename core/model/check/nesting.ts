import type { Note } from "../note.ts";
import { LIMITS } from "../parse/limits.ts";
import type { SegmentReference } from "../parse/references.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn } from "./context.ts";

/** No segment is inside itself, by `members` or by `not`, and none is nested deeper than anybody can follow. */
export function checkNesting(set: DefinitionSet): readonly Note[] {
  const uses = usesBySegment(set);
  const depths = depthsOf(uses);
  const cyclic = new Set([...uses.keys()].filter((name) => !depths.has(name)));
  return [...cycleNotes(uses, cyclic), ...depthNotes(uses, depths)];
}

/** The segments that each segment names, with the places; those it names that are nowhere are told elsewhere. */
type Uses = ReadonlyMap<string, readonly SegmentReference[]>;

function usesBySegment(set: DefinitionSet): Uses {
  const uses = new Map<string, SegmentReference[]>();
  for (const { kind, name } of set.headings) if (kind === "Segment" && name !== undefined) uses.set(name, []);
  for (const reference of set.references) {
    if (reference.use !== "member" || !uses.has(reference.name)) continue;
    uses.get(reference.heading.name ?? "")?.push(reference);
  }
  return new Map([...uses].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** How many segments are inside one another below each; those in or around a cycle have no depth. Works from the innermost outwards. */
function depthsOf(uses: Uses): ReadonlyMap<string, number> {
  const waiting = new Map([...uses].map(([name, inner]) => [name, inner.length]));
  const outer = new Map<string, string[]>([...uses.keys()].map((name) => [name, []]));
  for (const [name, inner] of uses) for (const reference of inner) outer.get(reference.name)?.push(name);
  const depths = new Map<string, number>([...uses].flatMap(([name, inner]) => (inner.length === 0 ? [[name, 1] as const] : [])));
  for (const [name] of depths) {
    for (const holder of outer.get(name) ?? []) {
      const left = (waiting.get(holder) ?? 0) - 1;
      waiting.set(holder, left);
      if (left > 0) continue;
      const inner = uses.get(holder) ?? [];
      depths.set(holder, 1 + inner.reduce((deepest, one) => Math.max(deepest, depths.get(one.name) ?? 0), 0));
    }
  }
  return depths;
}

/** One note for each place where a walk through what has no depth comes back to itself. */
function cycleNotes(uses: Uses, cyclic: ReadonlySet<string>): readonly Note[] {
  const seen = new Set<string>();
  return [...cyclic].flatMap((start): readonly Note[] => {
    const walk: string[] = [];
    let name = start;
    while (!seen.has(name)) {
      seen.add(name);
      walk.push(name);
      const next = uses.get(name)?.find((reference) => cyclic.has(reference.name));
      if (next === undefined) return []; // not possible: what has no depth names something that has none
      const begin = walk.indexOf(next.name);
      if (begin >= 0) return [cycleNote([...walk.slice(begin), next.name], next)];
      name = next.name;
    }
    return [];
  });
}

/** So many names of a cycle are told. */
const CYCLE_NAMES = 12;

function cycleNote(path: readonly string[], { heading, path: at, name }: SegmentReference): Note {
  const shown = path.length <= CYCLE_NAMES ? path : [...path.slice(0, CYCLE_NAMES - 1), "…", name];
  const summary = `the segment ${quote(name)} is inside itself: ${shown.join(" → ")}`;
  return noteIn(heading.document, at, "error", "segment-cycle", summary, "Remove one of these names");
}

function depthNotes(uses: Uses, depths: ReadonlyMap<string, number>): readonly Note[] {
  return [...uses].flatMap(([name, inner]): readonly Note[] => {
    const deepest = inner.find((reference) => (depths.get(reference.name) ?? 0) === LIMITS.segmentNesting);
    if (deepest === undefined || (depths.get(name) ?? 0) !== LIMITS.segmentNesting + 1) return [];
    const summary = `the segment ${quote(name)} has more than ${LIMITS.segmentNesting} segments inside one another`;
    return [noteIn(deepest.heading.document, deepest.path, "error", "too-deep", summary, "Name the inner ones directly")];
  });
}
