/**
 * Large values between processes, in pieces: copying 100,000 workloads at once would block the process that sends or takes them.
 *
 * ```
 *   {pods: [100,000], nodes: [3]}  ──►  whole: {pods: [], nodes: [3]},  slice of pods, slice of pods, …
 * ```
 */

/** The way to a container from the top: keys of objects, positions, and keys of Maps. */
type Path = readonly unknown[];

export type Parcel =
  /** The value with its large containers empty. */
  | { readonly kind: "whole"; readonly value: unknown }
  | { readonly kind: "slice"; readonly path: Path; readonly items: readonly unknown[] };

/** Containers up to this size travel inside of what they are in. */
const SMALL = 64;
/** Members of one slice: pods, rules and files of this number are copied in a few milliseconds. */
const SLICE = 200;
/** How deep large containers are looked for. */
const DEPTH = 5;

type Container = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;

/** A value in pieces, `whole` first. Made one by one: whoever sends them can do something else in between. */
export function* parcelsOf(value: unknown): Generator<Parcel, void, void> {
  const large: { readonly path: Path; readonly container: Container }[] = [];
  yield { kind: "whole", value: emptied(value, [], large) };
  for (const { path, container } of large) {
    let items: unknown[] = [];
    for (const item of container) {
      items.push(item);
      if (items.length < SLICE) continue;
      yield { kind: "slice", path, items };
      items = [];
    }
    if (items.length > 0) yield { kind: "slice", path, items };
  }
}

function emptied(value: unknown, path: Path, large: { readonly path: Path; readonly container: Container }[]): unknown {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    if (list.length > SMALL) return hold(list, [], path, large);
    return path.length >= DEPTH ? list : list.map((item, index) => emptied(item, [...path, index], large));
  }
  if (value instanceof Map) {
    const map: ReadonlyMap<unknown, unknown> = value;
    if (map.size > SMALL) return hold(map, new Map(), path, large);
    return path.length >= DEPTH ? map : new Map([...map].map(([key, item]) => [key, emptied(item, [...path, key], large)]));
  }
  if (value instanceof Set) return value.size > SMALL ? hold(value, new Set(), path, large) : value;
  if (!isPlain(value) || path.length >= DEPTH) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, emptied(item, [...path, key], large)]));
}

function hold<Empty>(container: Container, empty: Empty, path: Path, large: { path: Path; container: Container }[]): Empty {
  large.push({ path, container });
  return empty;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
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
  return (container as Record<string, unknown>)[key as string]; // only paths of `emptied` come here
}

function add(container: unknown, item: unknown): void {
  if (Array.isArray(container)) container.push(item);
  else if (container instanceof Set) container.add(item);
  else if (container instanceof Map) container.set(...(item as [unknown, unknown])); // what iterating a Map gives
}
