import { formatAddress, rangeFirst, rangeLast, toRanges } from "../address/index.ts";
import type { Note } from "../model/note.ts";
import { matrixOf } from "./classes.ts";
import type { PartyClass } from "./classes.ts";
import { formatConnection } from "./connection.ts";
import { ConnectionList } from "./connections.ts";
import { canMeet, ClassEnds } from "./ends.ts";
import type { Reach, ReachClass } from "./matrix.ts";
import { NO_PORTS, PortTable } from "./port-table.ts";
import type { Source } from "./source.ts";

/** Workloads of the same name are one; names whose pods fall into the same classes stand together. */
interface Group {
  readonly members: readonly string[];
  readonly classes: readonly PartyClass[];
}

/**
 * Who may connect to whom as one source says it, in the form in which manifests are listed: observed counts as open, everybody
 * by name, and where the pods of one name differ, what any of them may do.
 */
export function listSource(source: Source): Reach {
  const matrix = matrixOf([source]);
  const ends = new ClassEnds(matrix, 0, new PortTable());
  const groups = [...groupByName(matrix.classes), ...matrix.classes.filter(({ kind }) => kind === "addresses").map(outsideGroup)];
  const classes = groups.map(({ members, classes: [first] }, index): ReachClass => {
    const kind = first?.kind ?? "workloads";
    return { id: `${kind === "addresses" ? "x" : "c"}${index + 1}`, kind, members };
  });
  const texts: string[] = [];
  const connections = new ConnectionList(
    classes.map(({ id }) => id),
    texts,
  );
  const doubts = new Set<string>();
  for (const [src, from] of groups.entries()) {
    for (const [dst, to] of groups.entries()) {
      if (src === dst && from.members.length < 2) continue;
      const ports = connect(ends, from, to, doubts);
      const text = (texts[ports] ??= formatConnection(ends.ports.ports(ports)));
      if (ports !== NO_PORTS && text !== "") connections.add(src, dst, ports);
    }
  }
  return { classes, connections, notes: [...doubts].sort().map(uncertainNote) };
}

function groupByName(classes: readonly PartyClass[]): readonly Group[] {
  const byName = new Map<string, Set<PartyClass>>();
  for (const one of classes) {
    for (const { name } of one.workloads) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, new Set([one]));
      else known.add(one);
    }
  }
  const groups = new Map<string, { members: string[]; classes: readonly PartyClass[] }>();
  for (const [name, found] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = [...found].map(({ number }) => number).join();
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { members: [name], classes: [...found] });
    else known.members.push(name);
  }
  return [...groups.values()];
}

function outsideGroup(one: PartyClass): Group {
  const members = toRanges(one.addresses).map((range) => `${formatAddress(rangeFirst(range))}-${formatAddress(rangeLast(range))}`);
  return { members, classes: [one] };
}

/** What any of the first may open to any of the second; ports by number. */
function connect(ends: ClassEnds, from: Group, to: Group, doubts: Set<string>): number {
  let open = NO_PORTS;
  for (const a of from.classes) {
    for (const b of to.classes) {
      if (!canMeet(a, b)) continue;
      const { now, uncertain } = ends.join(ends.fromRow("egress", a, b), ends.fromRow("ingress", b, a));
      open = ends.ports.union(open, now);
      for (const text of uncertain) doubts.add(text);
    }
  }
  return open;
}

function uncertainNote(summary: string): Note {
  return { severity: "warning", code: "uncertain", summary };
}
