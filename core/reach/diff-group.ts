import { firstAddress, formatAddress } from "../address/index.ts";
import { hasPort, isSubsetPorts, portRanges } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { phrasePorts } from "../verdict/effect-words.ts";
import { pairCount } from "./classes.ts";
import type { Matrix, PartyClass } from "./classes.ts";
import type { DiffDoubt, DiffLine, DiffView, DiffWitness } from "./diff-lines.ts";
import type { PairChange, PairDoubt } from "./diff-compare.ts";
import { nameParties } from "./diff-names.ts";
import { NO_PORTS } from "./port-table.ts";

/** Initiators that all get (or lose) the same ports to some responders. */
interface Group {
  readonly ports: number;
  readonly from: ReadonlySet<number>;
  readonly to: ReadonlySet<number>;
  readonly isObservedOnly: boolean;
  readonly sample: PairChange;
}

/** One side of a pair's change that is to be told. */
interface Part {
  readonly change: PairChange;
  readonly ports: number;
}

/**
 * Changed pairs as lines that people read: per responder, initiators with the same ports; then responders with the same initiators.
 *
 * An initiator that had some of the ports already joins the line that says all it can do now.
 */
export function groupChanges(view: DiffView, changes: readonly PairChange[], side: "opened" | "closed"): readonly DiffLine[] {
  const groups = [false, true].flatMap((isObservedOnly) => {
    const parts = changes.flatMap((change): readonly Part[] => {
      const observed = change[`${side}Observed`];
      const ports = isObservedOnly ? observed : view.ends[0].ports.subtract(change[side], observed);
      return ports === NO_PORTS ? [] : [{ change, ports }];
    });
    return joinResponders(groupInitiators(view, parts, side), view.matrix).map((group) => ({ ...group, isObservedOnly }));
  });
  const lines = groups.map((group) => writeGroup(view, group, side));
  return lines.sort((a, b) => b.weight - a.weight || compareText(a.line, b.line)).map(({ line }) => line);
}

