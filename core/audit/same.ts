import { encodeEntry } from "./encode.ts";
import type { Entry, StoredEntry } from "./entry.ts";
import { equalBytes } from "./merkle.ts";

/**
 * Whether a stored entry is the one that is being appended: the same but for when it was brought and by which process.
 *
 * An id that comes again with other content is another event whose producer chose badly (a row number that began again with an empty
 * database): to take it for a retry would drop it. What cannot be compared, because a newer version wrote it, counts as the same.
 */
export function isSameEvent(stored: StoredEntry, entry: Entry): boolean {
  if (stored.type === "newer") return true;
  // Through their bytes, so that both are cut and made well-formed alike; a stored one gives the bytes it was read from.
  const { seq, time, origin } = stored;
  return equalBytes(encodeEntry(stored), encodeEntry({ ...entry, seq, time, origin }));
}
