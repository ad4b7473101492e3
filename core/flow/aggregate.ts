import { compareText } from "../membership/order.ts";
import { MOST_DAYS, flowText, type Coverage, type Flow, type FlowEnd, type FlowTable } from "./flow.ts";
import type { Identify } from "./identify.ts";
import type { LineRead, Sighting } from "./sighting.ts";

/** How much is told apart; beyond it everything counts under `more`, so that a scanner fills no memory and hides nobody else. */
export interface FlowBounds {
  /** Ports of one pair. */
  readonly ports: number;
  /** Ends, other than known workloads, that one end meets in one direction. */
  readonly strangers: number;
  /** Flows in all. */
  readonly flows: number;
}

export const FLOW_BOUNDS: FlowBounds = { ports: 64, strangers: 500, flows: 1_000_000 };

interface Counted {
  readonly flow: Pick<Flow, "from" | "to" | "protocol" | "port" | "verdict" | "source">;
  first: number;
  last: number;
  count: number;
  unanswered: number;
  readonly days: Set<string>;
}

const MORE: FlowEnd = { kind: "more", name: "" };

/** Counts what sources tell, connection by connection; nothing of a single one is kept. */
export class FlowCounter {
  readonly #bounds: FlowBounds;
  readonly #identify: Identify;
  readonly #counted = new Map<string, Counted>();
  /** Ports of each pair, and strangers of each end. */
  readonly #ports = new Map<string, Set<number>>();
  readonly #strangers = new Map<string, Set<string>>();
  readonly #coverage = new Map<string, { -readonly [Key in keyof Coverage]: Coverage[Key] }>();

  constructor(identify: Identify, bounds: FlowBounds = FLOW_BOUNDS) {
    this.#identify = identify;
    this.#bounds = bounds;
  }

  /** Counts one line of a source. A source is there as soon as it was named, also without any flow. */
  add(source: string, format: string, read: LineRead): void {
    const coverage = this.#coverageOf(source, format);
    switch (read.kind) {
      case "broken":
        coverage.broken += 1;
        return;
      case "lost":
        coverage.lost = sum(coverage.lost, read.count);
        return;
      case "other":
        return;
      case "sighting": {
        const { first, last } = read.sighting;
        coverage.sightings += 1;
        coverage.first = Math.min(coverage.first ?? first, first);
        coverage.last = Math.max(coverage.last ?? last, last);
        if (this.#count(source, read.sighting)) coverage.merged += 1;
      }
    }
  }

  /** A source that was read, and may have told nothing. */
  name(source: string, format: string): void {
    this.#coverageOf(source, format);
  }

  /** What was counted, in an order of its own: two runs over the same lines give the same. */
  table(): FlowTable {
    const flows = [...this.#counted.values()].map(({ flow, first, last, count, unanswered, days }): Flow => ({
      ...flow,
      first,
      last,
      count,
      unanswered,
      days: [...days].sort(compareText).slice(-MOST_DAYS),
    }));
    return {
      flows: flows.sort((a, b) => compareText(orderOf(a), orderOf(b))),
      coverage: [...this.#coverage.values()].sort((a, b) => compareText(a.source, b.source)),
    };
  }

  #coverageOf(source: string, format: string) {
    const known = this.#coverage.get(source);
    if (known !== undefined) return known;
    const made = { source, format, first: null, last: null, sightings: 0, broken: 0, lost: 0, merged: 0 };
    this.#coverage.set(source, made);
    return made;
  }

  /** True when it counts under `more`. */
  #count(source: string, sighting: Sighting): boolean {
    const { protocol, verdict, first, last, count, answered } = sighting;
    const seen = [this.#identify(sighting.from, first, last), this.#identify(sighting.to, first, last)] as const;
    const from = this.#bounded("from", seen[0], seen[1]);
    const to = this.#bounded("to", seen[1], seen[0]);
    const port = this.#boundedPort(`${keyOf(from)} ${keyOf(to)} ${protocol} ${verdict}`, sighting.port);
    let flow = { from, to, protocol, port, verdict, source };
    let key = orderOf(flow);
    if (!this.#counted.has(key) && this.#counted.size >= this.#bounds.flows) {
      flow = { ...flow, from: MORE, to: MORE, port: null };
      key = orderOf(flow);
    }
    const counted = this.#counted.get(key) ?? { flow, first, last, count: 0, unanswered: 0, days: new Set<string>() };
    counted.first = Math.min(counted.first, first);
    counted.last = Math.max(counted.last, last);
    counted.count = sum(counted.count, count);
    if (answered === false) counted.unanswered = sum(counted.unanswered, count);
    for (const at of [first, last])
      if (counted.days.size < 2 * MOST_DAYS) counted.days.add(new Date(at).toISOString().slice(0, 10));
    this.#counted.set(key, counted);
    return flow.from.kind === "more" || flow.to.kind === "more" || flow.port === null;
  }

  #bounded(side: "from" | "to", end: FlowEnd, other: FlowEnd): FlowEnd {
    if (end.kind === "workload") return end;
    // Strangers of strangers count together: else each made-up address could bring its own five hundred.
    const of = other.kind === "workload" ? keyOf(other) : "strangers";
    return takes(this.#strangers, `${side} ${of}`, keyOf(end), this.#bounds.strangers) ? end : MORE;
  }

  #boundedPort(pair: string, port: number): number | null {
    return takes(this.#ports, pair, port, this.#bounds.ports) ? port : null;
  }
}

/** Never more than what a file of flows can hold. */
function sum(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER);
}

/** Adds to a set of bounded size; false when it has no room for something new. */
function takes<Item>(sets: Map<string, Set<Item>>, key: string, item: Item, most: number): boolean {
  const set = sets.get(key) ?? new Set<Item>();
  sets.set(key, set);
  if (set.has(item)) return true;
  if (set.size >= most) return false;
  set.add(item);
  return true;
}

function keyOf({ kind, name }: FlowEnd): string {
  return `${kind} ${name}`;
}

function orderOf(flow: Counted["flow"]): string {
  return `${flowText(flow)}\n${flow.verdict}\n${flow.source}`;
}
