/** Most characters a comment or a pull request's text may have on GitHub (65,536); Gitea takes more. */
export const MAX_BODY = 65_536;

const CUT = "\n\n… the rest was cut: it is longer than the forge takes.\n";
/** Room for what {@link closing} adds. */
const SLACK = 512;

/**
 * Hidden line that finds a comment or pull request of ours again.
 *
 * @param kind what it is for, e.g. `plan`
 * @param id tells those of one kind apart; letters, digits, `.`, `_`, `/` and `-` (others are written as `_`), never what ends an HTML comment
 */
export function commentMarker(kind: string, id: string): string {
  const safe = (text: string): string => text.replaceAll(/[^\w./-]/g, "_").replaceAll("--", "-_");
  return `<!-- firebreak ${safe(kind)} ${safe(id)} -->`;
}

/**
 * The marker and the body, cut at a line to what a forge takes: code fences and `<details>` that the cut left open are closed, so that
 * the notice of the cut stands outside of them, and no character is cut in half.
 */
export function markedBody(marker: string, body: string, limit: number = MAX_BODY): string {
  const whole = `${marker}\n${body}`;
  if (whole.length <= limit) return whole;
  const room = limit - CUT.length - SLACK;
  const part = whole.slice(0, room);
  const lineEnd = part.lastIndexOf("\n");
  const kept = lineEnd > marker.length ? part.slice(0, lineEnd) : part.replace(/[\ud800-\udbff]$/, "");
  return `${kept}${closing(kept)}${CUT}`;
}

/** True when the text is one that {@link markedBody} made with this marker: it stands first. */
export function hasMarker(text: string, marker: string): boolean {
  return text.trimStart().startsWith(marker);
}

/** What ends the fence and the sections that are open at the end of a text. */
function closing(text: string): string {
  let fence: string | undefined;
  let open = 0;
  for (const line of text.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) {
      open += count(line, /<details[\s>]/gi) - count(line, /<\/details>/gi);
      fence = mark;
    } else if (mark !== undefined && mark.startsWith(fence) && line.trim() === mark) fence = undefined;
  }
  const details = "\n</details>".repeat(Math.min(Math.max(open, 0), 20));
  return `${fence === undefined ? "" : `\n${fence.slice(0, 80)}`}${details === "" ? "" : `\n${details}`}`;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
