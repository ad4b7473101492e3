import { parseAllDocuments } from "yaml";
import type { Document } from "yaml";

/** How definitions are read, with the tokens that carry the layout. */
const OPTIONS = { schema: "core", resolveKnownTags: false, stringKeys: true, keepSourceTokens: true, logLevel: "silent" } as const;

/** The documents of a file; refused when any of them is broken. */
export function readTrees(text: string): { readonly ok: readonly Document.Parsed[] } | { readonly refused: string } {
  const documents: readonly Document.Parsed[] = [...parseAllDocuments(text, OPTIONS)];
  const error = documents.flatMap((document) => document.errors).at(0);
  return error === undefined ? { ok: documents } : { refused: error.message.split("\n")[0] ?? "the YAML is broken" };
}

/** The values of all documents of a file, as plain data. */
export function readValues(text: string): { readonly ok: readonly unknown[] } | { readonly refused: string } {
  const trees = readTrees(text);
  if ("refused" in trees) return trees;
  try {
    return { ok: trees.ok.map((document) => document.toJS({ maxAliasCount: 100 }) as unknown) };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : "the YAML cannot be read" }; // aliases without end
  }
}
