/**
 * Text that strangers wrote (definitions, commit subjects, names of objects) on its way to a terminal: control characters and what
 * changes the direction of text are shown, not obeyed. Line ends too, so that one line stays one.
 *
 * @example visible("a\u001b[2Jb") === "a\\u001b[2Jb"
 */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}
