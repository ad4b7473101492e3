import { formatExamplePort } from "../address/example.ts";
import type { Diff, DiffLine, DiffSide } from "../reach/diff-lines.ts";
import { isProlonged, type Expiry, type Review } from "../review/review.ts";
import { notesIn, verdictOf, type Reviewed } from "../review/reviewed.ts";
import type { Note } from "../model/note.ts";
import { formatPosition } from "../model/note.ts";
import { affected, observedWords, VERB } from "./diff.ts";
import { OBSERVED_LEGEND } from "./legend.ts";
import { isOnlyUnseen } from "../revision/judge.ts";
import { code, mute } from "../ground/inert.ts";
import { safeguardHeadline, safeguardItems, SAFEGUARDS_TITLE } from "./safeguards.ts";

/** Lines of a table that are always seen, and those in the folded part below it. */
const SHOWN = 20;
const FOLDED = 200;
/** A sentence about a change may name several things. */
const LONG = 1_000;

/**
 * A review as a security reviewer reads it, in Markdown; the first line says what it opens and closes.
 *
 * Everything that strangers wrote stands in code spans that it cannot leave. @see {@link code}
 */
export function reviewMarkdown(reviewed: Reviewed): string {
  return [`**${headline(reviewed, code)}**`, ...body(reviewed)].join("\n\n");
}

/** The same decision in one line of plain text: the title of a check. */
export function reviewTitle(reviewed: Reviewed): string {
  const said = headline(reviewed, (text) => mute(text));
  const isBlocked = reviewed.kind === "reviewed" && verdictOf(reviewed) === "blocked";
  return isBlocked ? `blocked; ${said}` : said;
}

function headline(reviewed: Reviewed, write: (text: string) => string): string {
  switch (reviewed.kind) {
    case "reviewed":
      return reviewHeadline(reviewed.review, write);
    case "invalid": {
      const errors = reviewed.notes.filter(({ severity }) => severity === "error").length;
      return `cannot be planned: ${plural(errors, "error")} in the definitions`;
    }
    case "conflict":
      return "cannot be planned: update the branch, it and the branch it goes into changed the same files";
    case "unplannable":
      return `cannot be planned: ${write(reviewed.why)}`;
    default:
      return reviewed satisfies never;
  }
}

function reviewHeadline({ diff, visibility, touched, safeguards, expires }: Review, write: (text: string) => string): string {
  const lines = ([first, ...more]: readonly DiffLine[]): string => {
    if (first === undefined) return "nothing";
    const many = visibility === "full" ? ` for ${plural(affected(first), "workload")}` : "";
    return `${write(connection(first))}${many}${more.length > 0 ? ` and ${more.length} more` : ""}`;
  };
  const side = (name: "opened" | "closed"): string => `${VERB[name]} ${lines(diff[name])}`;
  // Beside what closes: else a wide line reads as if nothing were left.
  const kept = diff.stays.length === 0 ? "" : `, while ${lines(diff.stays)} stays open`;
  const unknown = touched.targets.filter(({ how }) => how === "unknown").length;
  const doubts = [
    ...(diff.uncertain.length === 0 ? [] : [`${plural(diff.uncertain.length, "thing")} uncertain`]),
    ...(unknown === 0 ? [] : [`${plural(unknown, "target")} not seen whole`]),
  ];
  // First, so that no forge's short line cuts it off.
  const rules = safeguards.length === 0 ? [] : [safeguardHeadline(safeguards)];
  const [longer, ...others] = expires.filter(isProlonged);
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  const prolonged = longer === undefined ? [] : [`keeps ${write(longer.policy)}${more} open for longer`];
  return [...rules, `${side("opened")}, ${side("closed")}${kept}`, ...prolonged, ...doubts].join("; ");
}

function connection({ from, to, ports }: DiffLine): string {
  return `${from} → ${to}: ${ports}`;
}

function body(reviewed: Reviewed): readonly string[] {
  switch (reviewed.kind) {
    case "reviewed":
      return reviewBody(reviewed.review);
    case "invalid":
      return [list(notesIn(reviewed).map(noteItem))];
    case "conflict":
      return [
        "These files were changed here and on the branch since they parted. Merge or rebase the branch, then it is planned:",
        list(reviewed.paths.map((path) => code(path))),
      ];
    case "unplannable":
      return [];
    default:
      return reviewed satisfies never;
  }
}

