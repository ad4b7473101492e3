import { endText, portText, type Coverage, type FlowTable } from "../flow/flow.ts";
import type { Proposal, ProposedRule } from "../flow/propose.ts";
import { gapsOf, type ReadyAnswer, type SeenLine } from "../flow/ready.ts";
import type { Unclear } from "../flow/seen.ts";
import type { RuleUsage, UsageAnswer } from "../flow/usage.ts";
import { formatTable } from "../ground/table.ts";
import { visible } from "../ground/visible.ts";

/** Lines of one thing before the rest is counted. */
const MOST_LINES = 40;

/** How much is shown. */
interface Cut {
  /** Everything, however much. */
  readonly full: boolean;
}

/** What `firebreak flows import` says: what each source told of. */
export function formatCoverage(coverage: readonly Coverage[]): string {
  const rows = coverage.map(({ source, format, first, last, sightings, broken, lost, merged }) => [
    visible(source),
    format,
    String(sightings),
    momentText(first),
    momentText(last),
    String(broken),
    String(lost),
    String(merged),
  ]);
  return formatTable(["source", "format", "sightings", "first", "last", "not understood", "lost", "merged"], rows);
}

/** What `firebreak flows list` prints: a line for each flow, then who saw it. */
export function formatFlows(table: FlowTable, cut: Cut): string {
  const rows = table.flows.map((flow) => [
    visible(endText(flow.from)),
    visible(endText(flow.to)),
    portText(flow.protocol, flow.port),
    flow.verdict,
    String(flow.count),
    String(flow.days.length),
    momentText(flow.last),
  ]);
  const heads = ["from", "to", "port", "verdict", "count", "days", "last"];
  return [
    counted(table.flows.length, "flow"),
    ...(rows.length === 0 ? [] : [formatTable(heads, shown(rows, cut)), ...restOf(rows, cut)]),
    ...sourcesOf(table, gapsOf(table)),
  ].join("\n");
}

/** What `firebreak ready` prints: what enforcing would deny of what was seen. */
export function formatReady(answer: ReadyAnswer, cut: Cut): string {
  const { segment, directions, judged, denied, uncertain } = answer;
  const what = `${visible(segment)} with ${directions.join(" and ")} enforced`;
  const head =
    judged === 0
      ? `${what}: no connection of it was seen, which says nothing of what would break`
      : denied.length === 0 && uncertain.length === 0
        ? `${what}: all ${counted(judged, "connection")} seen would pass`
        : `${what}: of ${counted(judged, "connection")} seen ${denied.length} would be denied${uncertain.length > 0 ? `, and ${uncertain.length} nobody can say` : ""}`;
  return [
    head,
    ...shown(denied, cut).flatMap((line) => [
      "",
      `denies ${lineText(line)}`,
      line.edit === null
        ? `  no edit: ${visible(line.why ?? "")}`
        : `  to allow it: ${visible(line.edit.what)} (${visible(line.edit.file)})`,
      ...(line.edit?.breaks ?? []).map((text) => `  that breaks ${visible(text)}`),
    ]),
    ...restOf(denied, cut),
    ...(uncertain.length === 0
      ? []
      : ["", "uncertain:", ...shown(uncertain, cut).map((line) => `  ${lineText(line)}`), ...restOf(uncertain, cut)]),
    ...unclearLines(answer.unclear, cut),
    ...sourcesOf(answer, answer.gaps),
    ...(denied.length > 0 ? ["", `next: firebreak propose ${visible(segment)} makes rules of these`] : []),
  ].join("\n");
}

/** What `firebreak propose` prints: the rules with what they rest on, what stays denied, and the patch. */
export function formatProposal(proposal: Proposal, cut: Cut): string {
  const { rules, covered, denied, enforced } = proposal;
  const who = enforced.map(({ segment, directions }) => `${visible(segment)} (${directions.join(" and ")})`).join(", ");
  return [
    `for ${who} enforced: ${counted(rules.length, "rule")}; ${counted(covered, "connection")} seen pass as it is`,
    ...rules.flatMap(ruleLines),
    ...(denied.length === 0
      ? []
      : [
          "",
          "stays denied:",
          ...shown(denied, cut).map((line) => `  ${lineText(line)}: ${visible(line.why)}`),
          ...restOf(denied, cut),
        ]),
    ...unclearLines(proposal.unclear, cut),
    ...sourcesOf(proposal, proposal.gaps),
    ...(proposal.patch === "" ? [] : ["", proposal.patch.trimEnd()]),
  ].join("\n");
}

