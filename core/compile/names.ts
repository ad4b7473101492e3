import { sha256Hex } from "../membership/hash.ts";
import type { Direction } from "../model/kinds.ts";
import type { LabelSelector } from "../selector/index.ts";
import { canonicalOf } from "./subjects.ts";

/**
 * What an object is for: a segment's own default deny, what a rule adds for another segment's pods, an essential, or what rules that
 * compare labels add for pods with some values (`color=blue`) of the segment itself (empty name) or of another end.
 */
export type ObjectRole =
  | { readonly kind: "own" }
  | { readonly kind: "end" | "essential"; readonly name: string }
  | { readonly kind: "cell"; readonly name: string; readonly values: string };

/** Room that the renderer needs for a part number, within the 63 characters that labels and tools expect of a name. */
const MAX_NAME = 63 - "-b999".length;

/**
 * `fb-SEGMENT-i|e[-END]-HASH8`: says what it is, and the hash says it exactly.
 *
 * The hash covers segment, direction, role and subject, so an object of one name always has one podSelector and one direction:
 * a replace never moves isolation from some pods to others. Long names are cut; the hash keeps them apart.
 */
export function objectName(segment: string, direction: Direction, role: ObjectRole, subject: LabelSelector): string {
  const end = role.kind === "own" ? "" : role.name;
  const meaning = [segment, direction, role.kind, end, canonicalOf(subject).key, ...(role.kind === "cell" ? [role.values] : [])];
  const hash = sha256Hex(JSON.stringify(meaning)).slice(0, 8);
  const shown = role.kind === "cell" ? [role.name, speakable(role.values)].filter((part) => part !== "").join("-") : end;
  const room = MAX_NAME - `fb--${direction[0]}--${hash}`.length;
  const endPart = shown === "" ? "" : shown.slice(0, Math.max(12, Math.floor(room / 2)));
  const segmentPart = segment.slice(0, room - (endPart === "" ? 0 : endPart.length + 1));
  const parts = ["fb", tidy(segmentPart), direction[0], tidy(endPart), hash];
  return parts.filter((part) => part !== "").join("-");
}

/** A cut name must not end in a dash or dot before the next dash. */
function tidy(part: string): string {
  return part.replaceAll("/", "-").replace(/[-.]+$/, "");
}

/** Label values as a name can have them: `color=Blue` is `color-blue`. */
function speakable(values: string): string {
  return values
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "");
}
