import type { Verdict } from "../explain/verdict.ts";
import type { BlamedLine, ExplainAnswer } from "../explain/answer.ts";
import { formatPosition } from "../model/note.ts";
import { BASIS } from "./basis.ts";
import { legendOf } from "./legend.ts";
import { formatEnd } from "../guardrail/say.ts";
import { visible } from "../ground/visible.ts";

const HEAD = {
  allowed: "ALLOWED",
  denied: "DENIED",
  some: "ALLOWED FOR SOME",
  uncertain: "UNCERTAIN",
} as const satisfies Record<Verdict, string>;

/** What `firebreak explain` prints: the decision, then both ends, who wrote the lines, where it is enforced, live, and an edit. */
export function formatExplain(answer: ExplainAnswer, isFull: boolean = false): string {
  const { from, to, port, verdict, basis, pairs, pair, ends, lines, live, edit, notes } = answer;
  // One pair stands for all where all are alike: then there is nothing to list.
  const isCut = !isFull && new Set((answer.groups ?? []).map((group) => group.verdict)).size > 1;
  const many = pairs.asked > 1 ? ` (${pairs.allowed} of ${pairs.asked} pairs)` : "";
  const text = [
    `${HEAD[verdict]}  ${visible(from)} → ${visible(to)}: ${visible(port)}${many}`,
    ...(pair.from === from && pair.to === to && pair.port === port
      ? []
      : [`  pair     ${visible(pair.from)} → ${visible(pair.to)}: ${visible(pair.port)}`]),
    ...(isCut ? ["  other pairs get other answers: --full lists all"] : []),
    ...(isFull ? formatGroups(answer) : []),
    ...ends.map((end) => `  ${formatEnd(end)}`),
    ...lines.flatMap(formatLine),
    ...formatPlaces(answer),
    `  asked        ${BASIS[basis]}`,
    ...formatLive(live),
    ...notes.map((note) => `  note: ${visible(note)}`),
  ];
  return [
    ...text,
    ...legendOf(text.join("\n")).map((line) => `  ${line}`),
    ...(edit === null
      ? []
      : [
          "",
          `This would allow it: it ${visible(edit.what)}.`,
          ...edit.breaks.map((text) => `It would break the ${visible(text)}.`),
          "",
          ...edit.patch.trimEnd().split("\n").map(visible),
        ]),
  ].join("\n");
}

function formatGroups({ groups = [], moreGroups = 0 }: ExplainAnswer): readonly string[] {
  const lines = groups.map(
    (group) =>
      `  ${group.verdict.padEnd(9)} ${group.from.map(visible).join(", ")} → ${group.to.map(visible).join(", ")} (${group.pairs})`,
  );
  const more = moreGroups === 0 ? [] : [`  ${moreGroups} more groups of pairs; ask about one workload instead of a segment`];
  return ["  pairs, by what they get:", ...[...lines, ...more].map((line) => `  ${line}`)];
}

/** Where it is decided, and where it is only reported. */
function formatPlaces({ enforcedAt: points, ends }: ExplainAnswer): readonly string[] {
  const listed = (mode: "enforced" | "observed"): string =>
    points
      .filter((point) => point.mode === mode)
      .map(({ target, direction }) => `${visible(target)} (${direction})`)
      .join(", ");
  const [enforced, observed] = [listed("enforced"), listed("observed")];
  const isMeant = ends.some(({ mode }) => mode === "enforced");
  const nowhere = isMeant ? "nowhere: nothing enforces policies there" : "nowhere: no end is isolated";
  return [`  enforced at  ${enforced === "" ? nowhere : enforced}`, ...(observed === "" ? [] : [`  observed at  ${observed}`])];
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
