import { FirebreakError } from "../ground/error.ts";
import type { Definitions, Direction, Segment } from "../model/kinds.ts";
import { unknownName } from "../model/unknown-name.ts";

/** The segment of that name. @throws FirebreakError NOT_FOUND with what was probably meant */
export function segmentOf(definitions: Definitions, name: string): Segment {
  const segment = definitions.segments.get(name);
  if (segment === undefined) throw unknownName("segment", name, definitions.segments.keys(), "firebreak segments lists them");
  return segment;
}

/** What would be enforced next: the directions that observe; where none does, those that are off. Empty: both are enforced. */
export function nextOf({ isolate }: Segment): readonly Direction[] {
  const directions: readonly Direction[] = ["ingress", "egress"];
  const observed = directions.filter((direction) => isolate[direction] === "observe");
  return observed.length > 0 ? observed : directions.filter((direction) => isolate[direction] === "off");
}

/** Segments to look at as if they were enforced, and in which directions. */
export type Enforced = ReadonlyMap<string, readonly Direction[]>;

/** The definitions with these directions enforced. */
export function withEnforced(definitions: Definitions, enforced: Enforced): Definitions {
  const segments = new Map(
    [...definitions.segments].map(([name, segment]) => {
      const isolate = { ...segment.isolate };
      for (const direction of enforced.get(name) ?? []) isolate[direction] = "enforce";
      return [name, { ...segment, isolate }] as const;
    }),
  );
  return { ...definitions, segments };
}

/** The direction that was asked for, as `--direction` says it. @throws FirebreakError USAGE when it is enforced already */
export function directionsOf(segment: Segment, asked: Direction | undefined): readonly Direction[] {
  const next = nextOf(segment);
  if (asked === undefined) return next;
  if (segment.isolate[asked] !== "enforce") return [asked];
  throw new FirebreakError("USAGE", `${segment.name} enforces ${asked} already`);
}
