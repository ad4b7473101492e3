import type { Member } from "../kinds.ts";
import type { MemberFields } from "../schema/segment.ts";
import type { ParsedDefinition } from "./definition.ts";

/** What a member chooses by; `segments` stands for those of other segments. */
export type MemberKind = Member["kind"];

/** How the segments of a revision nest: what is in each, those of nested segments among them. */
export interface Nesting {
  /** Kinds other than `segments`; undefined when something in it is unknown, so that nothing can be said. */
  kindsOf(segment: string): ReadonlySet<MemberKind> | undefined;
  /** These segments and every one that nests one of them. */
  around(segments: readonly string[]): ReadonlySet<string>;
  /**
   * The segment and those that hold all its members by nesting it, the nearest first, at most 64; one with `not` may hold fewer, and
   * is left out.
   */
  holdersOf(segment: string): ReadonlySet<string>;
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
type Spec = ParsedSegment["body"]["spec"];
type Edges = ReadonlyMap<string, readonly string[]>;

const KINDS = ["pods", "service", "hosts", "externals", "boundary", "addresses"] as const;

/** How segments nest; cycles, which are refused elsewhere, end where they close. */
export function nestingOf(segments: readonly ParsedSegment[]): Nesting {
  const specs = new Map(segments.map(({ body }) => [body.metadata.name, body.spec]));
  const inner = new Map([...specs].map(([name, spec]) => [name, spec.members.flatMap((member) => member.segments ?? [])]));
  const outer = reversed(inner);
  const whole = reversed(new Map([...inner].filter(([name]) => specs.get(name)?.not.length === 0)));
  const holdersByKind = KINDS.map((kind) => [kind, reachable(segmentsWith(specs, kind), outer)] as const);
  const holders = new Map<string, ReadonlySet<string>>();
  const unknown = [...outer.keys()].filter((name) => !specs.has(name));
  const unsure = reachable(unknown, outer);
  return {
    kindsOf(segment) {
      if (!specs.has(segment) || unsure.has(segment)) return undefined;
      return new Set(holdersByKind.flatMap(([kind, holders]) => (holders.has(segment) ? [kind] : [])));
    },
    around: (some) => reachable(some, outer),
    holdersOf(segment) {
      const known = holders.get(segment) ?? reachable([segment], whole, HOLDERS);
      holders.set(segment, known);
      return known;
    },
  };
}

function segmentsWith(specs: ReadonlyMap<string, Spec>, kind: MemberKind): readonly string[] {
  return [...specs].flatMap(([name, { members }]) => (members.some((member) => kindOfMember(member) === kind) ? [name] : []));
}

/** So many holders are told of one segment. */
const HOLDERS = 64;

/** Everything that can be reached, the starts among it, the nearest first; no more than `limit`. */
function reachable(starts: readonly string[], edges: Edges, limit = Number.POSITIVE_INFINITY): ReadonlySet<string> {
  const seen = new Set(starts);
  for (const name of seen) {
    for (const other of edges.get(name) ?? []) {
      if (seen.size >= limit) return seen;
      seen.add(other); // iteration goes on over what is added
    }
  }
  return seen;
}

function reversed(edges: Edges): Edges {
  const back = new Map<string, string[]>();
  for (const [from, names] of edges) {
    for (const to of names) {
      const list = back.get(to);
      if (list === undefined) back.set(to, [from]);
      else list.push(from);
    }
  }
  return back;
}
