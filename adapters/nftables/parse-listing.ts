import { isRecord } from "../../core/render/nft-table.ts";

/** nft nests statements, concatenations and sets; the deepest that it lists is far below. What is read by recursion must have an end. */
const MAX_DEPTH = 64;

/** The `nftables` array of `nft -j` output; undefined when it is cut, garbage, too deep, or no listing. */
export function parseListing(text: string): readonly unknown[] | undefined {
  if (isTooDeep(text)) return undefined;
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

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Counts brackets outside of strings; one pass, and no regular expression: the text may be made to be slow. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) isString = false;
    } else if (code === QUOTE) isString = true;
    else if (OPENING.has(code)) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (CLOSING.has(code)) depth -= 1;
  }
  return false;
}
