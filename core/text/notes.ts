import { compareNotes, formatPosition } from "../model/note.ts";
import type { Note, NoteSeverity } from "../model/note.ts";
import { visible } from "./visible.ts";

/** Terminal escapes (ECMA-48 SGR): bold red, yellow, cyan, faint. */
const PAINT: Readonly<Record<NoteSeverity | "place", string>> = {
  error: "\u001b[1;31m",
  warning: "\u001b[33m",
  info: "\u001b[36m",
  place: "\u001b[2m",
};
const PLAIN = "\u001b[0m";

/**
 * Notes as people read them, one a line, by file and place; no line end after the last.
 *
 * @example segments/web.yaml:14:7: error: unknown key "podz". Did you mean "pods"?
 */
export function formatNotes(notes: readonly Note[], options: { readonly color?: boolean | undefined } = {}): string {
  const paint = (style: keyof typeof PAINT, text: string) => (options.color === true ? `${PAINT[style]}${text}${PLAIN}` : text);
  const line = ({ at, severity, summary, detail }: Note): string => {
    const place = at === undefined ? "" : `${paint("place", visible(formatPosition(at)))}: `;
    const text = detail === undefined ? visible(summary) : `${visible(summary)}. ${visible(sentence(detail))}`;
    return `${place}${paint(severity, severity)}: ${text}`;
  };
  return [...notes].sort(compareNotes).map(line).join("\n");
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
