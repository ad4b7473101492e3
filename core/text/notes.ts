import { compareNotes, formatPosition } from "../model/note.ts";
import type { Note, NoteSeverity } from "../model/note.ts";

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

/** Text from definitions reaches terminals: control characters and what changes the direction of text are shown, not obeyed. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}
