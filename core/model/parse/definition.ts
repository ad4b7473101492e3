import type { z } from "zod";
import { API_VERSION } from "../kinds.ts";
import type { Note } from "../note.ts";
import { SCHEMAS } from "../schema/index.ts";
import type { Kind } from "../schema/index.ts";
import { quote } from "../schema/text.ts";
import type { YamlDocument } from "./document.ts";
import { notesOfIssues } from "./issues.ts";
import { didYouMean } from "./suggest.ts";

/** A definition that fits the schema of its kind. */
export type ParsedDefinition = {
  readonly [K in Kind]: { readonly kind: K; readonly document: YamlDocument; readonly body: z.output<(typeof SCHEMAS)[K]> };
}[Kind];

/** What can be said of a document whether or not it fits: its kind and name, so that its references and duplicates are still checked. */
export interface Heading {
  readonly kind: Kind;
  readonly name: string | undefined;
  readonly document: YamlDocument;
}

/** One document read by the schema of its kind. */
export interface Reading {
  readonly heading: Heading | undefined;
  readonly definition: ParsedDefinition | undefined;
  readonly notes: readonly Note[];
}

/** Reads a document as the kind it says it is. */
export function readDefinition(document: YamlDocument): Reading {
  const { value } = document;
  const nothing = { heading: undefined, definition: undefined };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    if (!document.isWhole) return { ...nothing, notes: [] };
    const summary = "not a definition";
    const detail = `A definition is a mapping with apiVersion: ${API_VERSION}, kind, metadata and spec`;
    return { ...nothing, notes: [{ severity: "error", code: "not-a-definition", at: document.start, summary, detail }] };
  }
  const { apiVersion, kind, metadata } = value as Readonly<Record<string, unknown>>; // an object, just checked
  const wrongKind = kindNote(document, apiVersion, kind);
  if (wrongKind !== undefined) return { ...nothing, notes: document.isWhole ? [wrongKind] : [] };
  const heading = { kind: kind as Kind, name: nameOf(metadata), document }; // kindNote has checked it
  if (!document.isWhole) return { heading, definition: undefined, notes: [] };
  return { heading, ...parseBody(heading.kind, document) };
}

function parseBody(kind: Kind, document: YamlDocument): Omit<Reading, "heading"> {
  const schema = SCHEMAS[kind];
  const parsed = schema.safeParse(document.value);
  if (!parsed.success) return { definition: undefined, notes: notesOfIssues(document, schema, parsed.error.issues) };
  return { definition: { kind, document, body: parsed.data } as ParsedDefinition, notes: [] }; // the schema was chosen by the kind
}

function kindNote(document: YamlDocument, apiVersion: unknown, kind: unknown): Note | undefined {
  const at = (key: string) => document.at([key]);
  if (apiVersion !== API_VERSION && !(typeof apiVersion === "string" && apiVersion.startsWith("firebreak.dev/"))) {
    const isOurs = typeof kind === "string" && Object.hasOwn(SCHEMAS, kind) && apiVersion === undefined;
    const summary = isOurs ? "apiVersion is missing" : "not a definition of Firebreak";
    const detail = isOurs ? `Add apiVersion: ${API_VERSION}` : `Move the file elsewhere, or write apiVersion: ${API_VERSION}`;
    const code = isOurs ? "missing-field" : "not-a-definition";
    return { severity: "error", code, at: at("apiVersion"), summary, detail };
  }
  if (kind === undefined) {
    const detail = `One of: ${Object.keys(SCHEMAS).join(", ")}`;
    return { severity: "error", code: "missing-field", at: document.start, summary: "kind is missing", detail };
  }
  if (typeof kind === "string" && Object.hasOwn(SCHEMAS, kind)) return undefined;
  const name = typeof kind === "string" ? kind : "";
  const detail = didYouMean(name, Object.keys(SCHEMAS)) ?? `It may be: ${Object.keys(SCHEMAS).join(", ")}`;
  return { severity: "error", code: "unknown-kind", at: at("kind"), summary: `unknown kind ${quote(name)}`, detail };
}

function nameOf(metadata: unknown): string | undefined {
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return undefined;
  return typeof metadata.name === "string" ? metadata.name : undefined;
}
