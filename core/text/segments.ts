import { formatPosition } from "../model/note.ts";
import type { LooseWorkload, MemberLine, SegmentLine, SegmentsAnswer, WorkloadLine } from "../segments/list.ts";
import { BASIS } from "./basis.ts";
import { formatTable } from "../ground/table.ts";
import { visible } from "../ground/visible.ts";

/** Lines and addresses of one thing that are shown before the rest is counted. */
const MOST_LINES = 20;
const MOST_ADDRESSES = 3;

/** What runs is not made up here: who is in a segment is a question about what is there. */
const SAID_OF = {
  ...BASIS,
  definitions: "from the definitions alone: their hosts, externals and addresses, and no pods",
} as const satisfies Record<SegmentsAnswer["basis"], string>;
const PODS_UNKNOWN = "pods are known with --inventory FILE, or where the service is asked";

/** How much is shown. */
interface Cut {
  /** Everything, however much. */
  readonly full: boolean;
}

/** What `firebreak segments` prints: a line per segment and whoever is in none; of one segment its members. */
export function formatSegments(answer: SegmentsAnswer, cut: Cut): string {
  const { segments, inNone, basis, gaps } = answer;
  const [one] = segments;
  if (inNone === null) return one === undefined ? "" : formatOne(one, basis, cut);
  const nobody = segments.filter(({ members, addresses }) => members.length === 0 && addresses.length === 0);
  return [
    `${counted(segments.length, "segment")}, ${SAID_OF[basis]}`,
    formatTable(["segment", "ingress", "egress", "members", "where"], segments.map(cells)),
    ...(nobody.length === 0
      ? []
      : [
          "",
          `${gaps.length > 0 ? "nobody known" : "nobody"} is in ${nobody.map(({ name }) => name).join(", ")}: ${basis === "definitions" ? PODS_UNKNOWN : "a label with a typo, or nothing of it runs"}`,
        ]),
    "",
    ...looseLines(inNone, basis, cut),
  ].join("\n");
}

function cells({ name, isolate, members, addresses }: SegmentLine): readonly string[] {
  const byTarget = [...Map.groupBy(members, ({ target }) => placeOf(target))];
  const where = byTarget.map(([target, found]) => `${visible(target)} ${found.length}`);
  return [name, isolate.ingress, isolate.egress, census(members, addresses), where.join(", ")];
}

/** A cluster, or a host's fleet: hosts are many. */
function placeOf(target: string | null): string {
  if (target === null) return "externals";
  return target.startsWith("host/") ? target.slice(0, target.lastIndexOf("/")) : target;
}

function formatOne({ name, at, isolate, members, addresses }: SegmentLine, basis: SegmentsAnswer["basis"], cut: Cut): string {
  const lines = [
    `${name}  ${visible(formatPosition(at))}  ingress ${isolate.ingress}, egress ${isolate.egress}`,
    `${census(members, addresses)}, ${SAID_OF[basis]}`,
  ];
  for (const [target, found] of Map.groupBy(members, (member) => member.target ?? "externals")) {
    const rows = groups(found, ({ name: who, by, certain }) => JSON.stringify([who, by, certain])).map(memberCells(cut));
    lines.push("", `${visible(target)}: ${counted(found.length, "member")}`);
    lines.push(...indented(formatTable(["workload", "count", "addresses", "because of"], shown(rows, cut)).split("\n")));
    lines.push(...rest(rows.length, "line", cut));
  }
  if (addresses.length > 0) {
    lines.push("", `addresses${members.length === 0 ? "" : " besides those of its members"}:`);
    lines.push(...indented(shown(addresses, cut)), ...rest(addresses.length, "range", cut));
  }
  return lines.join("\n");
}

function memberCells(cut: Cut): (found: readonly MemberLine[]) => readonly string[] {
  return (found) => {
    const by = found[0]?.by.map(visible).join(", ") ?? "";
    const doubt = found[0]?.certain === false ? " (may be left out by `not`: isolated, and no peer)" : "";
    return [visible(found[0]?.name ?? ""), String(found.length), addressText(found, cut), `${by}${doubt}`];
  };
}

function looseLines(loose: readonly LooseWorkload[], basis: SegmentsAnswer["basis"], cut: Cut): readonly string[] {
  const all =
    basis === "definitions"
      ? "every host and external is in a segment; of pods nothing is known"
      : "every workload is in a segment";
  if (loose.length === 0) return [all];
  const rows = groups(loose, ({ target, name, labels }) => JSON.stringify([target, name, labels])).map((found) => {
    const labels = Object.entries(found[0]?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    return [visible(found[0]?.name ?? ""), String(found.length), addressText(found, cut), visible(labels.sort().join(", ")) || "-"];
  });
  return [
    `in no segment: ${census(loose, [])}. Nothing isolates them.`,
    ...indented(formatTable(["workload", "count", "addresses", "labels"], shown(rows, cut)).split("\n")),
    ...rest(rows.length, "line", cut),
  ];
}

/** `3 pods, 1 host, addresses`, or `nobody`. */
function census(workloads: readonly WorkloadLine[], addresses: readonly string[]): string {
  const kinds = (["pod", "host", "external"] as const).flatMap((kind) => {
    const count = workloads.filter((workload) => workload.kind === kind).length;
    return count === 0 ? [] : [counted(count, kind)];
  });
  const parts = [...kinds, ...(addresses.length === 0 ? [] : [counted(addresses.length, "address range")])];
  return parts.length === 0 ? "nobody" : parts.join(", ");
}

function addressText(found: readonly WorkloadLine[], { full }: Cut): string {
  const all = found.flatMap(({ addresses }) => addresses);
  if (all.length === 0) return "none yet";
  const most = full ? all.length : MOST_ADDRESSES;
  return `${all.slice(0, most).join(", ")}${all.length > most ? ` and ${all.length - most} more` : ""}`;
}

function groups<Line>(lines: readonly Line[], keyOf: (line: Line) => string): readonly (readonly Line[])[] {
  return [...Map.groupBy(lines, keyOf).values()];
}

function shown<Line>(lines: readonly Line[], { full }: Cut): readonly Line[] {
  return full ? lines : lines.slice(0, MOST_LINES);
}

function rest(count: number, what: string, { full }: Cut): readonly string[] {
  return full || count <= MOST_LINES ? [] : [`  and ${counted(count - MOST_LINES, `more ${what}`)}; --full shows all`];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
