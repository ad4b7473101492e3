import type { Direction } from "../model/kinds.ts";
import { BOTH_FAMILIES, V4, V6 } from "../verdict/classes.ts";
import type { Classes } from "../verdict/classes.ts";
import { familiesOf } from "../verdict/rows.ts";
import type { ActiveRule } from "../verdict/active-rule.ts";
import type { Rows } from "../verdict/rows.ts";
import { ALL_PORTS, NO_PORTS, PortTable } from "./port-table.ts";
import { RowSet } from "./row-set.ts";
import type { Row } from "./row-set.ts";

/** What destinations let in: per destination the number of its row in `accepts`, and its own column. */
interface Ingress {
  readonly numbers: Uint32Array;
  readonly columns: Int32Array;
  readonly accepts: RowSet;
}

/**
 * Connections between chosen peers, row by row.
 *
 * The verdict engine answers one pair at a time; here a row is filled rule by rule with the peers each rule names, and subjects that
 * meet the same rules share it. Ports are numbers of one table. The answers are those of `Rows.connection`.
 */
export class PairTable {
  readonly ports: PortTable;
  readonly #rows: Rows;
  readonly #peers: readonly number[];
  readonly #columns: Int32Array;
  readonly #families: readonly number[];
  readonly #shared = new Map<string, Row>();
  readonly #found: (Row | null | undefined)[];
  readonly #named = new Map<Uint8Array, Map<number, Uint32Array>>();
  readonly #numbers = new Map<unknown, number>();
  #every: Uint32Array | undefined;
  readonly #ingress = new Map<readonly number[], Map<number, Ingress>>();
  readonly #isUnsure: boolean;

  /**
   * @param peers the peers that may be asked about
   * @param ports a table to share, so that numbers of two tables of pairs can be compared
   */
  constructor(classes: Classes, rows: Rows, peers: readonly number[], ports = new PortTable()) {
    this.ports = ports;
    this.#rows = rows;
    this.#isUnsure = classes.isUnsure && rows.bound === "least";
    this.#peers = peers;
    this.#columns = new Int32Array(classes.peers.length).fill(-1);
    for (const [column, peer] of peers.entries()) this.#columns[peer] = column;
    this.#found = Array.from({ length: classes.peers.length * 4 });
    this.#families = classes.peers.map((peer) => familiesOf(peer, 0));
  }

