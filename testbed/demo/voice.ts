import pc from "picocolors";

/** Prints for people: what happens with the time since the start in front, steps of the tour as blocks of labelled lines. */
export interface Voice {
  /** A section of the output. */
  heading(text: string): void;
  /** Something that was done; the seconds since the start stand in front. */
  say(text: string): void;
  /** Progress of something that goes on in the background. */
  aside(text: string): void;
  /** A labelled line of a step. */
  detail(label: string, text: string): void;
  good(text: string): void;
  bad(text: string): void;
  /** Text as it is, indented. */
  block(text: string): void;
}

const INDENT = "   ";
const LABEL_WIDTH = 9;
const WRAP = 100;

/** A voice that writes to `write`, coloured or plain; `now` in ms. */
export function openVoice(write: (text: string) => void, color: boolean, now: () => number = () => performance.now()): Voice {
  const paint = pc.createColors(color);
  const started = now();
  const clock = (): string => `${((now() - started) / 1000).toFixed(1)} s`.padStart(8);
  const line = (text = ""): void => write(`${text}\n`);
  return {
    heading: (text) => line(`\n${paint.bold(text)}`),
    say: (text) => line(`${paint.dim(clock())}  ${text}`),
    aside: (text) => line(paint.dim(`${clock()}  · ${text}`)),
    detail(label, text) {
      const [first = "", ...rest] = wrapText(text);
      line(`${INDENT}${paint.dim(label.padEnd(LABEL_WIDTH))} ${first}`);
      for (const more of rest) line(`${INDENT}${" ".repeat(LABEL_WIDTH + 3)}${more}`);
    },
    good: (text) => line(`${INDENT}${paint.green("ok")} ${text}`),
    bad: (text) => line(`${INDENT}${paint.red("FAILED")} ${text}`),
    block: (text) => line(text.replaceAll(/^(?=.)/gm, INDENT)),
  };
}

/** Breaks at spaces so that lines stay readable; a word is never broken. */
function wrapText(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WRAP) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
