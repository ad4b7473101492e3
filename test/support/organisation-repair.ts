import { parseDefinitions } from "../../core/model/parse.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import type { Document } from "./organisation-documents.ts";

type Spec = Readonly<Record<string, unknown>>;
interface RuleBody {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** Documents without what the parser refuses, with the definitions that they are: a random document is rarely right as a whole. */
export function repaired(documents: readonly Document[]): {
  readonly documents: readonly Document[];
  readonly definitions: Definitions;
} {
  let list = documents;
  for (let round = 0; round < 5; round += 1) {
    const { definitions, notes } = parseDefinitions(list.map(sourceOf));
    if (definitions !== undefined) return { documents: list, definitions };
    const errors = notes.filter(({ severity }) => severity === "error");
    list = list.map((one, index) => errors.filter(({ at }) => at?.file === fileOf(index)).reduce(without, one));
  }
  throw new Error(`the parser refuses ${JSON.stringify(list)}`);
}

function fileOf(index: number): string {
  return `d${index}.yaml`;
}

function sourceOf(body: Document, index: number) {
  return { path: fileOf(index), bytes: new TextEncoder().encode(JSON.stringify(body)) };
}

/** The document without what the note refuses. */
function without(document: Document, { code, summary }: Note): Document {
  const spec = document["spec"] as Spec; // every document here has one
  const { not: _not, isolate: _isolate, needs: _needs, sealed: _sealed, ...bare } = spec;
  const rules = (spec["rules"] ?? []) as readonly (RuleBody & { readonly same?: readonly string[] })[];
  switch (code) {
    case "same-without-labels": {
      const [, name = ""] = /"(.*)"/.exec(summary) ?? [];
      const compared = rules.map(({ same, ...rule }) =>
        same === undefined || [...rule.from, ...rule.to].includes(name) ? rule : { ...rule, same },
      );
      return { ...document, spec: { ...spec, rules: compared } };
    }
    case "any-to-any":
      return {
        ...document,
        spec: { ...spec, rules: rules.map((rule) => (rule.to.includes("any") ? { ...rule, to: ["a"] } : rule)) },
      };
    case "not-unlike": {
      const { not: _left, ...rest } = spec;
      return { ...document, spec: rest };
    }
    case "isolate-peers":
    case "needs-peers":
    case "sealed-peers":
      return { ...document, spec: bare };
    default:
      throw new Error(`${code}: ${summary}`);
  }
}
