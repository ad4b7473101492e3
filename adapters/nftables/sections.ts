/** What one command of the read-back said, and how it ended; undefined when its end did not arrive. */
export interface Section {
  readonly lines: readonly string[];
  readonly status: number | undefined;
}

/** The read-back in its parts. */
export interface Sections {
  /** False when the first line of the script is nowhere: something else answered. */
  readonly hasHead: boolean;
  /** True when it arrived to its end. */
  readonly isWhole: boolean;
  readonly has: (name: string) => boolean;
  readonly get: (name: string) => Section;
  readonly names: readonly string[];
}

const HEAD = "@firebreak-readback 1";

/** More lines than this are not a host's answer: nft prints its JSON in one, and the rest are a few hundred. */
const MAX_LINES = 100_000;

const MISSING: Section = { lines: [], status: undefined };
const NOTHING: Sections = { hasHead: false, isWhole: false, has: () => false, get: () => MISSING, names: [] };

/**
 * Cuts the output of the script. What a start-up file of the login shell printed before its first line is passed over; a text of too many
 * lines is not cut at all.
 */
export function splitSections(text: string): Sections {
  const begin = text.startsWith(`${HEAD}\n`) ? 0 : text.indexOf(`\n${HEAD}\n`) + 1;
  if ((begin === 0 && !text.startsWith(HEAD)) || hasTooManyLines(text)) return NOTHING;
  const [, ...blocks] = `\n${text.slice(begin + HEAD.length)}`.split("\n@");
  const isWhole = blocks.at(-1)?.trim() === "end";
  const sections = new Map<string, Section>();
  for (const block of isWhole ? blocks.slice(0, -1) : blocks) {
    const [name = "", ...lines] = block.split("\n");
    const last = lines.findLastIndex((line) => line.startsWith(" ="));
    const status = /^ =([0-9]+)$/.exec(lines[last] ?? "")?.[1];
    const content = lines.slice(0, Math.max(last, 0)).map((line) => line.slice(1));
    if (!sections.has(name)) sections.set(name, { lines: content, status: status === undefined ? undefined : Number(status) });
  }
  return {
    hasHead: true,
    isWhole,
    has: (name) => sections.has(name),
    get: (name) => sections.get(name) ?? MISSING,
    names: [...sections.keys()],
  };
}

function hasTooManyLines(text: string): boolean {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    lines += 1;
    if (lines > MAX_LINES) return true;
  }
  return false;
}
