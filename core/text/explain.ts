import type { BlamedLine, ExplainAnswer, Verdict } from "../explain/answer.ts";
import { formatPosition } from "../model/note.ts";
import { formatEnd } from "./guardrail.ts";
import { visible } from "./visible.ts";

const HEAD = {
  allowed: "ALLOWED",
  denied: "DENIED",
  some: "ALLOWED FOR SOME",
  uncertain: "UNCERTAIN",
} as const satisfies Record<Verdict, string>;

/** What `firebreak explain` prints: the decision, then both ends, who wrote the lines, where it is enforced, live, and an edit. */
export function formatExplain(answer: ExplainAnswer): string {
  const { from, to, port, verdict, pairs, pair, ends, lines, enforcedAt, live, edit, notes } = answer;
  const many = pairs.asked > 1 ? ` (${pairs.allowed} of ${pairs.asked} pairs)` : "";
  return [
    `${HEAD[verdict]}  ${visible(from)} → ${visible(to)}: ${visible(port)}${many}`,
    ...(pair.from === from && pair.to === to ? [] : [`  pair     ${visible(pair.from)} → ${visible(pair.to)}`]),
    ...ends.map((end) => `  ${formatEnd(end)}`),
    ...lines.flatMap(formatLine),
    `  enforced at  ${enforcedAt.length === 0 ? "nowhere: no end is isolated" : enforcedAt.map(visible).join(", ")}`,
    ...formatLive(live),
    ...notes.map((note) => `  note: ${visible(note)}`),
    ...(edit === null
      ? []
      : [
          "",
          `This would allow it: it ${visible(edit.what)}.`,
          ...edit.breaks.map((text) => `It would break ${visible(text)}`),
          "",
          ...edit.patch.trimEnd().split("\n").map(visible),
        ]),
  ].join("\n");
}

function formatLine({ name, at, blame }: BlamedLine): readonly string[] {
  if (at === null) return [];
  const who =
    blame === null
      ? ""
      : `  ${blame.commit.slice(0, 10)} ${visible(blame.author)}, ${blame.at.slice(0, 10)}: ${visible(blame.subject)}`;
  return [`  ${visible(name)}  ${visible(formatPosition(at))}${who}`];
}

function formatLive(live: ExplainAnswer["live"]): readonly string[] {
  if (live === null) return [];
  const agrees = live.agrees === null ? "nobody can say" : live.agrees ? "agrees" : "DIFFERS";
  return [
    `  live         ${live.verdict}, ${agrees}`,
    ...(live.agrees === true ? [] : live.ends.map((end) => `    ${formatEnd(end)}`)),
  ];
}
