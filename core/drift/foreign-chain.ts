/** A base chain of another table, with the whole of its table. */
export interface ForeignChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: string;
  readonly type: string;
  readonly policy: string;
  readonly rules: readonly (readonly unknown[])[];
  readonly within: ForeignTable;
}

/** A table of somebody else, read once for all its chains. */
export interface ForeignTable {
  readonly objects: readonly ForeignObject[];
  readonly baseChains: ReadonlySet<string>;
  readonly rulesOf: ReadonlyMap<string, readonly (readonly unknown[])[]>;
}

export interface ForeignObject {
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
}
