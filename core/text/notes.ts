import { compareNotes, formatPosition } from "../model/note.ts";
import type { Note, NoteSeverity } from "../model/note.ts";
import { visible } from "../ground/visible.ts";

/** Terminal escapes (ECMA-48 SGR): bold red, yellow, cyan, faint. */
const PAINT: Readonly<Record<NoteSeverity | "place", string>> = {
  error: "\u001b[1;31m",
  warning: "\u001b[33m",
  info: "\u001b[36m",
  place: "\u001b[2m",
};
const PLAIN = "\u001b[0m";

/**
 * Notes as people read them, one a line, by file and place; no line end after the last. `isFolded`: of many hints of one kind the first
 * is said, and the others are counted.
 *
 * @example segments/web.yaml:14:7: error: unknown key "podz". Did you mean "pods"?
 */
export function formatNotes(
  notes: readonly Note[],
  options: { readonly color?: boolean | undefined; readonly isFolded?: boolean } = {},
): string {
  const paint = (style: keyof typeof PAINT, text: string) => (options.color === true ? `${PAINT[style]}${text}${PLAIN}` : text);
  const line = ({ at, severity, summary, detail }: Note): string => {
    const place = at === undefined ? "" : `${paint("place", visible(formatPosition(at)))}: `;
    const text = detail === undefined ? visible(summary) : `${visible(summary)}. ${visible(sentence(detail))}`;
    return `${place}${paint(severity, severity)}: ${text}`;
  };
  return [...notes]
    .sort(compareNotes)
    .flatMap((note) => {
      const alike = options.isFolded !== true ? [] : (folded(notes).get(note.code) ?? []);
      if (alike.length === 0) return [line(note)];
      return note === alike[0] ? [line(note), `  and ${alike.length - 1} more like it: ${placesOf(alike)}`] : [];
    })
    .join("\n");
}

/** So many hints of one kind are said one by one; of more, the first is said and the others are counted. */
const ALIKE = 3;
/** Files that are named for those that are only counted. */
const PLACES = 3;

/** Hints (never errors or warnings) of which there are many, by code, each list in order. */
function folded(notes: readonly Note[]): ReadonlyMap<string, readonly Note[]> {
  const hints = Map.groupBy([...notes].sort(compareNotes), ({ severity, code }) => (severity === "info" ? code : ""));
  return new Map([...hints].filter(([code, list]) => code !== "" && list.length > ALIKE));
}

function placesOf([, ...rest]: readonly Note[]): string {
  const files = [...new Set(rest.flatMap(({ at }) => (at === undefined ? [] : [at.file])))];
  const named = files.slice(0, PLACES).map(visible).join(", ");
  const more = files.length > PLACES ? ` and ${files.length - PLACES} more file${files.length - PLACES === 1 ? "" : "s"}` : "";
  return `${named === "" ? "" : `in ${named}${more}; `}-o json lists each`;
}

/** `2 errors, 1 warning`; `no problems` without either, infos aside. */
export function countNotes(notes: readonly Note[]): string {
  const parts = (["error", "warning"] as const).flatMap((severity) => {
    const count = notes.filter((note) => note.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? "" : "s"}`];
  });
  return parts.length === 0 ? "no problems" : parts.join(", ");
}

function sentence(text: string): string {
  return /[.?]$/.test(text) ? text : `${text}.`;
}
