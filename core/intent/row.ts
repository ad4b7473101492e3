import type { Direction, IsolationMode, Segment } from "../model/kinds.ts";
import type { EndMode } from "../reach/source.ts";
import type { Allow } from "./allow.ts";
import { isIdle } from "./allow.ts";
import type { WorkloadClass } from "./classes.ts";
import type { Place } from "./parts.ts";
import type { Reading } from "./sight.ts";

/** One end of a class of workloads: how it is isolated, and what is allowed there. */
export interface Row {
  readonly mode: EndMode;
  /** Segments that isolate it in the mode that counts, sorted by name. */
  readonly isolating: readonly Segment[];
  readonly allows: readonly Allow[];
  /** Why nothing of ours enforces there. */
  readonly why: string | undefined;
  readonly isGone: boolean;
  /** Equal keys: the same answers for workloads of one target, with the same values of `same` and the same ports. */
  readonly key: string;
}

const STRICTNESS: readonly IsolationMode[] = ["off", "observe", "enforce"];
const MODES = { off: "open", observe: "observed", enforce: "enforced" } as const satisfies Record<IsolationMode, EndMode>;

/** Reads rows out of definitions, each once per cell and trait. */
export class RowReader {
  readonly #reading: Reading;
  readonly #rows: Readonly<Record<Direction, (Row | undefined)[]>> = { ingress: [], egress: [] };
  readonly #shared = new Map<string, Row>();
  readonly #segmentsOf: ReadonlyMap<number, readonly Segment[]>;

  constructor(reading: Reading) {
    this.#reading = reading;
    const byMembers = Map.groupBy(reading.segments, ({ members }) => members.id);
    this.#segmentsOf = new Map([...byMembers].map(([id, list]) => [id, list.map(({ segment }) => segment)]));
  }

  /** Segments with these lists of members. */
  segmentsWith(ids: ReadonlySet<number>): readonly Segment[] {
    return [...ids].flatMap((id) => this.#segmentsOf.get(id) ?? []);
  }

  of(direction: Direction, subject: WorkloadClass): Row {
    const known = this.#rows[direction][subject.number];
    if (known !== undefined) return known;
    const { cell, trait } = subject;
    const key = `${direction} ${trait} ${[...cell.certain].join()} ${[...cell.possible].join()}`;
    const row = this.#shared.get(key) ?? this.#read(direction, subject);
    this.#shared.set(key, row);
    this.#rows[direction][subject.number] = row;
    return row;
  }

  #read(direction: Direction, { cell, unit }: WorkloadClass): Row {
    const governance = this.#reading.governanceOf(unit);
    if (governance.kind === "nobody") return passing("unmanaged", governance.why, governance.isGone);
    if (governance.kind === "cluster" && governance.isSpared && direction === "ingress") return passing("open", undefined, false);
    const isolators = this.segmentsWith(cell.possible);
    const strictest = Math.max(0, ...isolators.map(({ isolate }) => STRICTNESS.indexOf(isolate[direction])));
    const mode = STRICTNESS[strictest] ?? "off";
    if (mode === "off") return passing("open", undefined, false);
    const isolating = isolators.filter(({ isolate }) => isolate[direction] === mode).sort(byName);
    const allows = [
      ...this.#essentials(direction, governance.target, cell.certain),
      ...this.#rules(direction, cell.certain, governance),
    ];
    const key = `${MODES[mode]} ${[...new Set(allows.map((allow) => allow.key))].sort().join(" ")}`;
    return { mode: MODES[mode], isolating, allows, why: undefined, isGone: false, key };
  }

  #rules(direction: Direction, certain: ReadonlySet<number>, place: Place): readonly Allow[] {
    const { book } = this.#reading;
    const names = ["any", ...this.segmentsWith(certain).map(({ name }) => name)];
    const rules = new Set(names.flatMap((name) => book.rulesAt(direction, name)));
    const allows = [...rules].map((rule) => book.ofRule(rule, direction, place)).filter((allow) => !isIdle(allow));
    return allows.sort((a, b) => (a.origin < b.origin ? -1 : 1));
  }

  #essentials(direction: Direction, target: string, certain: ReadonlySet<number>): readonly Allow[] {
    const needsApiserver = this.segmentsWith(certain).some(({ needs }) => needs.includes("apiserver"));
    return this.#reading
      .essentialsAt(target)
      .filter(({ essential }) => {
        if (essential.direction !== direction || (essential.isNeeded && !needsApiserver)) return false;
        return essential.subjects === undefined || certain.has(essential.subjects.id);
      })
      .map(({ allow }) => allow)
      .filter((allow) => !isIdle(allow));
  }
}

function passing(mode: EndMode, why: string | undefined, isGone: boolean): Row {
  return { mode, isolating: [], allows: [], why, isGone, key: `${mode}${isGone ? ` ${why ?? ""}` : ""}` };
}

function byName(a: Segment, b: Segment): number {
  return a.name < b.name ? -1 : 1;
}
