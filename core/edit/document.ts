import type { Edited } from "./edited.ts";
import { isDeepStrictEqual } from "./equal.ts";
import { readTrees, readValues } from "./values.ts";

/**
 * A YAML file without one of its documents, and without the comments that stand with it; the others keep their bytes.
 *
 * What stands above the first document stays, since it speaks of the file. The result is read again and must hold exactly the others.
 *
 * @param document which document of the file, from 0; its only one cannot go
 */
export function removeDocument(text: string, document: number): Edited {
  const before = readValues(text);
  if ("refused" in before) return before;
  if (before.ok.length < 2) return { refused: "it is the only document of its file" };
  const starts = [...text.matchAll(/^---(?=\s|$).*(?:\n|$)/gm)].map(({ index, 0: line }) => ({
    at: index,
    after: index + line.length,
  }));
  const hasFirst = starts.length === before.ok.length; // else the first document begins without a line of its own
  const own = hasFirst ? starts[document] : starts[document - 1];
  const next = hasFirst ? starts[document + 1] : starts[document];
  const cut = own === undefined || document === 0 ? cutFirst(text, next) : cutLater(text, own, next);
  if ("refused" in cut) return cut;
  const after = readValues(cut.ok);
  if ("refused" in after) return { refused: `the edit would break the file: ${after.refused}` };
  const expected = before.ok.filter((_, index) => index !== document);
  return isDeepStrictEqual(after.ok, expected) ? cut : { refused: "the edit would change something else too" };
}

interface Line {
  readonly at: number;
  readonly after: number;
}

function cutFirst(text: string, next: Line | undefined): Edited {
  const trees = readTrees(text);
  if ("refused" in trees) return trees;
  const start = trees.ok[0]?.contents?.range?.[0];
  if (start === undefined || next === undefined) return { refused: "the document has no place of its own" };
  return { ok: text.slice(0, text.lastIndexOf("\n", start - 1) + 1) + text.slice(next.after) };
}

function cutLater(text: string, own: Line, next: Line | undefined): Edited {
  return { ok: text.slice(0, own.at) + text.slice(next?.at ?? text.length) };
}
