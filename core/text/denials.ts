import type { DenialsAnswer } from "../api/shapes.ts";
import type { Denial, Denials } from "../observed/denials.ts";
import type { Direction } from "../model/kinds.ts";
import { formatAge, formatTable } from "../ground/table.ts";
import { visible } from "../ground/visible.ts";

/** What `firebreak denials` prints: for each target what enforcing would deny, as far as it was seen, and what was not looked at. */
export function formatDenials(answers: readonly DenialsAnswer[], now: number, isAsked: boolean): string {
  const shown = isAsked ? answers : answers.filter(({ seen }) => seen !== null);
  const blocks = shown.map((answer) => formatTarget(answer, now));
  const clusters = answers.filter(({ target }) => target.startsWith("cluster/")).length;
  if (!isAsked && clusters > 0) blocks.push(`${clusters === 1 ? "1 cluster" : `${clusters} clusters`}: ${ON_CLUSTERS}`);
  if (blocks.length === 0) return "no host observes: nothing is recorded";
  return blocks.join("\n\n");
}

const ON_CLUSTERS =
  "connections are not recorded there. What enforcing would deny is computed from rules: set `isolate` to enforce on a branch, and " +
  "`firebreak diff main BRANCH` lists what it closes";

function formatTarget({ target, readAt, seen }: DenialsAnswer, now: number): string {
  const name = visible(target);
  if (seen === null)
    return target.startsWith("cluster/")
      ? `${name}: ${ON_CLUSTERS}`
      : `${name}: no segment of this host observes, or it was not read yet`;
  const read = `read ${formatAge(readAt, now)} ago`;
  const head = `${name}: ${wouldDenyWords(seen)} in 7 days (${seen.directions.join(" and ")} observed, ${read})`;
  if (seen.connections.length === 0) return head;
  const rows = seen.connections.map((connection) => cells(connection, now));
  const more = seen.total > seen.connections.length ? [`${seen.total - seen.connections.length} older ones are not shown`] : [];
  const full = seen.full.map((direction) => `there may be more: the host's memory of ${direction} is full`);
  return [head, formatTable(["from", "to", "port", "last seen", "who"], rows), ...more, ...full].join("\n");
}

/** `would deny 3 connections`. */
export function wouldDenyWords({ total, full }: Pick<Denials, "total"> & { readonly full: readonly Direction[] }): string {
  if (total === 0) return "enforcing would have denied nothing that was seen";
  const least = full.length > 0 ? "at least " : "";
  return `enforcing would have denied ${least}${total === 1 ? "1 connection" : `${total.toLocaleString("en")} connections`}`;
}

function cells({ direction, address, port, protocol, lastSeenAt, workload }: Denial, now: number): readonly string[] {
  const [from, to] = direction === "ingress" ? [address, "this host"] : ["this host", address];
  return [
    visible(from),
    visible(to),
    `${port}/${protocol}`,
    formatAge(lastSeenAt, now),
    workload === null ? "-" : visible(workload),
  ];
}
