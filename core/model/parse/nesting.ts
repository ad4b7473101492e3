import type { Member } from "../kinds.ts";
import type { MemberFields } from "../schema/segment.ts";
import type { ParsedDefinition } from "./definition.ts";

/** What a member chooses by; `segments` stands for those of other segments. */
export type MemberKind = Member["kind"];

/** The kinds of members of every segment, those of nested segments among them. */
export interface Nesting {
  /** Kinds other than `segments`; undefined when something in it is unknown, so that nothing can be said. */
  kindsOf(segment: string): ReadonlySet<MemberKind> | undefined;
  /** Every segment that holds all members of this one by nesting it, itself first. A segment with `not` may hold fewer. */
  holdersOf(segment: string): readonly string[];
}

/** The kinds that are only ever peers: nothing of them can be isolated. */
const PEER_KINDS: ReadonlySet<MemberKind> = new Set(["externals", "boundary", "addresses"]);

/** True when all of these are only ever peers; false for nothing and for the unknown. */
export function arePeersOnly(kinds: ReadonlySet<MemberKind> | undefined): boolean {
  return kinds !== undefined && kinds.size > 0 && [...kinds].every((kind) => PEER_KINDS.has(kind));
}

/** What a member chooses by. */
export function kindOfMember(member: MemberFields): MemberKind {
  if (member.namespaces !== undefined) return "pods";
  if (member.fleets !== undefined || member.hosts !== undefined) return "hosts";
  const kinds = ["service", "externals", "boundary", "addresses", "segments"] as const;
  return kinds.find((kind) => member[kind] !== undefined) ?? "pods"; // the schema has refused a member without any
}

type ParsedSegment = Extract<ParsedDefinition, { readonly kind: "Segment" }>;

/** How the segments of a revision nest; cycles, which are refused elsewhere, end where they close. */
export function nestingOf(segments: readonly ParsedSegment[]): Nesting {
  const byName = new Map(segments.map((segment) => [segment.body.metadata.name, segment.body.spec]));
  const holders = new Map<string, string[]>();
  for (const [name, { members, not }] of byName) {
    if (not.length > 0) continue;
    for (const inner of members.flatMap((member) => member.segments ?? [])) pushTo(holders, inner, name);
  }
  const known = new Map<string, ReadonlySet<MemberKind> | undefined>();
  return {
    kindsOf(segment) {
      if (!known.has(segment))
        known.set(
          segment,
          kindsWithin(
            reachable(segment, (name) => nestedIn(byName.get(name))),
            byName,
          ),
        );
      return known.get(segment);
    },
    holdersOf: (segment) => reachable(segment, (name) => holders.get(name) ?? []),
  };
}

function kindsWithin(
  names: readonly string[],
  byName: ReadonlyMap<string, ParsedSegment["body"]["spec"]>,
): ReadonlySet<MemberKind> | undefined {
  const specs = names.map((name) => byName.get(name));
  if (specs.includes(undefined)) return undefined;
  const kinds = specs.flatMap((spec) => spec?.members.map(kindOfMember) ?? []);
  return new Set(kinds.filter((kind) => kind !== "segments"));
}

function nestedIn(spec: ParsedSegment["body"]["spec"] | undefined): readonly string[] {
  return spec?.members.flatMap((member) => member.segments ?? []) ?? [];
}

/** Everything that can be reached, the start first, each once. */
function reachable(start: string, next: (name: string) => readonly string[]): readonly string[] {
  const seen = new Set([start]);
  for (const name of seen) for (const other of next(name)) seen.add(other); // a Set is iterated also over what is added meanwhile
  return [...seen];
}

function pushTo(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
