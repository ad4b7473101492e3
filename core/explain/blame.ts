import { diffArrays } from "diff";

/** Where a line of `after` stood in `before`, both counted from 1; undefined when `after` is the first that has it. */
export function lineBefore(before: string, after: string, line: number): number | undefined {
  if (before === after) return line;
  let [old, young] = [0, 0];
  for (const { added, removed, value } of diffArrays(before.split("\n"), after.split("\n"))) {
    if (removed) old += value.length;
    else if (added) {
      if (line <= young + value.length) return undefined;
      young += value.length;
    } else {
      if (line <= young + value.length) return old + (line - young);
      old += value.length;
      young += value.length;
    }
  }
  return undefined;
}
