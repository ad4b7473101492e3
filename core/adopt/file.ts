import { parseAllDocuments } from "yaml";
import { removeDocument } from "../edit/document.ts";
import { editYaml, type YamlEdit } from "../edit/edit.ts";
import type { Policy } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";

/** One file before and after; `before` is empty for a new one, `after` for one that goes. */
export interface FileEdit {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** What it does, in words that follow "it": `adds a rule to the policy order-flow of team-shop`. */
  readonly what: string;
}

/** A file's text. */
export function textOf(files: readonly SourceFile[], path: string): string | undefined {
  const file = files.find((other) => other.path === path);
  return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
}

/** The files with one edit made. */
export function withEdit(files: readonly SourceFile[], { path, after }: FileEdit): readonly SourceFile[] {
  const others = files.filter((file) => file.path !== path);
  return after === "" ? others : [...others, { path, bytes: new TextEncoder().encode(after) }];
}

/** An edit of the document of a policy; undefined where it cannot be made so that nothing else changes. */
export function editPolicy(files: readonly SourceFile[], policy: Policy, edit: YamlEdit, what: string): FileEdit | undefined {
  const found = placeOf(files, policy);
  if (found === undefined) return undefined;
  const after = editYaml(found.text, found.document, edit);
  return "ok" in after ? { path: policy.at.file, before: found.text, after: after.ok, what } : undefined;
}

/** A policy goes with its last rule: its document, or its file where it is alone there. */
export function removePolicy(files: readonly SourceFile[], policy: Policy): FileEdit | undefined {
  const found = placeOf(files, policy);
  if (found === undefined) return undefined;
  const what = `removes the policy ${policy.name}, whose only rule it is`;
  const edit = { path: policy.at.file, before: found.text, what };
  if (found.documents === 1) return { ...edit, after: "" };
  const after = removeDocument(found.text, found.document);
  return "ok" in after ? { ...edit, after: after.ok } : undefined;
}

/** The lists of a rule as they are written: parsed ones are sorted and merged. Undefined where the file does not have them. */
export function writtenRule(files: readonly SourceFile[], policy: Policy, index: number): WrittenRule | undefined {
  const rule = placeOf(files, policy)?.value.spec?.rules?.[index];
  const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  return rule === undefined ? undefined : { from: list(rule.from), to: list(rule.to), ports: list(rule.ports) };
}

/** Each item as its text; a list that is none is empty. */
export interface WrittenRule {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ports: readonly string[];
}

interface Place {
  readonly text: string;
  readonly document: number;
  /** Documents of the file that say anything. */
  readonly documents: number;
  readonly value: Value;
}

function placeOf(files: readonly SourceFile[], { at, name }: Policy): Place | undefined {
  const text = textOf(files, at.file);
  if (text === undefined) return undefined;
  // The cast: the file was parsed as definitions, so what is of this kind and name has this shape.
  const documents = [...parseAllDocuments(text)].map((found) => found.toJS() as Value | null);
  const document = documents.findIndex((found) => found?.kind === "Policy" && found.metadata?.name === name);
  const value = documents[document];
  if (value === undefined || value === null) return undefined;
  return { text, document, documents: documents.filter((found) => found !== null).length, value };
}

interface Value {
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown };
  readonly spec?: { readonly rules?: readonly { readonly from?: unknown; readonly to?: unknown; readonly ports?: unknown }[] };
}
