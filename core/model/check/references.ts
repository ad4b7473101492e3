import { parseAddress, parsePrefix, formatAddress } from "../../address/index.ts";
import { BUILT_IN_SEGMENTS } from "../kinds.ts";
import type { Note } from "../note.ts";
import type { SegmentReference } from "../parse/references.ts";
import { didYouMean } from "../parse/suggest.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** Every name of a segment, and in tests of a host, is one; a built-in one stands only where it has a meaning. */
export function checkReferences(set: DefinitionSet): readonly Note[] {
  const segments = new Set(set.headings.flatMap(({ kind, name }) => (kind === "Segment" && name !== undefined ? [name] : [])));
  const hosts = hostNames(set);
  return set.references.flatMap((reference): readonly Note[] => {
    if (isBuiltIn(reference.name)) return builtInNotes(reference);
    if (segments.has(reference.name)) return [];
    if (reference.use === "test" && looksLikePlace(reference.name)) return placeNotes(reference, hosts, set);
    const known = [...segments, ...ALLOWED[reference.use]];
    const detail = didYouMean(reference.name, known) ?? "Define the segment, or remove the name";
    return [noteAt(reference, "unknown-segment", `unknown segment ${quote(reference.name)}`, detail)];
  });
}

/** The built-in segments that each use may name. */
const ALLOWED: Readonly<Record<SegmentReference["use"], readonly string[]>> = {
  rule: ["any", "internet"],
  test: ["any", "internet"],
  member: [],
  claim: BUILT_IN_SEGMENTS,
};

function isBuiltIn(name: string): boolean {
  return BUILT_IN_SEGMENTS.some((builtIn) => builtIn === name);
}

function builtInNotes(reference: SegmentReference): readonly Note[] {
  const { name, use } = reference;
  if (ALLOWED[use].includes(name)) return [];
  if (use === "member") {
    return [noteAt(reference, "reserved-name", `${name} cannot be a member`, "It is built in; name it in the rule instead")];
  }
  const detail = "It is for guardrails; name segments, or any";
  return [noteAt(reference, "reserved-name", `${name} cannot be used in a ${use}`, detail)];
}

/** A test may name a host (`FLEET/NAME`) or an address where everything else names segments. */
function looksLikePlace(name: string): boolean {
  return /[/:]/.test(name) || /^[0-9.]+$/.test(name);
}

function hostNames(set: DefinitionSet): ReadonlySet<string> {
  return new Set(
    ofKind(set, "HostFleet").flatMap(({ body }) => body.spec.hosts.map(({ name }) => `${body.metadata.name}/${name}`)),
  );
}

function placeNotes(reference: SegmentReference, hosts: ReadonlySet<string>, set: DefinitionSet): readonly Note[] {
  const { name } = reference;
  if (hosts.has(name)) return [];
  const address = parseAddress(name);
  if ("ok" in address) return [];
  if (address.corrected !== undefined) {
    return [noteAt(reference, "bad-address", address.error, `Write ${formatAddress(address.corrected)}`)];
  }
  if ("ok" in parsePrefix(name)) {
    return [noteAt(reference, "bad-address", `${name} is a block`, "A test asks about one address; write one of the block")];
  }
  if (!/^[a-z0-9-]+\/[a-z0-9-]+$/i.test(name)) {
    const detail = "Write a segment, a host as FLEET/NAME, or one address";
    return [noteAt(reference, "bad-address", `${quote(name)} is no segment, host or address`, detail)];
  }
  if (!set.wholeKinds.has("HostFleet")) return [];
  const detail = didYouMean(name, hosts) ?? "Hosts are named FLEET/NAME";
  return [noteAt(reference, "unknown-host", `unknown host ${quote(name)}`, detail)];
}

function noteAt({ heading, path }: SegmentReference, code: string, summary: string, detail: string): Note {
  return noteIn(heading.document, path, "error", code, summary, detail);
}
