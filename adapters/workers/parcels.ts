/**
 * Large values between processes, in pieces: copying 100,000 workloads at once would block the process that sends or takes them. What counts
 * is how much is in a piece, however it is nested: one set of 100,000 addresses in one rule is cut as well.
 *
 * ```
 *   {pods: [100,000], nodes: [3]}  ──►  whole: {},  slice: {pods: [], nodes: [3]},  slice of pods, slice of pods, …
 * ```
 */

/** The way to a container from the top: keys of objects, positions, and keys of Maps. */
type Path = readonly unknown[];

export type Parcel =
  /** The value; empty when it is large. */
  | { readonly kind: "whole"; readonly value: unknown }
  /** What a container holds next: items of a list or Set, pairs of a Map or an object. Containers among them may be empty still. */
  | { readonly kind: "slice"; readonly path: Path; readonly items: readonly unknown[] };

/** Values in one piece: copied in a few milliseconds. */
const PIECE = 3_000;
/** Characters or bytes that count as one value: they are copied faster than structures. */
const TEXT = 256;
/** How deep containers are opened; what is below travels as it is. */
const DEPTH = 12;

type Container = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | Readonly<Record<string, unknown>>;

/** A value in pieces, `whole` first. Made one by one: whoever sends them can do something else in between. */
export function* parcelsOf(value: unknown): Generator<Parcel, void, void> {
  if (!isOpened(value, [])) return yield { kind: "whole", value };
  yield { kind: "whole", value: emptyOf(value) };
  yield* slicesOf(value, []);
}

function* slicesOf(container: Container, path: Path): Generator<Parcel, void, void> {
  let items: unknown[] = [];
  let weight = 0;
  let opened: { readonly path: Path; readonly container: Container }[] = [];
  for (const { key, member, item } of membersOf(container)) {
    let size = weigh(member, PIECE - weight);
    if (weight > 0 && weight + size > PIECE) {
      yield { kind: "slice", path, items };
      for (const each of opened) yield* slicesOf(each.container, each.path);
      [items, weight, opened] = [[], 0, []];
      size = weigh(member, PIECE);
    }
    const inner = [...path, key];
    if (size > PIECE && canBeFilled(container, key) && isOpened(member, inner)) {
      opened.push({ path: inner, container: member });
      items.push(item(emptyOf(member)));
      weight += 1;
    } else {
      items.push(item(member));
      weight += size;
    }
  }
  if (items.length > 0) yield { kind: "slice", path, items };
  for (const each of opened) yield* slicesOf(each.container, each.path);
}

/** True when a member can be found again by its key, to be filled: a copy of an object is another key. */
function canBeFilled(container: Container, key: unknown): boolean {
  return !(container instanceof Set) && (typeof key !== "object" || key === null);
}

/** A member of a container: its key there, and how it travels in a slice. */
interface Member {
  readonly key: unknown;
  readonly member: unknown;
  readonly item: (member: unknown) => unknown;
}

function* membersOf(container: Container): Generator<Member, void, void> {
  if (Array.isArray(container)) {
    for (const [key, member] of container.entries()) yield { key, member, item: (value) => value };
  } else if (container instanceof Set) {
    for (const member of container) yield { key: member, member, item: (value) => value };
  } else {
    const pairs: Iterable<readonly [unknown, unknown]> = container instanceof Map ? container : Object.entries(container);
    for (const [key, member] of pairs) yield { key, member, item: (value) => [key, value] };
  }
}

/** True for a container that is too much for one piece. */
function isOpened(value: unknown, path: Path): value is Container {
  return path.length < DEPTH && isContainer(value) && weigh(value, PIECE) > PIECE;
}

function isContainer(value: unknown): value is Container {
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true;
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function emptyOf(container: Container): Container {
  if (Array.isArray(container)) return [];
  return container instanceof Map ? new Map() : container instanceof Set ? new Set() : {};
}

/** How much is in a value; stops counting beyond `most`. */
function weigh(value: unknown, most: number): number {
  let weight = 0;
  const left: unknown[] = [value];
  while (left.length > 0 && weight + left.length <= most + 1) {
    const next = left.pop();
    weight += 1;
    if (typeof next === "string") weight += next.length / TEXT;
    else if (ArrayBuffer.isView(next)) weight += next.byteLength / TEXT;
    else if (isContainer(next)) {
      if (sizeOf(next) > most) return most + 1; // before any of it is pushed
      if (next instanceof Map) left.push(...next.keys(), ...next.values());
      else if (Array.isArray(next) || next instanceof Set) left.push(...next);
      else left.push(...(Object.values(next) as readonly unknown[]));
    }
  }
  return weight + left.length;
}

function sizeOf(container: Container): number {
  if (Array.isArray(container)) return container.length;
  if (container instanceof Map || container instanceof Set) return container.size;
  return Object.keys(container).length;
}

/** Puts pieces together again, in the order they were made. */
export class Assembly {
  #value: unknown;

  take(parcel: Parcel): void {
    if (parcel.kind === "whole") {
      this.#value = parcel.value;
      return;
    }
    const container = parcel.path.reduce((at: unknown, key) => inside(at, key), this.#value);
    for (const item of parcel.items) add(container, item);
  }

  /** Everything taken so far. */
  get value(): unknown {
    return this.#value;
  }
}

function inside(container: unknown, key: unknown): unknown {
  if (container instanceof Map) return container.get(key);
  return (container as Record<string, unknown>)[key as string]; // only paths of `slicesOf` come here
}

function add(container: unknown, item: unknown): void {
  if (Array.isArray(container)) container.push(item);
  else if (container instanceof Set) container.add(item);
  else if (container instanceof Map) container.set(...(item as [unknown, unknown])); // pairs, as `membersOf` gives
  else {
    const [key, value] = item as [string, unknown];
    // Not an assignment: a key may be `__proto__`.
    Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
  }
}