function ruleLines(rule: ProposedRule): readonly string[] {
  const { seen, members } = rule.initiators;
  return [
    "",
    `{from: [${rule.from.map(visible).join(", ")}], to: [${visible(rule.to)}], ports: [${rule.ports.join(", ")}]}`,
    `  ${visible(rule.what)}${rule.owner === null ? "" : `, whose owner ${visible(rule.owner)} reviews it`}`,
    `  seen ${times(rule.count)} on ${counted(rule.days, "day")}, last ${rule.last}; such as ${visible(rule.example)}`,
    `  ${seen} of the ${counted(members, "workload")} that it lets in ${seen === 1 ? "was" : "were"} seen`,
    ...rule.marks.map((mark) => `  look: ${visible(mark)}`),
  ];
}

function lineText({ from, to, port, count, days, last, isOneWay }: SeenLine): string {
  const often = `${times(count)} on ${counted(days, "day")}, last ${last}`;
  return `${visible(from)} → ${visible(to)}: ${port}, seen ${often}${isOneWay ? ", never answered" : ""}`;
}

function unclearLines(unclear: readonly Unclear[], cut: Cut): readonly string[] {
  if (unclear.length === 0) return [];
  const lines = unclear.map(({ text, count, why }) => `  ${visible(text)} (${count}): ${visible(why)}`);
  return ["", "seen, and nothing can be concluded from it:", ...shown(lines, cut), ...restOf(lines, cut)];
}

/** Beside every answer: who looked, since when, and what is missing. */
function sourcesOf({ coverage }: { readonly coverage: readonly Coverage[] }, gaps: readonly string[]): readonly string[] {
  const lines = coverage.map(
    ({ source, sightings, first, last }) =>
      `seen by ${visible(source)}: ${counted(sightings, "sighting")}, ${momentText(first)} to ${momentText(last)}`,
  );
  return ["", ...lines, ...gaps.map((gap) => `not known: ${visible(gap)}`)];
}

function momentText(at: number | null): string {
  return at === null ? "-" : `${new Date(at).toISOString().slice(0, 16)}Z`;
}

function shown<Line>(lines: readonly Line[], { full }: Cut): readonly Line[] {
  return full ? lines : lines.slice(0, MOST_LINES);
}

function restOf(lines: readonly unknown[], { full }: Cut): readonly string[] {
  return full || lines.length <= MOST_LINES ? [] : [`and ${lines.length - MOST_LINES} more (--full lists all)`];
}

function counted(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function times(number: number): string {
  return counted(number, "time");
}

/** What `firebreak usage` prints: a line for each rule, those that were not seen first. */
export function formatUsage(answer: UsageAnswer, cut: Cut): string {
  const order = { unseen: 0, unknown: 1, used: 2 } as const;
  const rows = [...answer.rules]
    .sort((a, b) => order[a.usage] - order[b.usage] || a.count - b.count || (a.rule < b.rule ? -1 : 1))
    .map(({ rule, usage, count, last, owner, at, why }) => [
      visible(rule),
      usage,
      String(count),
      last === null ? "-" : `${last.slice(0, 16)}Z`,
      visible(owner ?? "-"),
      visible(at),
      visible(why ?? ""),
    ]);
  const sum = (usage: RuleUsage): number => answer.rules.filter((line) => line.usage === usage).length;
  return [
    `${counted(answer.rules.length, "rule")}: ${sum("used")} used, ${sum("unseen")} not seen in ${counted(answer.days, "day")}, ${sum("unknown")} unknown`,
    ...(rows.length === 0
      ? []
      : [formatTable(["rule", "usage", "count", "last", "owner", "at", "why"], shown(rows, cut)), ...restOf(rows, cut)]),
    ...unclearLines(answer.unclear, cut),
    ...sourcesOf(answer, answer.gaps),
  ].join("\n");
}
