import { formatExamplePort } from "../address/example.ts";
import type { Diff, DiffDoubt, DiffLine, DiffSide, DiffWitness } from "../reach/diff-lines.ts";
import { legendOf } from "./legend.ts";
import { formatTable } from "../ground/table.ts";
import { visible } from "../ground/visible.ts";

/** Lines written before the last one says how many more there are. */
const LINES = 20;

/** The parts of a difference, in the order in which they are told. */
const SIDES = ["opened", "closed", "stays"] as const satisfies readonly DiffSide[];

/** What a line of each part begins with. */
export const VERB = { opened: "opens", closed: "closes", stays: "stays open" } as const satisfies Record<DiffSide, string>;

/** What changes, in one sentence: `opens 14 connections, closes none, 9,870 unchanged`. */
export function summariseDiff(diff: Diff): string {
  const doubts = diff.uncertain.length === 0 ? "" : `; ${plural(diff.uncertain.length, "thing")} uncertain`;
  if (diff.kind === "equivalent")
    return `${diff.uncertain.length === 0 ? "equivalent: " : ""}opens nothing, closes nothing${doubts}`;
  const { openedCount, closedCount, unchangedCount } = diff;
  return `opens ${connections(openedCount)}, closes ${connections(closedCount)}, ${counted(unchangedCount)} unchanged${doubts}`;
}

/** `opens web → db: 5432/tcp for 14 workloads`, `closes …`, `stays open …`, then what is uncertain and noted; one line each. */
export function formatDiff(diff: Diff, limit: number = LINES): readonly string[] {
  const changes = SIDES.flatMap((side) =>
    cut(
      diff[side].map((line) => `${VERB[side]} ${formatDiffLine(line, side)}`),
      limit,
    ),
  );
  const nothing = changes.length === 0 ? ["opens nothing, closes nothing"] : [];
  return [
    ...changes,
    ...nothing,
    ...cut(
      diff.uncertain.map((doubt) => `uncertain: ${formatDoubt(doubt)}`),
      limit,
    ),
    ...diff.notes.map((note) => `note: ${visible(note)}`),
  ];
}

/** `web → db: 5432/tcp for 14 workloads`, and whether only `observe` lets it pass. */
export function formatDiffLine(line: DiffLine, side: DiffSide): string {
  const observed = line.isObservedOnly ? ` (${observedWords(side)})` : "";
  return visible(`${line.from} → ${line.to}: ${line.ports} for ${plural(affected(line), "workload")}${observed}`);
}

/** What is said of a line that no rule allows. */
export function observedWords(side: DiffSide): string {
  return side === "closed" ? "was observed only" : "observed only";
}

/**
 * A table for a terminal: what, from, to, ports, how many, and one connection to try.
 *
 * @param isFull all names of an end, where a few and "and N more" stand otherwise
 */
export function formatDiffTable(diff: Diff, isFull: boolean = false): string {
  const row = (side: DiffSide, line: DiffLine): readonly string[] => [
    line.isObservedOnly ? `${VERB[side]} (observed)` : VERB[side],
    ...[isFull ? line.fromFull : line.from, isFull ? line.toFull : line.to, line.ports].map(visible),
    String(affected(line)),
    visible(formatWitness(line.witness)),
  ];
  const rows = SIDES.flatMap((side) => diff[side].map((line) => row(side, line)));
  const table = rows.length === 0 ? [] : [formatTable(["change", "from", "to", "ports", "workloads", "for example"], rows), ""];
  const doubts = diff.uncertain.map((doubt) => `uncertain: ${formatDoubt(doubt)}`);
  const isCut = !isFull && SIDES.some((side) => diff[side].some((line) => line.from !== line.fromFull || line.to !== line.toFull));
  const more = isCut ? ["names are cut: --full shows all"] : [];
  const text = [...table, ...more, ...doubts, ...diff.notes.map((note) => `note: ${visible(note)}`)];
  return [...text, ...legendOf(text.join("\n")), summariseDiff(diff)].join("\n");
}

/** Lines of a Markdown list for a pull request: the decision first, each line with one connection to try. */
export function formatDiffMarkdown(diff: Diff, limit: number = LINES): readonly string[] {
  const item = (side: DiffSide) => (line: DiffLine) =>
    `- **${VERB[side]}** ${code(formatDiffLine(line, side))}, for example ${code(visible(formatWitness(line.witness)))}`;
  return [
    `**${summariseDiff(diff)}**`,
    "",
    ...SIDES.flatMap((side) => cut(diff[side].map(item(side)), limit, "- ")),
    ...cut(
      diff.uncertain.map((doubt) => `- uncertain: ${code(formatDoubt(doubt))}`),
      limit,
      "- ",
    ),
    ...diff.notes.map((note) => `- note: ${code(visible(note))}`),
  ];
}

/** The difference as plain JSON: a stable contract. Ends are told with all their names. */
export function diffAnswer(diff: Diff): Readonly<Record<string, unknown>> {
  const line = ({ portSet: _, fromFull, toFull, isAnyFrom: _from, isAnyTo: _to, ...rest }: DiffLine): unknown => ({
    ...rest,
    from: fromFull,
    to: toFull,
  });
  return {
    kind: diff.kind,
    opened: diff.opened.map(line),
    closed: diff.closed.map(line),
    stays: diff.stays.map(line),
    counts: { opened: diff.openedCount, closed: diff.closedCount, unchanged: diff.unchangedCount },
    uncertain: diff.uncertain.map(({ text, pairs, witness }) => ({ text, pairs: pairs ?? null, witness: witness ?? null })),
    notes: diff.notes,
  };
}

/** Workloads that a line concerns: where one end is everybody (but a few), those at the other. */
export function affected({ isAnyFrom, isAnyTo, fromWorkloads, toWorkloads, workloads }: DiffLine): number {
  if (isAnyFrom && toWorkloads > 0) return toWorkloads;
  if (isAnyTo && fromWorkloads > 0) return fromWorkloads;
  return workloads;
}

function formatDoubt({ text, pairs, witness }: DiffDoubt): string {
  const where =
    witness === undefined
      ? ""
      : ` (${pairs === undefined ? "" : `${connections(pairs)}, `}for example ${witness.from} → ${witness.to})`;
  return visible(`${text}${where}`);
}

function formatWitness(witness: DiffWitness): string {
  return `${witness.from} → ${witness.to}: ${formatExamplePort(witness)}`;
}

/** A code span that nothing in the text can end. */
function code(text: string): string {
  const fence = "`".repeat(Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return fence.length === 1 ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

function cut(lines: readonly string[], limit: number, before: string = ""): readonly string[] {
  if (lines.length <= limit) return lines;
  return [...lines.slice(0, limit - 1), `${before}${lines.length - limit + 1} more`];
}

function connections(count: number): string {
  return count === 0 ? "none" : plural(count, "connection");
}

function plural(count: number, word: string): string {
  return `${counted(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** 9,870, the same on every machine. */
function counted(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
