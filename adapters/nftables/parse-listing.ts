import { isRecord } from "../../core/render/nft-table.ts";

/** nft nests statements, concatenations and sets; the deepest that it lists is far below. What is read by recursion must have an end. */
const MAX_DEPTH = 64;
/** A rule has some nine brackets in 170 characters: what has more in 16 MiB is no ruleset, and costs more memory than one. */
const MAX_BRACKETS = 1_000_000;
/** An object of nft has some ten keys. */
const MAX_KEYS = 1_000;

/** The `nftables` array of `nft -j` output; undefined when it is cut, garbage, too deep, too much, or no listing. */
export function parseListing(text: string): readonly unknown[] | undefined {
  if (isStrange(text)) return undefined;
  let listing: unknown;
  try {
    listing = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isRecord(listing) || !Array.isArray(listing["nftables"])) return undefined;
  const objects: readonly unknown[] = listing["nftables"];
  return objects.some((object) => isRecord(object) && "metainfo" in object) ? objects : undefined;
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Counts brackets and keys outside of strings; one pass, and no regular expression: the text may be made to be slow. */
function isStrange(text: string): boolean {
  let depth = 0;
  let brackets = 0;
  let isString = false;
  const keys = new Uint32Array(MAX_DEPTH + 1);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) isString = false;
    } else if (code === QUOTE) isString = true;
    else if (OPENING.has(code)) {
      depth += 1;
      brackets += 1;
      if (depth > MAX_DEPTH || brackets > MAX_BRACKETS) return true;
      keys[depth] = 0;
    } else if (CLOSING.has(code)) depth = Math.max(0, depth - 1);
    else if (code === COLON) {
      const count = (keys[depth] ?? 0) + 1;
      if (count > MAX_KEYS) return true;
      keys[depth] = count;
    }
  }
  return false;
}
