import { fairCells, type PresentCells, type PresentCellsByList } from "../membership/cells.ts";

/** One cell that a group of pods is in: the list it is of (`cellList`) and its values (`cellText`). */
export interface CellPlace {
  readonly list: string;
  readonly text: string;
}

/** Which cells there are: as `presentCells`, kept current group by group. A list is put in order only when it changed. */
export class CellCounts {
  /** By list, by namespace, by values: how many groups. */
  readonly #lists = new Map<string, Map<string, Map<string, number>>>();
  readonly #known = new Map<string, PresentCells>();

  /** A group of that namespace is in these cells. */
  hold(namespace: string, cells: readonly CellPlace[]): void {
    for (const cell of cells) this.#count(namespace, cell, 1);
  }

  /** A group of that namespace is in these cells no longer. */
  drop(namespace: string, cells: readonly CellPlace[]): void {
    for (const cell of cells) this.#count(namespace, cell, -1);
  }

  /** As `presentCells`. */
  present(): PresentCellsByList {
    const lists = [...this.#lists].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      lists.map(([list, byNamespace]) => {
        const cells = this.#known.get(list) ?? fairCells([...byNamespace.values()].map((texts) => texts.keys()));
        this.#known.set(list, cells);
        return [list, cells];
      }),
    );
  }

  #count(namespace: string, { list, text }: CellPlace, by: 1 | -1): void {
    const byNamespace = this.#lists.get(list) ?? new Map<string, Map<string, number>>();
    const texts = byNamespace.get(namespace) ?? new Map<string, number>();
    const before = texts.get(text) ?? 0;
    if (before + by > 0) texts.set(text, before + by);
    else texts.delete(text);
    if (before > 0 && before + by > 0) return;
    this.#known.delete(list);
    this.#lists.set(list, byNamespace.set(namespace, texts));
    if (texts.size === 0) byNamespace.delete(namespace);
    if (byNamespace.size === 0) this.#lists.delete(list);
  }
}