function compareText(a: DiffLine, b: DiffLine): number {
  const [one, other] = [`${a.from} ${a.to} ${a.ports}`, `${b.from} ${b.to} ${b.ports}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

type Loose = Omit<Group, "isObservedOnly">;

function groupInitiators({ ends }: DiffView, parts: readonly Part[], side: "opened" | "closed"): readonly Loose[] {
  const groups: Loose[] = [];
  const { ports } = ends[0];
  for (const [to, list] of Map.groupBy(parts, ({ change }) => change.to)) {
    const widestFirst = [...new Set(list.map((part) => part.ports))].sort(
      (a, b) => breadth(ports.ports(b)) - breadth(ports.ports(a)) || a - b,
    );
    const homes = new Map<number, { from: Set<number>; sample: PairChange }>();
    for (const { change, ports: own } of list) {
      const full = ports.ports(side === "opened" ? change.after : change.before);
      const fits = (home: number): boolean =>
        isSubsetPorts(ports.ports(own), ports.ports(home)) && isSubsetPorts(ports.ports(home), full);
      const home = widestFirst.length === 1 ? own : (widestFirst.find(fits) ?? own);
      const known = homes.get(home);
      if (known === undefined) homes.set(home, { from: new Set([change.from]), sample: change });
      else {
        known.from.add(change.from);
        known.sample = earlier(known.sample, change);
      }
    }
    for (const [home, { from, sample }] of homes) groups.push({ ports: home, from, to: new Set([to]), sample });
  }
  return groups;
}

function breadth(set: PortSet): number {
  return portRanges(set).reduce((sum, range) => sum + range.last - range.first + 1, set.other ? 65536 : 0);
}

/** Responders with the same initiators and ports are one group; so are those of which each only misses itself. */
function joinResponders(groups: readonly Loose[], matrix: Matrix): readonly Loose[] {
  const plain = joinBy(groups, ({ from, ports }) => `${ports} ${setText(from)}`);
  const alone = (group: Loose): number | undefined => {
    const [only, ...more] = group.to;
    const isAlone = only !== undefined && more.length === 0 && !group.from.has(only);
    return isAlone && matrix.classes[only]?.workloads.length === 1 ? only : undefined;
  };
  const withSelf = Map.groupBy(plain, (group) => {
    const self = alone(group);
    return self === undefined ? undefined : `${group.ports} ${setText(new Set([...group.from, self]))}`;
  });
  return [...withSelf].flatMap(([key, list]) => {
    const [first] = list;
    if (key === undefined || first === undefined || list.length === 1) return list;
    const everybody = new Set(list.flatMap(({ from, to }) => [...from, ...to]));
    const sample = list.map((group) => group.sample).reduce(earlier);
    return [{ ...first, from: everybody, to: new Set(list.flatMap(({ to }) => [...to])), sample }];
  });
}

function joinBy(groups: readonly Loose[], keyOf: (group: Loose) => string): readonly Loose[] {
  const joined = new Map<string, { group: Loose; readonly to: Set<number> }>();
  for (const group of groups) {
    const key = keyOf(group);
    const known = joined.get(key);
    if (known === undefined) joined.set(key, { group, to: new Set(group.to) });
    else {
      for (const to of group.to) known.to.add(to);
      known.group = { ...known.group, sample: earlier(known.group.sample, group.sample) };
    }
  }
  return [...joined.values()].map(({ group, to }) => ({ ...group, to }));
}

/** The same witness whatever the order in which pairs were looked at. */
function earlier(a: PairChange, b: PairChange): PairChange {
  return a.to - b.to < 0 || (a.to === b.to && a.from <= b.from) ? a : b;
}

function setText(set: ReadonlySet<number>): string {
  return Uint32Array.from(set).sort().join();
}

function writeGroup(view: DiffView, group: Group, side: "opened" | "closed"): { readonly line: DiffLine; readonly weight: number } {
  const { matrix, ends } = view;
  const portSet = ends[0].ports.ports(group.ports);
  const from = classesAt(matrix, group.from);
  const to = classesAt(matrix, group.to);
  const [fromCount, toCount] = [countOf(from), countOf(to)];
  const line: DiffLine = {
    from: nameParties(view, side, from, { ports: group.ports, others: to, role: "from" }),
    to: nameParties(view, side, to, { ports: group.ports, others: from, role: "to" }),
    fromWorkloads: fromCount,
    toWorkloads: toCount,
    workloads: countOf([...new Set([...from, ...to])]),
    ports: phrasePorts(portSet),
    portSet,
    isObservedOnly: group.isObservedOnly,
    witness: witnessOf(matrix, group.sample, portSet, side),
  };
  return { line, weight: Math.max(1, fromCount) * Math.max(1, toCount) };
}

function classesAt({ classes }: Matrix, numbers: ReadonlySet<number>): readonly PartyClass[] {
  return [...numbers].sort((a, b) => a - b).flatMap((number) => classes[number] ?? []);
}

function countOf(classes: readonly PartyClass[]): number {
  return classes.reduce((sum, { workloads }) => sum + workloads.length, 0);
}

function witnessOf({ classes }: Matrix, { from, to }: PairChange, ports: PortSet, side: "opened" | "closed"): DiffWitness {
  const at = side === "opened" ? 1 : 0;
  const responder = classes[to];
  const names = { from: partyName(classes[from], at, from === to), to: partyName(responder, at, false) };
  const declared = responder?.workloads[0]?.ports.find(({ protocol, port }) => hasPort(ports, protocol, port));
  if (declared !== undefined) return { ...names, port: declared.port, protocol: declared.protocol };
  const [range] = portRanges(ports);
  if (range === undefined) return { ...names, port: 0, protocol: "other" };
  const isIcmp = range.protocol === "icmp" || range.protocol === "icmpv6";
  const first = isIcmp ? range.first >> 8 : Math.min(Math.max(range.first, 1), range.last);
  return { ...names, port: first, protocol: range.protocol };
}

function partyName(one: PartyClass | undefined, at: 0 | 1, isSecond: boolean): string {
  const party = isSecond ? one?.others[at] : one?.parties[at];
  if (party?.kind === "workload") return party.workload.id;
  const address = party === undefined ? undefined : firstAddress(party.addresses);
  return address === undefined ? "nobody" : formatAddress(address);
}

/** Doubts by their text, with how many pairs and one of them. */
export function groupDoubts(matrix: Matrix, doubts: readonly PairDoubt[]): readonly DiffDoubt[] {
  const found = new Map<string, { pairs: number; witness: NonNullable<DiffDoubt["witness"]> }>();
  for (const { from, to, texts } of doubts) {
    for (const text of texts) {
      const known = found.get(text) ?? { pairs: 0, witness: doubtWitness(matrix, from, to) };
      known.pairs += pairCount(matrix, from, to);
      found.set(text, known);
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([text, rest]) => ({ text, ...rest }));
}

function doubtWitness({ classes }: Matrix, from: number, to: number): NonNullable<DiffDoubt["witness"]> {
  const name = (one: PartyClass | undefined, isSecond: boolean): string => {
    const now = partyName(one, 1, isSecond);
    return now === "nobody" ? partyName(one, 0, isSecond) : now;
  };
  return { from: name(classes[from], from === to), to: name(classes[to], false) };
}
