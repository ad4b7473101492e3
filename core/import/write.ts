import { createHash } from "node:crypto";
import { Document as YamlDocument, isMap, isSeq, visit } from "yaml";
import type { Document } from "./definitions.ts";

/** A file as it is written. */
export interface ImportedFile {
  readonly path: string;
  readonly text: string;
}

/** First line of every file of an import: a second one replaces what begins so and is still as it was written, and nothing else. */
export const MARK = "# Written by `firebreak import`; a second import replaces this file. Rename what you take over.";

const DIGEST = "# As it was written, sha256: ";

function withMark(body: string): string {
  return `${MARK}\n${DIGEST}${digestOf(body)}\n${body}`;
}

/** Whose a file is: of an import and as it was written, of an import and edited since, or of somebody else. */
export function authorOf(text: string): "import" | "edited" | "other" {
  if (!text.startsWith(MARK)) return "other";
  const [, digest = "", ...body] = text.split("\n");
  return digest === `${DIGEST}${digestOf(body.join("\n"))}` ? "import" : "edited";
}

function digestOf(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 16);
}

const FILES = [
  { name: "targets.yaml", kinds: ["Cluster", "External"] },
  { name: "segments.yaml", kinds: ["Segment"] },
  { name: "policies.yaml", kinds: ["Policy", "Workspace"] },
] as const;

/** Where an import writes, whatever it has to say. */
export function pathsOf(folder: string): readonly string[] {
  return FILES.map(({ name }) => `${folder}/${name}`);
}

/** The files of an import, in a folder of the cluster's name. */
export function filesOf(documents: readonly Document[], folder: string): readonly ImportedFile[] {
  return FILES.flatMap(({ name, kinds }) => {
    const own = documents.filter(({ kind }) => (kinds as readonly string[]).includes(kind));
    return own.length === 0 ? [] : [{ path: `${folder}/${name}`, text: withMark(own.map(textOf).join("---\n")) }];
  });
}

function textOf({ kind, metadata, spec }: Document): string {
  const document = new YamlDocument(
    { apiVersion: "firebreak.dev/v1alpha1", kind, metadata, spec },
    { aliasDuplicateObjects: false },
  );
  visit(document, {
    // One member and one rule a line, as people write them.
    Collection: (_key, node, path) => {
      if ((isMap(node) || isSeq(node)) && !(path.length < 4 && node.items.length > 0 && !isPlain(node.toJSON())) && !isList(node))
        node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** True for a list whose items are objects: each has its own line. */
function isList(node: unknown): boolean {
  return isSeq(node) && node.items.some((item) => isMap(item));
}

/** True for a short object of words: it fits its line. */
function isPlain(value: unknown): boolean {
  const text = JSON.stringify(value);
  return text.length < 80 && !text.includes("[{") && !text.includes('"apiVersion"') && !text.includes('"reason"');
}
