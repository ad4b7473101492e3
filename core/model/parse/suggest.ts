/** The known word that was probably meant, or undefined when none is near. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined;
  const allowed = Math.max(1, Math.min(3, Math.floor(word.length / 3)));
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > allowed && !isSpelling(word, candidate)) continue;
    const distance = isSpelling(word, candidate) ? 0 : editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance > bestDistance || (distance === bestDistance && (best === undefined || candidate >= best))) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** `Did you mean "NAME"?`, or undefined. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const near = suggest(word, known);
  return near === undefined ? undefined : `Did you mean ${JSON.stringify(near)}?`;
}

/** Same letters and digits, whatever the case and the separators: `matchlabels`, `order_input`. */
function isSpelling(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_.\s]/g, "");
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
