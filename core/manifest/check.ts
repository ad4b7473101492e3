import type { Note, NoteSeverity } from "../model/note.ts";
import type { ManifestDocument, Path } from "./manifest-file.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Reads fields of one object and collects what is wrong with it, each at its place. */
export class Checker {
  readonly notes: Note[];
  /** `NetworkPolicy shop/web`, for summaries. */
  readonly name: string;
  readonly #document: ManifestDocument;
  readonly #root: Path;

  constructor(document: ManifestDocument, root: Path, name: string, notes: Note[]) {
    this.#document = document;
    this.#root = root;
    this.name = name;
    this.notes = notes;
  }

  /** The object is refused, and with it the whole folder. */
  error(path: Path, code: string, problem: string, detail?: string): undefined {
    this.note("error", path, code, `${formatPath(path)}${problem}`, detail);
    return undefined;
  }

  note(severity: NoteSeverity, path: Path, code: string, problem: string, detail?: string): void {
    const at = this.#document.at([...this.#root, ...path]);
    const summary = `${this.name}: ${problem}`;
    this.notes.push({ severity, code, at, summary, ...(detail !== undefined && { detail }) });
  }

  /** A mapping; absent and null are undefined, anything else is an error. */
  record(value: unknown, path: Path): Json | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "object" && !Array.isArray(value)) return value as Json; // checked just now
    return this.error(path, "wrong-type", " must be a mapping");
  }

  /** A list; absent and null are the empty one, anything else is an error. */
  list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.error(path, "wrong-type", " must be a list");
    return [];
  }

  /** A text; absent and null are undefined, anything else is an error. */
  text(value: unknown, path: Path): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string") return value;
    const written = this.#document.written([...this.#root, ...path]) ?? show(value);
    const problem = ` must be a text, and is the ${typeof value} ${show(value)}`;
    return this.error(path, "wrong-type", problem, `Put it in quotes: ${JSON.stringify(written.slice(0, 80))}`);
  }

  /** A whole number in a range, both ends included; absent and null are undefined. */
  integer(value: unknown, path: Path, first: number, last: number): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value)) {
      return this.error(path, "wrong-type", ` must be a number, and is ${show(value)}`);
    }
    this.#refuseOctal(value, path);
    if (value >= first && value <= last) return value;
    return this.error(path, "out-of-range", ` must be from ${first} to ${last}, and is ${value}`);
  }

  /** `0443` is 291 to Kubernetes and 443 to its author. */
  #refuseOctal(value: number, path: Path): void {
    if (!this.#document.hasLeadingZeros) return;
    const written = this.#document.written([...this.#root, ...path]) ?? "";
    if (!/^[-+]?0[0-9_]/.test(written)) return;
    this.error(path, "leading-zero", `: ${written} is ${value} to Kubernetes`, `Write it without the zero, or as ${value}`);
  }

  boolean(value: unknown, path: Path): boolean | undefined {
    if (value === undefined || value === null || typeof value === "boolean") return value ?? undefined;
    return this.error(path, "wrong-type", ` must be true or false, and is ${show(value)}`);
  }

  /** Every key must be one the API knows: what the API server would drop, nobody has analysed. */
  onlyKeys(record: Json | undefined, known: readonly string[], path: Path): void {
    for (const key of Object.keys(record ?? {})) {
      if (known.includes(key)) continue;
      const detail = `Known here: ${known.join(", ")}`;
      this.error([...path, key], "unknown-field", " is not known", detail);
    }
  }

  /** True when the field is there and not null; an error otherwise. */
  required(record: Json, key: string, path: Path): boolean {
    if (record[key] !== undefined && record[key] !== null) return true;
    this.error([...path, key], "missing-field", " is missing");
    return false;
  }
}

/** `spec.ingress[0].ports[1]`. */
export function formatPath(path: Path): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

/** A value for a message, never long. */
export function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}
