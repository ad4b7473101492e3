/** Lines that are in one text and not in the other, in order. */
export function lineDiff(before: string, after: string): { readonly gone: readonly string[]; readonly fresh: readonly string[] } {
  const old = before.split("\n");
  const now = after.split("\n");
  let head = 0;
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return { gone: old.slice(head, old.length - tail), fresh: now.slice(head, now.length - tail) };
}
