import type { Direction } from "../model/kinds.ts";
import type { Matrix, PartyClass } from "./classes.ts";
import { ALL_PORTS, NO_PORTS } from "./port-table.ts";
import type { PortTable } from "./port-table.ts";
import type { EndMode, Source } from "./source.ts";

/** What one end of a connection lets through, ports by number. */
export interface ClassEnd {
  readonly mode: EndMode;
  /** What passes now: everything where an end only observes. */
  readonly now: number;
  /** What would pass if it were enforced. */
  readonly meant: number;
  readonly uncertain: readonly string[];
}

/** What passes between two classes. */
export interface ClassConnection {
  readonly now: number;
  readonly meant: number;
  readonly uncertain: readonly string[];
}

const SETTLED: readonly string[] = [];
const OPEN: ClassEnd = { mode: "unmanaged", now: ALL_PORTS, meant: ALL_PORTS, uncertain: SETTLED };
const NOTHING: ClassConnection = { now: NO_PORTS, meant: NO_PORTS, uncertain: SETTLED };

/**
 * Answers of one source of a matrix, class by class, each only when it is asked for.
 *
 * A whole row (one end, all peers) is shared by the classes whose end depends on the same: rows are what listings are made of. A single
 * answer is computed alone: the difference of two sources asks for few.
 */
export class ClassEnds {
  readonly ports: PortTable;
  readonly #matrix: Matrix;
  readonly #at: number;
  readonly #source: Source;
  readonly #rows = new Map<string, readonly (ClassEnd | undefined)[]>();
  readonly #keys: Readonly<Record<Direction, (string | undefined)[]>> = { ingress: [], egress: [] };

  /** @param at which source of the matrix */
  constructor(matrix: Matrix, at: number, ports: PortTable) {
    this.#matrix = matrix;
    this.#at = at;
    this.#source = matrix.sources[at] as Source;
    this.ports = ports;
  }

  /** True when the source has them. */
  has(one: PartyClass): boolean {
    return one.parties[this.#at] !== undefined;
  }

  /** All that this end depends on, see `Source.endKey`; the same text for all that are nobody's subject. */
  key(direction: Direction, subject: PartyClass): string {
    const known = this.#keys[direction][subject.number];
    if (known !== undefined) return known;
    const party = subject.parties[this.#at];
    const key =
      party === undefined ? "absent" : party.kind === "addresses" ? "outside" : this.#source.endKey(direction, party.workload);
    this.#keys[direction][subject.number] = key;
    return key;
  }

  /** One answer; undefined where the source has not both, and for a class of one with itself. */
  end(direction: Direction, subject: PartyClass, peer: PartyClass): ClassEnd | undefined {
    const own = subject.parties[this.#at];
    const other = subject === peer ? peer.others[this.#at] : peer.parties[this.#at];
    if (own === undefined || other === undefined) return undefined;
    if (own.kind === "addresses") return OPEN;
    const { mode, ports, uncertain } = this.#source.end(direction, own, other);
    const meant = this.ports.id(ports);
    return { mode, now: mode === "enforced" ? meant : ALL_PORTS, meant, uncertain };
  }

  /** One answer out of a whole row of them, which classes with equal keys share. */
  fromRow(direction: Direction, subject: PartyClass, peer: PartyClass): ClassEnd | undefined {
    // The row may be another class's: only with itself a class is asked for a second workload.
    if (subject === peer) return this.end(direction, subject, peer);
    return this.#row(direction, subject)[peer.number] ?? this.end(direction, subject, peer);
  }

  #row(direction: Direction, subject: PartyClass): readonly (ClassEnd | undefined)[] {
    const key = `${direction} ${this.key(direction, subject)}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.#matrix.classes.map((peer) => this.end(direction, subject, peer));
    this.#rows.set(key, row);
    return row;
  }

  /** Both ends together, out of single answers. */
  connection(from: PartyClass, to: PartyClass): ClassConnection {
    if (!canMeet(from, to)) return NOTHING;
    return this.join(this.end("egress", from, to), this.end("ingress", to, from));
  }

  join(out: ClassEnd | undefined, into: ClassEnd | undefined): ClassConnection {
    if (out === undefined || into === undefined) return NOTHING;
    const { ports } = this;
    const isSettled = out.uncertain.length === 0 && into.uncertain.length === 0;
    return {
      now: ports.intersect(out.now, into.now),
      meant: ports.intersect(out.meant, into.meant),
      uncertain: isSettled ? SETTLED : [...new Set([...out.uncertain, ...into.uncertain])],
    };
  }
}

/** True unless both are outside, or no family of addresses is common to both. */
export function canMeet(from: PartyClass, to: PartyClass): boolean {
  return (from.isManaged || to.isManaged) && (from.families & to.families) !== 0;
}
