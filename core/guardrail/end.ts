import type { Protocol } from "../address/ports.ts";
import { endReader } from "./ends.ts";
import type { Definitions, Direction, IsolationMode, Rule } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";
import type { EndMode, Party, Source } from "../reach/source.ts";

/** A line of the definitions that has a part in an answer. */
export interface Line {
  /** A rule id, an essential, a policy object, a chain, or a segment. */
  readonly name: string;
  /** Null for what Git does not say: an essential, an object. */
  readonly at: Position | null;
}

/** What one end of a connection answers, and because of what; plain data. */
export interface EndAnswer {
  readonly direction: Direction;
  readonly mode: EndMode;
  /** True when the connection passes this end now: one that only observes lets everything pass. */
  readonly passes: boolean;
  /** What it answers once it enforces; the same as `passes` but where it only observes. */
  readonly allowed: boolean;
  /** One sentence. */
  readonly text: string;
  /** What allows: rules, essentials, objects. */
  readonly rules: readonly Line[];
  /** What isolates and lets nothing pass; or, where nothing isolates, the segments that could. */
  readonly segments: readonly (Line & { readonly isolate: IsolationMode | null })[];
  /** Why the enforcer may answer otherwise. */
  readonly uncertain: readonly string[];
}

/** One end's answer for one port. @param port a type for ICMP */
export function explainEnd(
  definitions: Definitions,
  source: Source,
  direction: Direction,
  subject: Party,
  peer: Party,
  [protocol, port]: readonly [Protocol, number],
): EndAnswer {
  if (subject.kind === "addresses") return nobody(direction);
  const { mode, uncertain } = source.end(direction, subject, peer);
  const reason = source.explain(direction, subject, peer, protocol, port);
  const isIsolated = mode === "enforced" || mode === "observed";
  const segments = isIsolated ? reason.isolatedBy : mode === "open" ? segmentsOf(definitions, source, subject) : [];
  return {
    direction,
    mode,
    passes: mode !== "enforced" || reason.allowed,
    allowed: reason.allowed,
    text: reason.text,
    rules: reason.origins.map((origin) => ({
      name: origin,
      at: ruleNamed(definitions, origin)?.at ?? (origin === reason.origins[0] ? (reason.at ?? null) : null),
    })),
    segments: segments.map((name) => {
      const segment = definitions.segments.get(name);
      return { name, at: segment?.at ?? null, isolate: segment?.isolate[direction] ?? null };
    }),
    uncertain,
  };
}

/** The rule of that id, or undefined for an essential or an object. */
export function ruleNamed({ policies }: Definitions, id: string): Rule | undefined {
  const slash = id.lastIndexOf("/");
  return slash < 0 ? undefined : policies.get(id.slice(0, slash))?.rules.find((rule) => rule.id === id);
}

/** Segments that hold a workload by its labels, in the order of their names. */
export function segmentsOf(definitions: Definitions, source: Pick<Source, "estate">, party: Party): readonly string[] {
  if (party.kind === "addresses") return [];
  const read = endReader(definitions, source.estate);
  return [...definitions.segments.keys()].filter((name) => read(name).has(party.workload));
}

function nobody(direction: Direction): EndAnswer {
  const text = "addresses that no workload has: nothing enforces there";
  return { direction, mode: "unmanaged", passes: true, allowed: true, text, rules: [], segments: [], uncertain: [] };
}
