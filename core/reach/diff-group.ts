import { exampleAddress, examplePort } from "../address/example.ts";
import { formatAddress } from "../address/index.ts";
import { hasPort } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { phrasePorts } from "../verdict/effect-words.ts";
import { pairCount } from "./classes.ts";
import type { Matrix, PartyClass } from "./classes.ts";
import { SOURCE_OF } from "./diff-lines.ts";
import type { DiffDoubt, DiffLine, DiffSide, DiffView, DiffWitness } from "./diff-lines.ts";
import type { PairChange, PairDoubt } from "./diff-compare.ts";
import { nameParties } from "./diff-names.ts";
import { NO_PORTS } from "./port-table.ts";

/** Initiators that all get (or lose, or keep) the same ports to some responders. */
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
 * A line claims exactly what changed: every pair and port of it opened (closed, stays open), and every one that did is in a line.
 */
export function groupChanges(view: DiffView, changes: readonly PairChange[], side: DiffSide): readonly DiffLine[] {
  const groups = [false, true].flatMap((isObservedOnly) => {
    const parts = changes.flatMap((change): readonly Part[] => {
      const observed = change[`${side}Observed`];
      const ports = isObservedOnly ? observed : view.ends[0].ports.subtract(change[side], observed);
      return ports === NO_PORTS ? [] : [{ change, ports }];
    });
    return joinResponders(groupInitiators(parts), view.matrix).map((group) => ({ ...group, isObservedOnly }));
  });
  const lines = groups.map((group) => writeGroup(view, group, side));
  return lines.sort((a, b) => b.weight - a.weight || compareText(a.line, b.line)).map(({ line }) => line);
}

function compareText(a: DiffLine, b: DiffLine): number {
  const [one, other] = [`${a.from} ${a.to} ${a.ports}`, `${b.from} ${b.to} ${b.ports}`];
  return one < other ? -1 : one > other ? 1 : 0;
}

type Loose = Omit<Group, "isObservedOnly">;

function groupInitiators(parts: readonly Part[]): readonly Loose[] {
  const groups = new Map<string, { ports: number; from: Set<number>; to: number; sample: PairChange }>();
  for (const { change, ports } of parts) {
    const key = `${change.to} ${ports}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { ports, from: new Set([change.from]), to: change.to, sample: change });
    else {
      known.from.add(change.from);
      known.sample = earlier(known.sample, change);
    }
  }
  return [...groups.values()].map((group) => ({ ...group, to: new Set([group.to]) }));
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

function writeGroup(view: DiffView, group: Group, side: DiffSide): { readonly line: DiffLine; readonly weight: number } {
  const { matrix, ends } = view;
  const portSet = ends[0].ports.ports(group.ports);
  const from = classesAt(matrix, group.from);
  const to = classesAt(matrix, group.to);
  const [fromCount, toCount] = [countOf(from), countOf(to)];
  const initiators = nameParties(view, side, from, { others: to, role: "from" });
  // Against all whom the first words mean: else both ends together would claim pairs that neither was asked about.
  const responders = nameParties(view, side, to, { others: initiators.meant, role: "to" });
  const line: DiffLine = {
    from: initiators.short,
    to: responders.short,
    fromFull: initiators.full,
    toFull: responders.full,
    isAnyFrom: initiators.isAny,
    isAnyTo: responders.isAny,
    fromWorkloads: fromCount,
    toWorkloads: toCount,
    workloads: countOf([...new Set([...from, ...to])]),
    ports: phrasePorts(portSet),
    portSet,
    isObservedOnly: group.isObservedOnly,
    witness: witnessOf(matrix, group.sample, portSet, side),
  };
  const size = (isAny: boolean, count: number): number => (isAny ? Math.max(2, matrix.workloadCount) : Math.max(1, count));
  return { line, weight: size(line.isAnyFrom, fromCount) * size(line.isAnyTo, toCount) };
}

function classesAt({ classes }: Matrix, numbers: ReadonlySet<number>): readonly PartyClass[] {
  return [...numbers].sort((a, b) => a - b).flatMap((number) => classes[number] ?? []);
}

function countOf(classes: readonly PartyClass[]): number {
  return classes.reduce((sum, { workloads }) => sum + workloads.length, 0);
}

function witnessOf({ classes }: Matrix, { from, to }: PairChange, ports: PortSet, side: DiffSide): DiffWitness {
  const at = SOURCE_OF[side];
  const responder = classes[to];
  const names = { from: partyName(classes[from], at, from === to), to: partyName(responder, at, false) };
  const declared = responder?.workloads[0]?.ports.find(({ protocol, port }) => hasPort(ports, protocol, port));
  if (declared !== undefined) return { ...names, port: declared.port, protocol: declared.protocol };
  return { ...names, ...examplePort(ports) };
}

function partyName(one: PartyClass | undefined, at: 0 | 1, isSecond: boolean): string {
  const party = isSecond ? one?.others[at] : one?.parties[at];
  if (party?.kind === "workload") return party.workload.id;
  const address = party === undefined ? undefined : exampleAddress(party.addresses);
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
