import { anyAddress, unionAll } from "../../address/index.ts";
import type { AddressSet } from "../../address/index.ts";
import type { PortSet } from "../../address/ports.ts";
import type { Budget } from "../budget.ts";
import { bothSelections, fieldDomain, readBounds, readField, selectValue } from "./fields.ts";
import type { Field, Selection, Viewpoint } from "./fields.ts";
import { listOf, recordOf } from "./listing.ts";
import type { ListedTable } from "./listing.ts";
import { emptySpace, intersectSpaces, spaceFromBoxes, subtractSpaces, wholeSpace } from "./space.ts";
import type { Box, Space } from "./space.ts";

/**
 * What a condition selects: `upper` at most, `lower` at least whatever the ends choose, `firm` at least if they choose to match
 * (a source port, one of the host's addresses). `upper` and `firm` differ only where this reader cannot tell.
 */
export interface Match {
  readonly upper: Space;
  readonly firm: Space;
  readonly lower: Space;
}

/** A condition that this reader does not understand: it may select everything or nothing. */
export const UNKNOWN_MATCH: Match = { upper: wholeSpace, firm: emptySpace, lower: emptySpace };

/** The kernel concatenates no more parts than this; longer ones are not understood. */
export const MAX_PARTS = 16;

/** The `match` statement. */
export function readMatch(match: Readonly<Record<string, unknown>>, table: ListedTable, view: Viewpoint): Match {
  const fields = readFields(match["left"], view);
  if (fields.length > MAX_PARTS) return UNKNOWN_MATCH;
  const values = readValues(match["op"], match["right"], fields, table);
  if (values === undefined) return UNKNOWN_MATCH;
  const positive = selectKeys(fields, values, view);
  if (match["op"] !== "!=") return positive;
  const domain = spaceFromBoxes([fields.map(fieldDomain).reduce(bothSelections)]);
  const upper = subtractSpaces(domain, positive.lower);
  const lower = subtractSpaces(domain, positive.upper);
  const isChosen = view.atLeast !== true && fields.some((field) => field.kind === "sourcePort" || field.kind === "local");
  return { upper, firm: isChosen ? upper : lower, lower };
}

/** Fields of a left side or a map key: one, or those of a concatenation. */
export function readFields(expression: unknown, view: Viewpoint): readonly Field[] {
  const parts = recordOf(expression)["concat"];
  return (Array.isArray(parts) ? parts : [expression]).map((part) => readField(part, view));
}

/** The union of what the keys select. Keys with the same ports are gathered first, so that big sets cost one union. */
export function selectKeys(fields: readonly Field[], keys: readonly unknown[], view: Viewpoint): Match {
  view.budget?.spend(fields.length + keys.length * Math.max(1, fields.length));
  const upper = new Gatherer(view.budget);
  const firm = new Gatherer(view.budget);
  const lower = new Gatherer(view.budget);
  for (const key of keys) {
    const isPassing = view.atLeast === true && isTimed(key);
    for (const read of selectKey(fields, key, view)) {
      const selection: Selection = isPassing ? { ...read, certainty: "doubtful" } : read;
      upper.add(selection);
      if (selection.certainty !== "doubtful") firm.add(selection);
      if (selection.certainty === "sure") lower.add(selection);
    }
  }
  return { upper: upper.space(), firm: firm.space(), lower: lower.space() };
}

function selectKey(fields: readonly Field[], key: unknown, view: Viewpoint): readonly Selection[] {
  const plain = unwrap(key);
  const [field, ...more] = fields;
  if (field === undefined) return [];
  if (more.length === 0) return selectValue(field, plain, view);
  const parts = listOf(recordOf(plain)["concat"]);
  return fields
    .map((part, index) => selectValue(part, unwrap(parts[index]), view))
    .reduce((left, right) => {
      view.budget?.spend(16 * left.length * right.length);
      return left.flatMap((a) => right.map((b) => bothSelections(a, b)));
    });
}

/** An element that goes by itself. */
function isTimed(value: unknown): boolean {
  const { expires, timeout } = recordOf(recordOf(value)["elem"]);
  return expires !== undefined || timeout !== undefined;
}

/** An element with a timeout, counter or comment is wrapped. */
function unwrap(value: unknown): unknown {
  const wrapped = recordOf(value)["elem"];
  return wrapped === undefined ? value : recordOf(wrapped)["val"];
}

/** The right side as a list of values; undefined when it is not understood. */
function readValues(op: unknown, right: unknown, fields: readonly Field[], table: ListedTable): readonly unknown[] | undefined {
  if (op === "in") return fields.every((field) => field.kind === "state") ? listOf(right) : undefined;
  if (op === "==" || op === "!=") return readSet(right, table);
  const bounds = readBounds(right);
  const isNumeric = fields.every((field) => field.kind === "port" || field.kind === "anyPort" || field.kind === "icmp");
  if (bounds === undefined || !isNumeric) return undefined;
  return comparison(op, bounds[0]);
}

function comparison(op: unknown, bound: number): readonly unknown[] | undefined {
  switch (op) {
    case "<":
      return bound === 0 ? [] : [{ range: [0, bound - 1] }];
    case "<=":
      return [{ range: [0, bound] }];
    case ">":
      return [{ range: [bound + 1, 65535] }];
    case ">=":
      return [{ range: [bound, 65535] }];
    default:
      return undefined;
  }
}

/** Values of a named set, an anonymous set, or the one value. An unknown set is not understood. */
export function readSet(right: unknown, table: ListedTable): readonly unknown[] | undefined {
  if (typeof right === "string" && right.startsWith("@")) return table.elements.get(right.slice(1));
  const anonymous = recordOf(right)["set"];
  if (anonymous !== undefined) return listOf(anonymous);
  return Array.isArray(right) ? right : [right];
}

/** Collects selections by their ports. */
class Gatherer {
  readonly #groups = new Map<string, { readonly ports: PortSet; readonly peers: AddressSet[] }>();
  readonly #keys = new Map<PortSet, string>();
  readonly #budget: Budget | undefined;

  constructor(budget: Budget | undefined) {
    this.#budget = budget;
  }

  add({ peers, ports }: Selection): void {
    this.#budget?.spend(1 + peers.v4.length + peers.v6.length);
    const key = this.#keyOf(ports);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { ports, peers: [peers] });
    else group.peers.push(peers);
  }

  space(): Space {
    const boxes: Box[] = [];
    for (const { ports, peers } of this.#groups.values()) {
      boxes.push({ ports, peers: peers.includes(anyAddress) ? anyAddress : unionAll(peers) });
    }
    return intersectSpaces(spaceFromBoxes(boxes, this.#budget), wholeSpace);
  }

  #keyOf(ports: PortSet): string {
    const known = this.#keys.get(ports);
    if (known !== undefined) return known;
    const key = JSON.stringify(ports);
    this.#budget?.spend(key.length);
    this.#keys.set(ports, key);
    return key;
  }
}