  /** Number of the ports that both ends allow, over those of `families` that both have; not for two addresses. */
  connection(from: number, to: number, families: number): number {
    if (this.#isUnsure && families === BOTH_FAMILIES && this.#isEither(from, to)) return this.#inBoth(from, to);
    let open = NO_PORTS;
    for (let family = V4; family <= V6; family += 1)
      if ((families & family) !== 0) open = this.ports.union(open, this.#inFamily(from, to, family));
    return open;
  }

  #inFamily(from: number, to: number, family: number): number {
    if (((this.#families[from] ?? 0) & (this.#families[to] ?? 0) & family) === 0) return NO_PORTS;
    const out = this.#rowOf(from, "egress", family);
    const sent = out === null ? ALL_PORTS : (out[this.#columns[to] as number] as number);
    if (sent === NO_PORTS) return NO_PORTS;
    const row = this.#rowOf(to, "ingress", family);
    return row === null ? sent : this.ports.intersect(sent, row[this.#columns[from] as number] as number);
  }

  /**
   * Adds to `line`, per destination, what the source may open to it; see {@link connection}. Asked for one source after another, with the
   * same list of destinations.
   */
  addLine(from: number, destinations: readonly number[], families: number, line: Uint32Array): void {
    const { ports } = this;
    for (let family = V4; family <= V6; family += 1) {
      if (((this.#families[from] ?? 0) & families & family) === 0) continue;
      const out = this.#rowOf(from, "egress", family);
      const { numbers, columns, accepts } = this.#ingressOf(destinations, family);
      const accepted = accepts.column(this.#columns[from] as number);
      for (let index = 0; index < numbers.length; index += 1) {
        const sent = out === null ? ALL_PORTS : (out[columns[index] as number] as number);
        const met = ports.intersect(sent, accepted[numbers[index] as number] as number);
        line[index] = ports.union(line[index] as number, met);
      }
    }
    if (!this.#isUnsure || families !== BOTH_FAMILIES) return;
    for (const [index, to] of destinations.entries()) if (this.#isEither(from, to)) line[index] = this.#inBoth(from, to);
  }

  /** True of two of which nobody knows in which family they will talk. */
  #isEither(from: number, to: number): boolean {
    const shared = (this.#families[from] as number) & (this.#families[to] as number);
    return shared === BOTH_FAMILIES && this.#rows.isAnyFamily(from, to);
  }

  /** What both families let through. */
  #inBoth(from: number, to: number): number {
    return this.ports.intersect(this.#inFamily(from, to, V4), this.#inFamily(from, to, V6));
  }

  #ingressOf(destinations: readonly number[], family: number): Ingress {
    const known = this.#ingress.get(destinations) ?? new Map<number, Ingress>();
    this.#ingress.set(destinations, known);
    const before = known.get(family);
    if (before !== undefined) return before;
    const rows = new RowSet(this.#peers.length);
    const numbers = Uint32Array.from(destinations, (to) =>
      ((this.#families[to] as number) & family) === 0 ? rows.nothing : rows.number(this.#rowOf(to, "ingress", family)),
    );
    const made = { numbers, columns: Int32Array.from(destinations, (to) => this.#columns[to] as number), accepts: rows };
    known.set(family, made);
    return made;
  }

  /** Null where nothing restricts the direction. */
  #rowOf(subject: number, direction: Direction, family: number): Row | null {
    const key = keyOf(subject, direction, family);
    const known = this.#found[key];
    if (known !== undefined) return known;
    const row = this.#sharedRow(subject, direction, family);
    this.#found[key] = row;
    return row;
  }

  #sharedRow(subject: number, direction: Direction, family: number): Row | null {
    const { admin, network, baseline } = this.#rows.stagesOf(subject, direction);
    if (admin.length === 0 && network === null && baseline.length === 0) return null;
    const words = (rules: readonly ActiveRule[]): string =>
      rules.map(({ rule, ports }) => `${this.#number(rule)}:${ports === undefined ? "-" : this.ports.id(ports)}`).join();
    const key = `${direction}${family} ${words(admin)} ${network === null ? "open" : words(network)} ${words(baseline)}`;
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const row = this.#fill(admin, network, baseline, family);
    this.#shared.set(key, row);
    return row;
  }

  #fill(admin: readonly ActiveRule[], network: readonly ActiveRule[] | null, baseline: readonly ActiveRule[], family: number): Row {
    const { ports } = this;
    const size = this.#peers.length;
    const accepted = new Uint32Array(size);
    if (admin.length === 0 && baseline.length === 0) {
      this.#each(network ?? [], family, (column, met) => (accepted[column] = ports.union(accepted[column] as number, met)));
      return accepted;
    }
    const next = new Uint32Array(size).fill(ALL_PORTS);
    this.#walk(admin, family, accepted, next);
    if (network === null) this.#walk(baseline, family, accepted, next);
    else {
      const allowed = new Uint32Array(size);
      this.#each(network, family, (column, met) => (allowed[column] = ports.union(allowed[column] as number, met)));
      for (let column = 0; column < size; column += 1)
        next[column] = ports.intersect(next[column] as number, allowed[column] as number);
    }
    return accepted.map((id, column) => ports.union(id, next[column] as number));
  }

  /** An ordered tier: adds to `accepted`, and leaves in `next` what is passed on or was matched by no rule. */
  #walk(rules: readonly ActiveRule[], family: number, accepted: Row, next: Row): void {
    const { ports } = this;
    const passed = new Uint32Array(next.length);
    for (const active of rules) {
      const { action } = active.rule;
      this.#each([active], family, (column, known) => {
        const met = ports.intersect(known, next[column] as number);
        if (action === "accept") accepted[column] = ports.union(accepted[column] as number, met);
        if (action === "pass") passed[column] = ports.union(passed[column] as number, met);
        next[column] = ports.subtract(next[column] as number, met);
      });
    }
    for (let column = 0; column < next.length; column += 1)
      next[column] = ports.union(next[column] as number, passed[column] as number);
  }

  /** Every column that a rule names, with the rule's ports there. */
  #each(rules: readonly ActiveRule[], family: number, visit: (column: number, ports: number) => void): void {
    for (const { mask, rule, ports } of rules) {
      const fixed = ports === undefined ? undefined : this.ports.id(ports);
      const columns = mask === undefined ? this.#everyColumn() : this.#namedBy(mask, family);
      for (const column of columns) visit(column, fixed ?? this.ports.id(this.#rows.portsAt(rule, this.#peers[column] as number)));
    }
  }

  #namedBy(mask: Uint8Array, family: number): Uint32Array {
    const known = this.#named.get(mask) ?? new Map<number, Uint32Array>();
    this.#named.set(mask, known);
    const before = known.get(family);
    if (before !== undefined) return before;
    const found = new Uint32Array(this.#peers.length);
    let length = 0;
    for (let column = 0; column < this.#peers.length; column += 1) {
      if (((mask[this.#peers[column] as number] as number) & family) !== 0) found[length++] = column;
    }
    const columns = found.slice(0, length);
    known.set(family, columns);
    return columns;
  }

  #everyColumn(): Uint32Array {
    this.#every ??= Uint32Array.from(this.#peers.keys());
    return this.#every;
  }

  #number(thing: unknown): number {
    const number = this.#numbers.get(thing) ?? this.#numbers.size;
    this.#numbers.set(thing, number);
    return number;
  }
}

function keyOf(subject: number, direction: Direction, family: number): number {
  return subject * 4 + (family - V4) * 2 + (direction === "ingress" ? 0 : 1);
}
