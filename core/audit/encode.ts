/**
 * The bytes of an entry: `{"v":1,` and then the canonical JSON (RFC 8785) of all other fields.
 *
 * RFC 8785 sorts keys, which would put `v` near the end; every reader should know from the first bytes which version it reads. So
 * `v` is written first by hand and the rest is canonical: `{"v":1,` ‖ JCS(entry without v) without its opening brace. The bytes are
 * still one JSON object, still one spelling per entry, and still never serialised again: readers hash what is stored.
 */
import canonicalize from "canonicalize";
import type { AuditCut } from "./fields.ts";
import type { Entry } from "./entry.ts";
import { sha256 } from "./merkle.ts";
import { MAX_ENTRY_BYTES } from "./tiles.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** Lists and maps are cut to these many elements, texts to 16 times as many characters, until the entry fits. */
const CUT_STEPS = [4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1] as const;

/** What stays when nothing else fits: who, what, when, where. */
const LAST_RESORT = new Set([
  "seq",
  "id",
  "time",
  "type",
  "outcome",
  "origin",
  "target",
  "plan",
  "commit",
  "revision",
  "causedBy",
  "recovered",
]);

/** Never cut: the entry would not be found again. */
const WHOLE = new Set(["id", "time", "type", "origin", "seq"]);

/**
 * The stored bytes of an entry, at most 65,535.
 *
 * An entry that would be longer is cut, never dropped: every list keeps its first n elements, every map its first max(n, 64) keys in
 * order, every text its first max(16·n, 256) characters, with the largest n of 4096, 2048, … 1 that fits; `cut` says what was cut, and holds
 * size and digest of the whole. If even n = 1 is too long, the same is tried with an empty `detail`; and if that is, only the envelope, outcome, target, plan, commit and causedBy are left.
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const { v: _, ...fields } = entry;
  const whole = toWellFormed(fields as JsonObject) as JsonObject;
  const bytes = encode(whole);
  if (bytes.length <= MAX_ENTRY_BYTES) return bytes;

  const digest = { bytes: bytes.length, sha256: Buffer.from(sha256(bytes)).toString("hex") };
  const { detail, ...rest } = whole;
  // Only `detail` has no bound on its depth: without it, what readers rely on fits.
  for (const fields of detail === undefined ? [whole] : [whole, { ...rest, detail: {} }]) {
    for (const limit of CUT_STEPS) {
      const parts: Parts = new Map();
      if (fields !== whole) note(parts, "detail", 0, Object.keys(detail ?? {}).length);
      const fitted = encodeCut(cutFields(fields, limit, parts), digest, parts);
      if (fitted.length <= MAX_ENTRY_BYTES) return fitted;
    }
  }
  const parts = new Map([["*", { kept: LAST_RESORT.size, of: Object.keys(whole).length }]]);
  const kept = Object.fromEntries(Object.entries(whole).filter(([name]) => LAST_RESORT.has(name)));
  return encodeCut(cutFields(kept, 16, parts), digest, parts);
}

function encode(fields: JsonObject): Uint8Array {
  const canonical = canonicalize(fields);
  if (canonical === undefined) throw new TypeError("an entry is a JSON object");
  return Buffer.from(`{"v":1,${canonical.slice(1)}`);
}

function encodeCut(
  fields: JsonObject,
  digest: Pick<AuditCut, "bytes" | "sha256">,
  parts: ReadonlyMap<string, { kept: number; of: number }>,
): Uint8Array {
  const cut: AuditCut = { ...digest, parts: [...parts].slice(0, 64).map(([path, { kept, of }]) => ({ path, kept, of })) };
  return encode({ ...fields, cut });
}

type Parts = Map<string, { kept: number; of: number }>;

function cutFields(fields: JsonObject, limit: number, parts: Parts): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, WHOLE.has(name) ? value : cutValue(value, limit, name, parts)]),
  );
}

function cutValue(value: Json, limit: number, path: string, parts: Parts): Json {
  if (typeof value === "string") {
    const text = value.slice(0, Math.max(16 * limit, 256)).toWellFormed();
    if (text.length < value.length) note(parts, path, text.length, value.length);
    return text;
  }
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) {
    if (value.length > limit) note(parts, path, limit, value.length);
    return value.slice(0, limit).map((element) => cutValue(element, limit, `${path}.*`, parts));
  }
  const keys = Object.keys(value).toSorted();
  const keptKeys = keys.slice(0, Math.max(limit, 64));
  if (keptKeys.length < keys.length) note(parts, path, keptKeys.length, keys.length);
  // A key of a map may be as long as a text may be; where it lies is told by `*`, as for a list.
  return Object.fromEntries(
    keptKeys.map((key) => [key.slice(0, 1024), cutValue(value[key] ?? null, limit, `${path}.${key.slice(0, 64)}`, parts)]),
  );
}

/** Cuts at places that differ only in a list's index are counted together. */
function note(parts: Parts, path: string, kept: number, of: number): void {
  const before = parts.get(path) ?? { kept: 0, of: 0 };
  parts.set(path, { kept: before.kept + kept, of: before.of + of });
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Half surrogate pairs, which no JSON text can carry, become U+FFFD; undefined fields go. Hostile names reach the log this way. */
function toWellFormed(value: Json): Json {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(toWellFormed);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([key, field]) => [key.toWellFormed(), toWellFormed(field)]),
  );
}
