/** Entries of the audit log: what producers give, what is stored, and reading it back. Their bytes are made in `encode.ts`. */
import { z } from "zod";
import { FirebreakError } from "../ground/error.ts";
import { envelopeShape, fieldShape } from "./fields.ts";
import { isTreeSize } from "./merkle.ts";
import { ENTRY_TYPES, type EntryType, type FieldName, isEntryType } from "./types.ts";

const inputSchema = z
  .object({
    ...fieldShape,
    id: envelopeShape.id,
    type: z.custom<EntryType>((type) => typeof type === "string" && isEntryType(type), { error: "no such type of entry" }),
    time: envelopeShape.time.optional(),
    origin: envelopeShape.origin.optional(),
  })
  .check(requireFields);

const entrySchema = z.object({ ...fieldShape, ...envelopeShape, type: inputSchema.shape.type }).check(requireFields);

type Fields = Readonly<z.infer<z.ZodObject<typeof fieldShape>>>;
type StoredFields = Readonly<z.infer<z.ZodObject<typeof envelopeShape>>>;
type WithRequired<Base, Name extends keyof Base> = Base & { readonly [Field in Name]-?: NonNullable<Base[Field]> };
type FieldsOf<Type extends EntryType> = { readonly type: Type } & WithRequired<Fields, (typeof ENTRY_TYPES)[Type][number]>;

/**
 * What a producer gives. The id makes it idempotent: appended again with the same content, it gets the receipt of the first.
 * Other content under a known id is another event and is logged too.
 * Absent `time` (of the event, UTC, ISO 8601 with a Z) and `origin` are filled in by the sequencer with its own.
 */
export type EntryInput = {
  [Type in EntryType]: FieldsOf<Type> &
    Pick<StoredFields, "id"> & { readonly time?: string | undefined; readonly origin?: StoredFields["origin"] | undefined };
}[EntryType];

/** A stored entry, discriminated on `type`. */
export type Entry = { [Type in EntryType]: FieldsOf<Type> & StoredFields }[EntryType];

/** One type of entry, e.g. `EntryOf<"apply.intent">`. */
export type EntryOf<Type extends EntryType> = Extract<Entry, { type: Type }>;

/** A stored entry that a newer version wrote: only its envelope is understood here, the rest is kept in `fields` to be shown. */
export interface NewerEntry {
  readonly type: "newer";
  readonly storedType: string;
  readonly seq: number;
  readonly id: string;
  readonly time: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An entry as readers get it. Fields this version does not know are kept. */
export type StoredEntry = Entry | NewerEntry;

/** What reading an entry gave. */
export type ReadEntry =
  | { readonly kind: "entry"; readonly entry: StoredEntry }
  | { readonly kind: "malformed"; readonly why: string };

/** What every version of an entry has, and all the fields it was read with. */
export interface Envelope {
  readonly v: number;
  readonly seq: number;
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Reads the stored bytes of an entry as far as every version can: enough to count, find and verify entries, several times faster
 * than {@link readEntry}. Gives the sentence that says what is wrong with what never was an entry.
 */
export function readEnvelope(bytes: Uint8Array): Envelope | string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  if (!/^\{"v":[1-9][0-9]*,/.test(text)) return 'it does not begin with {"v":';
  let fields: Readonly<Record<string, unknown>>;
  try {
    // An object, because of how it begins.
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    return `it is not JSON (${error instanceof Error ? error.message : String(error)})`;
  }
  const { v, seq, id, time, type } = fields;
  if (!isCount(v) || !isCount(seq)) return "its version or number is no whole number";
  if (typeof id !== "string" || typeof time !== "string" || typeof type !== "string") return "it lacks an id, a time or a type";
  return { v, seq, id, time, type, fields };
}

/**
 * Reads the stored bytes of an entry. An entry of a newer version, a type or a shape that is unknown here gives a
 * {@link NewerEntry}; malformed is only what never was an entry.
 */
export function readEntry(bytes: Uint8Array): ReadEntry {
  const envelope = readEnvelope(bytes);
  if (typeof envelope === "string") return { kind: "malformed", why: envelope };
  const { seq, id, time, type, fields } = envelope;
  // Returned as it was parsed, not as zod copied it: zod would drop fields this version does not know.
  if (entrySchema.safeParse(fields).success) return { kind: "entry", entry: fields as unknown as Entry };
  return { kind: "entry", entry: { type: "newer", storedType: type, seq, id, time, fields } };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && isTreeSize(value);
}

/** What parsing a producer's entry gave. */
export type ParsedInput =
  | { readonly kind: "input"; readonly input: EntryInput }
  | { readonly kind: "malformed"; readonly why: string };

/** Reads what another process wants logged (a row of a table, a request). */
export function parseEntryInput(value: unknown): ParsedInput {
  const parsed = inputSchema.safeParse(value);
  return parsed.success ? { kind: "input", input: value as EntryInput } : { kind: "malformed", why: describe(parsed.error) };
}

/** Throws PLAN_INVARIANT_BROKEN for an entry that a caller past the type checker got wrong: logging it half would hide it. */
export function assertEntryInput(input: EntryInput): void {
  const parsed = parseEntryInput(input);
  if (parsed.kind === "malformed")
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `log an entry of type ${String(input.type)}: ${parsed.why}`);
}

function requireFields(context: z.core.ParsePayload<{ type: EntryType } & { [Name in FieldName]?: unknown }>): void {
  for (const field of ENTRY_TYPES[context.value.type] ?? []) {
    if (context.value[field] !== undefined) continue;
    context.issues.push({
      code: "custom",
      input: context.value,
      path: [field],
      message: `an entry of type ${context.value.type} has it`,
    });
  }
}

function describe(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".") || "entry"}: ${message}`).join("; ");
}
