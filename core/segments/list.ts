import { formatRange, formatSet, intersect, subtract, toRanges, unionAll } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { endReader, type NamedEnd } from "../guardrail/ends.ts";
import type { Basis } from "../guardrail/report.ts";
import { isPodIn, resolveSubjects } from "../membership/resolve.ts";
import { FirebreakError } from "../ground/error.ts";
import { BUILT_IN_SEGMENTS, type Definitions, type Segment, type TargetId } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";
import { unknownName } from "../model/unknown-name.ts";
import { externalCutter } from "../reach/externals.ts";
import type { Labels } from "../selector/index.ts";
import { whyIn, type LookedUp } from "./why.ts";

/** A workload as people know it. */
export interface WorkloadLine {
  readonly workload: string;
  /** Null for an external, where nothing enforces. */
  readonly target: TargetId | null;
  readonly kind: Workload["kind"];
  /** Pods of one controller share it. */
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A workload in a segment, and what of it the segment names. */
export interface MemberLine extends WorkloadLine {
  /** `app=web`, `namespace team=shop`, `address 10.9.0.4`, `segment phi`; sorted. */
  readonly by: readonly string[];
  /** False: labels cannot tell whether `not` leaves it out. It is no peer, and it is isolated. */
  readonly certain: boolean;
}

/** A segment and who is in it. */
export interface SegmentLine {
  readonly name: string;
  readonly at: Position;
  readonly isolate: Segment["isolate"];
  readonly members: readonly MemberLine[];
  /** What it says in addresses beyond those of its members: ranges. */
  readonly addresses: readonly string[];
}

/** A workload that no segment holds. */
export interface LooseWorkload extends WorkloadLine {
  readonly labels: Labels;
  /** Of its namespace; empty for what is no pod. */
  readonly namespaceLabels: Labels;
}

/** Who is in which segment, and who is in none. */
export interface SegmentsAnswer {
  readonly basis: Basis;
  readonly segments: readonly SegmentLine[];
  /** Null when one segment was asked about. */
  readonly inNone: readonly LooseWorkload[] | null;
  /** What cannot be answered, each a sentence. */
  readonly gaps: readonly string[];
}

/** The world that segments are looked up in. */
export interface SegmentsWorld {
  readonly basis: Basis;
  readonly definitions: Definitions;
  readonly estate: Estate;
  readonly gaps: readonly string[];
}

/**
 * Every segment with its members and whoever is in none; or the one that is asked about.
 *
 * @throws FirebreakError NOT_FOUND for a name that is no segment, with the one that was probably meant
 */
export function listSegments({ basis, definitions, estate, gaps }: SegmentsWorld, name?: string): SegmentsAnswer {
  const asked = name === undefined ? [...definitions.segments.values()] : [segmentAsked(definitions, name)];
  const read = endReader(definitions, estate);
  const held = new Set<Workload>();
  const segments = asked.map((segment) => {
    const end = read(segment.name);
    const cut = externalCutter(estate, () => [end.addresses]);
    const members = estate.workloads.flatMap((workload) => {
      const parts = cut(workload).filter(end.has);
      if (parts.length > 0) held.add(workload);
      return parts;
    });
    return lineOf({ definitions, estate, read }, segment, members, end);
  });
  const loose = estate.workloads.filter((workload) => !held.has(workload));
  return { basis, segments, inNone: name === undefined ? loose.map(looseLine) : null, gaps };
}

function segmentAsked({ segments }: Definitions, name: string): Segment {
  const segment = segments.get(name);
  if (segment !== undefined) return segment;
  const isBuiltIn = (BUILT_IN_SEGMENTS as readonly string[]).includes(name);
  if (isBuiltIn) throw new FirebreakError("NOT_FOUND", `${name} is built in: it has no list of members`);
  throw unknownName("segment", name, segments.keys(), "firebreak segments lists them");
}

function lineOf(looked: LookedUp, segment: Segment, members: readonly Workload[], end: NamedEnd): SegmentLine {
  const own = unionAll(members.map(({ addresses }) => addresses));
  const beyond = subtract(end.addresses, own);
  return {
    name: segment.name,
    at: segment.at,
    isolate: segment.isolate,
    members: members.map((workload) => ({
      ...workloadLine(workload),
      by: reasons(looked, segment, workload, end),
      certain: isCertain(looked, segment, workload),
    })),
    addresses: toRanges(beyond).map(formatRange),
  };
}

/** What of a workload the segment names; an address when no member of the segment chooses it otherwise. */
function reasons(looked: LookedUp, segment: Segment, workload: Workload, { addresses }: NamedEnd): readonly string[] {
  const by = segment.members.flatMap((member) => whyIn(looked, member, workload));
  if (by.length > 0) return [...new Set(by)].sort();
  return [`address ${formatSet(intersect(workload.addresses, addresses))}`];
}

function isCertain({ definitions, estate }: LookedUp, segment: Segment, workload: Workload): boolean {
  const known = estate.clusters.get(workload.target ?? "");
  if (workload.kind !== "pod" || known?.inventory === undefined) return true;
  const { cluster, inventory } = known;
  if (resolveSubjects(definitions, segment, cluster, inventory.services).problem === undefined) return true;
  return isPodIn(definitions, segment, cluster, inventory.services, workload.labels, workload.namespaceLabels);
}

function looseLine(workload: Workload): LooseWorkload {
  const { labels, namespaceLabels } = workload;
  return { ...workloadLine(workload), labels, namespaceLabels };
}

function workloadLine({ id, target, kind, name, addresses }: Workload): WorkloadLine {
  return {
    workload: id,
    target: target ?? null,
    kind,
    name,
    addresses: toRanges(addresses).map(formatRange),
  };
}