function reviewBody(review: Review): readonly string[] {
  const { diff, safeguards, enforceable, problems, notes, expires, visibility } = review;
  const known =
    enforceable === undefined
      ? []
      : [
          `**As enforcers can know it**, it ${reviewHeadline({ ...review, diff: enforceable, safeguards: [], expires: [] }, code)}.`,
        ];
  return [
    ...(problems.length === 0
      ? []
      : [
          isOnlyUnseen(problems) ? "**It would wait:**" : "**It would be refused:**",
          list(problems.map((problem) => `\`${problem.code}\`: ${code(problem.message, LONG)}`)),
        ]),
    ...(safeguards.length === 0 ? [] : [SAFEGUARDS_TITLE, list(safeguardItems(safeguards))]),
    ...connections(diff, visibility),
    ...known,
    ...(enforceable === undefined ? [] : [details("What enforcers are given", connections(enforceable, visibility))]),
    ...doubts(diff),
    ...ends(expires),
    ...targets(review),
    ...noteSection(notes),
    ...(visibility === "full" ? [] : [INTENT]),
  ];
}

function ends(expires: readonly Expiry[]): readonly string[] {
  const over = expires.flatMap(({ policy, at, isOver }) => (at !== undefined && isOver ? [`${code(policy)} on ${day(at)}`] : []));
  const ending = expires.flatMap((one) => {
    if (one.isOver) return [];
    const was = one.was === undefined || one.was === one.at ? "" : ` (before: on ${day(one.was)})`;
    return one.at === undefined ? [] : [`${code(one.policy)} on ${day(one.at)}${was}`];
  });
  const endless = expires.flatMap(({ policy, at, was }) =>
    at === undefined && was !== undefined ? [`${code(policy)} (before: on ${day(was)})`] : [],
  );
  return [
    ...(over.length === 0 ? [] : [`Ended already, so its rules are closed: ${over.join(", ")}.`]),
    ...(ending.length === 0 ? [] : [`Ends by itself: ${ending.join(", ")}.`]),
    ...(endless.length === 0 ? [] : [`Ends no more by itself: ${endless.join(", ")}.`]),
  ];
}

const INTENT =
  "_Computed from the definitions alone, on made-up workloads: no names and no numbers of what runs. Where the service reads comments, somebody with write access gets those by_ `/firebreak plan`.";

function connections(diff: Diff, visibility: Review["visibility"]): readonly string[] {
  const rows = (["opened", "closed", "stays"] as const).flatMap((side) => diff[side].map((line) => row(side, line, visibility)));
  if (rows.length === 0) return [];
  const isFull = visibility === "full";
  const head = isFull
    ? "| | from | to | ports | workloads | for example |\n|---|---|---|---|---:|---|"
    : "| | from | to | ports |\n|---|---|---|---|";
  const table = (some: readonly string[]): string => [head, ...some].join("\n");
  const marks = diff.opened.concat(diff.closed, diff.stays).some(({ isObservedOnly }) => isObservedOnly)
    ? [`_${OBSERVED_LEGEND}._`]
    : [];
  const more = rows.slice(SHOWN, SHOWN + FOLDED);
  const left = rows.length - SHOWN - more.length;
  return [
    table(rows.slice(0, SHOWN)),
    ...(more.length === 0
      ? []
      : [details(`${plural(rows.length - SHOWN, "more line")}`, [table(more), ...(left > 0 ? [`and ${left} more`] : [])])]),
    ...marks,
    ...(isFull
      ? [
          `In connections: ${numbered(diff.openedCount)} opened, ${numbered(diff.closedCount)} closed, ${numbered(diff.unchangedCount)} unchanged.`,
        ]
      : []),
  ];
}

