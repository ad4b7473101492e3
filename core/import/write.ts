import { createHash } from "node:crypto";
import { Document as YamlDocument, isMap, isSeq, visit } from "yaml";
import type { Document } from "./document.ts";

/** A file as it is written. */
export interface ImportedFile {
  readonly path: string;
  readonly text: string;
}

/** First line of the file with the target itself: people say in it how it is reached and when it is written. */
const YOURS = "# Yours from here on: an import writes this file once, and reads it afterwards.";

/** First line of every other file of an import: a second one replaces what begins so and is still as it was written, and nothing else. */
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
  { name: "cluster.yaml", kinds: ["Cluster"] },
  { name: "fleet.yaml", kinds: ["HostFleet"] },
  { name: "externals.yaml", kinds: ["External"] },
  { name: "segments.yaml", kinds: ["Segment"] },
  { name: "policies.yaml", kinds: ["Policy", "Workspace"] },
] as const;

/** Files that a second import replaces, whatever it has to say. */
export function pathsOf(folder: string): readonly string[] {
  return FILES.filter(({ kinds }) => !isYours(kinds)).map(({ name }) => `${folder}/${name}`);
}

function isYours(kinds: readonly string[]): boolean {
  return kinds.includes("Cluster") || kinds.includes("HostFleet");
}

/** The files of an import, in a folder of the name of the cluster or fleet. */
export function filesOf(documents: readonly Document[], folder: string): readonly ImportedFile[] {
  return FILES.flatMap(({ name, kinds }) => {
    const own = documents.filter(({ kind }) => (kinds as readonly string[]).includes(kind));
    const body = own.map(textOf).join("---\n");
    return own.length === 0 ? [] : [{ path: `${folder}/${name}`, text: isYours(kinds) ? `${YOURS}\n${body}` : withMark(body) }];
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
