import type { Subject } from "../membership/subject.ts";
import type { LabelSelector } from "../selector/index.ts";

/** Pods of one label key: those that ask for a value, and those that do not ask for one. */
interface KeyIndex {
  readonly byValue: ReadonlyMap<string, readonly number[]>;
  readonly without: readonly number[];
}

/**
 * Finds, among many groups of subjects, those that may share pods with another group: 2,000 segments times 2,000 rule ends is too many
 * pairs to look at, and nearly all ask one label for two values.
 *
 * ```
 *   app=web  ─►  ends with app=web, and ends that do not ask for one value of app
 * ```
 *
 * It never leaves out a group that shares pods; it may name some that do not.
 */
export class EndIndex<End> {
  readonly #ends: readonly End[];
  readonly #asked: readonly { readonly end: number; readonly labels: ReadonlyMap<string, string> }[];
  readonly #keys = new Map<string, KeyIndex>();

  constructor(ends: readonly End[], subjectsOf: (end: End) => readonly Subject[]) {
    this.#ends = ends;
    this.#asked = ends.flatMap((end, index) => subjectsOf(end).map((subject) => ({ end: index, labels: askedLabels(subject) })));
  }

  /** The ends that may share pods with one of the subjects, in the order they were given. */
  near(subjects: readonly Subject[]): readonly End[] {
    const found = new Set<number>();
    for (const subject of subjects) for (const index of this.#nearOne(subject)) found.add(index);
    return [...found].sort((a, b) => a - b).flatMap((index) => this.#ends[index] ?? []);
  }

  #nearOne(subject: Subject): Iterable<number> {
    let fewest: readonly (readonly number[])[] | undefined;
    let size = this.#asked.length;
    for (const [key, value] of askedLabels(subject)) {
      const { byValue, without } = this.#keyIndex(key);
      const same = byValue.get(value) ?? [];
      if (fewest !== undefined && same.length + without.length >= size) continue;
      fewest = [same, without];
      size = same.length + without.length;
    }
    return fewest === undefined ? this.#asked.map(({ end }) => end) : fewest.flat();
  }

  #keyIndex(key: string): KeyIndex {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const byValue = new Map<string, number[]>();
    const without: number[] = [];
    for (const { end, labels } of this.#asked) {
      const value = labels.get(key);
      const list = value === undefined ? without : byValue.get(value);
      if (list !== undefined) list.push(end);
      else if (value !== undefined) byValue.set(value, [end]);
    }
    const index = { byValue, without };
    this.#keys.set(key, index);
    return index;
  }
}

/** Labels that a subject asks for by one value, with the object they are on: `pod app`, `namespace team`. */
function askedLabels({ pods, namespaces }: Subject): ReadonlyMap<string, string> {
  return new Map([...singleValues("pod", pods), ...singleValues("namespace", namespaces)]);
}

function singleValues(on: string, { matchLabels = {} }: LabelSelector): readonly (readonly [string, string])[] {
  return Object.entries(matchLabels).map(([key, value]) => [`${on} ${key}`, value]);
}
