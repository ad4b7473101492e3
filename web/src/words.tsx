import type { ReactNode } from "react";
import type { FindingEffect } from "../../core/finding/finding.ts";
import { visible } from "../../core/ground/visible.ts";

const LONGEST = 300;

/** Words of strangers: control characters and what turns the direction of text are shown, not obeyed, and long ones are cut. */
export function Said({ text }: { readonly text: string }): ReactNode {
  const characters = Array.from(visible(text));
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : characters.join("");
  return <bdi>{cut}</bdi>;
}

/** A moment: how it is called here; the whole of it on demand. */
export function Moment({ at }: { readonly at: string | null }): ReactNode {
  if (at === null) return "never";
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  const text = isToday ? date.toLocaleTimeString() : date.toLocaleString();
  return (
    <time dateTime={at} title={at}>
      {text}
    </time>
  );
}

export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** Glyph, words and colour of what happens to connections: never the colour alone. */
export const VERDICTS: Readonly<
  Record<FindingEffect["verdict"], { readonly glyph: string; readonly words: string; readonly color: string }>
> = {
  opens: { glyph: "▲", words: "opens", color: "red" },
  closes: { glyph: "▼", words: "closes", color: "orange" },
  both: { glyph: "◆", words: "opens and closes", color: "red" },
  equivalent: { glyph: "＝", words: "changes no connection", color: "gray" },
  uncertain: { glyph: "?", words: "uncertain", color: "grape" },
};
