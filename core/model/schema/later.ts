import { z } from "zod";

/**
 * What a schema does not carry itself, for the notes about input that does not fit it.
 *
 * `fields` and `values` are known by name and refused: a field that this version does not enforce is never accepted and ignored.
 * Each maps to what to do instead. `hint` is said when the value has the wrong type.
 */
export interface Guidance {
  readonly fields?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, string>>;
  readonly hint?: string;
}

/** Guidance by schema; register last, because every zod method returns a new schema. */
export const guidance = z.registry<Guidance>();