function row(side: DiffSide, line: DiffLine, visibility: Review["visibility"]): string {
  const word = line.isObservedOnly ? `${VERB[side]} (${observedWords(side)})` : VERB[side];
  const cells = [word, code(line.from), code(line.to), code(line.ports)];
  const { witness } = line;
  const counted = [numbered(affected(line)), code(`${witness.from} → ${witness.to}: ${formatExamplePort(witness)}`)];
  return `| ${[...cells, ...(visibility === "full" ? counted : [])].join(" | ")} |`;
}

function doubts({ uncertain, notes }: Diff): readonly string[] {
  const items = uncertain.map(
    ({ text, pairs }) => `${code(text, LONG)}${pairs === undefined ? "" : ` (${plural(pairs, "connection")})`}`,
  );
  const told = notes.map((note) => code(note, LONG));
  return [
    ...(items.length === 0 ? [] : ["**Uncertain**, so do not take it for harmless:", list(items)]),
    ...(told.length === 0 ? [] : [list(told)]),
  ];
}

const HOW = {
  changed: "gets other rules",
  ends: "is written no more: what is enforced there stays",
  begins: "is written from now on: until then it was only planned (`mode: plan`)",
  added: "is new",
  gone: "is gone from Git, and stays enforced until it is released",
  reconnected: "is reached another way: whatever is there gets its rules",
  unknown: "may get other rules: its workloads are not known whole",
} as const;

function targets({ touched }: Review): readonly string[] {
  const items = touched.targets.map(
    ({ id, how, mode }) => `${code(id)} ${HOW[how]}${mode === "plan" ? " (only planned: `mode: plan`)" : ""}`,
  );
  if (items.length === 0) return [`Touches none of ${plural(touched.total, "target")}.`];
  return [
    ...standingStill(touched.targets),
    details(`Touches ${numbered(items.length)} of ${plural(touched.total, "target")}`, [list(items)]),
  ];
}

/** Nothing changes there by the merge, whatever the lines say that it opens or closes. */
function standingStill(touched: Review["touched"]["targets"]): readonly string[] {
  const named = (list: readonly { readonly id: string }[]): string => {
    const names = list.slice(0, NAMED).map(({ id }) => code(id));
    return `${names.join(", ")}${list.length > NAMED ? ` and ${list.length - NAMED} more` : ""}`;
  };
  const planned = touched.filter(({ mode, how }) => mode === "plan" && how !== "gone");
  const gone = touched.filter(({ mode, how }) => mode === "apply" && how === "gone");
  return [
    ...(planned.length === 0
      ? []
      : [
          `**Nothing is written to** ${named(planned)}: \`mode: plan\`. What is said of it here holds from the commit on that sets \`mode: apply\`.`,
        ]),
    ...(gone.length === 0
      ? []
      : [`**Stays enforced as it is:** ${named(gone)}, until \`firebreak release\`. What is said of it here holds from then on.`]),
  ];
}

/** Targets named in one sentence. */
const NAMED = 5;

function noteSection(notes: readonly Note[]): readonly string[] {
  if (notes.length === 0) return [];
  const counts = (["error", "warning", "info"] as const).flatMap((severity) => {
    const count = notes.filter((note) => note.severity === severity).length;
    return count === 0 ? [] : [plural(count, severity)];
  });
  return [details(`Notes: ${counts.join(", ")}`, [list(notes.map(noteItem))])];
}

function noteItem({ severity, at, summary, detail }: Note): string {
  const place = at === undefined ? "" : `${code(formatPosition(at))}: `;
  return `${severity}: ${place}${code(detail === undefined ? summary : `${summary}. ${detail}`, LONG)}`;
}

/** A folded part. The title is ours. */
export function details(title: string, parts: readonly string[]): string {
  return `<details><summary>${title}</summary>\n\n${parts.join("\n\n")}\n\n</details>`;
}

function list(items: readonly string[]): string {
  const shown = items.slice(0, FOLDED).map((item) => `- ${item}`);
  return [...shown, ...(items.length > FOLDED ? [`- and ${items.length - FOLDED} more`] : [])].join("\n");
}

function day(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : `${text.slice(0, 16).replace("T", " ")} UTC`;
}

function plural(count: number, word: string): string {
  return `${numbered(count)} ${word}${count === 1 || word === "info" ? "" : "s"}`;
}

/** 9,870, the same on every machine. */
function numbered(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
