import {
  familyBits,
  formatPrefix,
  formatRange,
  fromPrefixes,
  internetSet,
  intersect,
  isEmpty,
  prefixOf,
  subtract,
  toRanges,
} from "../../address/index.ts";
import type { AddressSet, Prefix } from "../../address/index.ts";
import type { Note } from "../note.ts";
import type { Path, YamlDocument } from "../parse/document.ts";
import { acceptedAddress } from "../schema/addresses.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind, placeOf } from "./context.ts";

/**
 * Addresses are identity across targets, so those of hosts and of routed pod networks must be told apart, and must not count as
 * `internet`. Pod addresses of masqueraded clusters are seen by nobody outside and may repeat.
 */
export function checkAddresses(set: DefinitionSet): readonly Note[] {
  const managed = managedBlocks(set);
  return [...internalNotes(set), ...overlaps(managed), ...managedInternet(set, managed), ...coverNotes(set, managed)];
}

/** A block of addresses that one target shows to others. */
interface ManagedBlock {
  readonly owner: string;
  readonly prefix: Prefix;
  readonly document: YamlDocument;
  readonly path: Path;
}

function managedBlocks(set: DefinitionSet): readonly ManagedBlock[] {
  const hosts = ofKind(set, "HostFleet").flatMap(({ body, document }) =>
    body.spec.hosts.flatMap((host, index) =>
      host.addresses.map((address, place): ManagedBlock => {
        const path = ["spec", "hosts", index, "addresses", place];
        return { owner: `host ${host.name}`, prefix: prefixOf(acceptedAddress(address)), document, path };
      }),
    ),
  );
  const pods = ofKind(set, "Cluster")
    .filter(({ body }) => body.spec.podNetwork === "routed")
    .flatMap(({ body, document }) =>
      body.spec.podRanges.map((prefix, index): ManagedBlock => {
        return { owner: `pods of cluster ${body.metadata.name}`, prefix, document, path: ["spec", "podRanges", index] };
      }),
    );
  return [...hosts, ...pods];
}

/** Blocks that share an address: of two targets an error, of one a repetition. Sorted by start, so a sweep finds each. */
function overlaps(blocks: readonly ManagedBlock[]): readonly Note[] {
  const sorted = blocks.map((block) => ({ ...rangeOf(block.prefix), block })).sort(compareRanges);
  const notes: Note[] = [];
  /** The blocks that reach furthest: of all, and of all owners but that one's. */
  let furthest: (typeof sorted)[number] | undefined;
  let other: (typeof sorted)[number] | undefined;
  for (const range of sorted) {
    const foreign = furthest?.block.owner === range.block.owner ? other : furthest;
    const known = reaches(foreign, range) ? foreign : reaches(furthest, range) ? furthest : undefined;
    if (known !== undefined) notes.push(overlapNote(known.block, range.block));
    if (furthest === undefined || reachesFurther(range, furthest)) {
      if (furthest !== undefined && furthest.block.owner !== range.block.owner) other = furthest;
      furthest = range;
    } else if (range.block.owner !== furthest.block.owner && (other === undefined || reachesFurther(range, other))) other = range;
  }
  return notes;
}

interface Range {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

function rangeOf({ family, first, length }: Prefix): Range {
  return { family, first: BigInt(first), last: BigInt(first) + (1n << BigInt(familyBits(family) - length)) - 1n };
}

function compareRanges(a: Range, b: Range): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0;
}

function reaches(known: Range | undefined, range: Range): boolean {
  return known !== undefined && known.family === range.family && known.last >= range.first;
}

function reachesFurther(a: Range, b: Range): boolean {
  return a.family !== b.family || a.last > b.last;
}

function overlapNote(a: ManagedBlock, b: ManagedBlock): Note {
  const [first, second] = isBefore(a, b) ? [a, b] : [b, a];
  const place = placeOf(first.document, first.path);
  const what = formatPrefix(second.prefix).replace(/\/(32|128)$/, "");
  if (first.owner === second.owner) {
    return noteIn(
      second.document,
      second.path,
      "error",
      "repeated-address",
      `${what} is listed twice for ${second.owner}`,
      `See ${place}`,
    );
  }
  const summary = `${what} belongs to ${second.owner} and to ${first.owner}`;
  const detail = `The other is at ${place}. Across targets an address is who somebody is, so it has one owner`;
  return noteIn(second.document, second.path, "error", "overlapping-addresses", summary, detail);
}

function isBefore(a: ManagedBlock, b: ManagedBlock): boolean {
  const [x, y] = [a.document.at(a.path), b.document.at(b.path)];
  if (x.file !== y.file) return x.file < y.file;
  return x.line === y.line ? x.column < y.column : x.line < y.line;
}

function internalNotes(set: DefinitionSet): readonly Note[] {
  return ofKind(set, "Workspace").flatMap(({ body, document }) =>
    body.spec.internal.flatMap((prefix, index): Note[] => {
      if (prefix.length > 0) return [];
      const detail = "Then internet would be empty; list the organisation's own blocks";
      return [noteIn(document, ["spec", "internal", index], "error", "wide-internal", "internal covers every address", detail)];
    }),
  );
}

function managedInternet(set: DefinitionSet, managed: readonly ManagedBlock[]): readonly Note[] {
  if (!set.wholeKinds.has("Workspace")) return [];
  const internet = internetSet(ofKind(set, "Workspace").flatMap(({ body }) => body.spec.internal));
  return managed.flatMap(({ owner, prefix, document, path }): Note[] => {
    if (isEmpty(intersect(fromPrefixes([prefix]), internet))) return [];
    const text = formatPrefix(prefix);
    const detail = `Rules for internet would reach it; add ${text}, or the block around it, to Workspace spec.internal`;
    return [noteIn(document, path, "error", "managed-internet", `${text} of ${owner} counts as internet`, detail)];
  });
}

function coverNotes(set: DefinitionSet, managed: readonly ManagedBlock[]): readonly Note[] {
  const ours = fromPrefixes(managed.map(({ prefix }) => prefix));
  const segments = ofKind(set, "Segment").flatMap(({ body, document }) =>
    body.spec.members.flatMap((member, index) =>
      member.addresses === undefined
        ? []
        : coverNote(document, ["spec", "members", index, "addresses"], fromPrefixes(member.addresses), ours),
    ),
  );
  const externals = ofKind(set, "External").flatMap(({ body: { spec }, document }) =>
    coverNote(document, ["spec", "addresses"], subtract(fromPrefixes(spec.addresses), fromPrefixes(spec.except)), ours),
  );
  return [...segments, ...externals];
}

function coverNote(document: YamlDocument, path: Path, addresses: AddressSet, ours: AddressSet): readonly Note[] {
  const ranges = toRanges(intersect(addresses, ours));
  const [first] = ranges;
  if (first === undefined) return [];
  const more = ranges.length === 1 ? "" : ` and ${ranges.length - 1} more`;
  const detail = "They are peers of this name too; what isolates them does not change";
  return [
    noteIn(document, path, "info", "covers-managed", `the addresses cover managed workloads: ${formatRange(first)}${more}`, detail),
  ];
}
