import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { SCHEMAS, type Kind } from "../core/model/schema/index.ts";

/** Where the example of each kind is; all of them together are definitions without an error. */
const EXAMPLES = join(import.meta.dirname, "../docs/examples/kinds");
/** In the order in which somebody meets them. */
const ORDER = [
  "Cluster",
  "HostFleet",
  "External",
  "Segment",
  "Policy",
  "Guardrail",
  "Workspace",
] as const satisfies readonly Kind[];

/** What JSON Schema says of one field; only what the page shows. */
interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly examples?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
}

/**
 * The body of docs/reference/kinds.md, from the schemas that parsing uses.
 *
 * @param row a line of a table
 */
export function kindSections(row: (cells: readonly string[]) => string): readonly string[] {
  return ORDER.flatMap((kind) => {
    // The schema is plain JSON Schema, of which FieldSchema names the part that is shown.
    const schema = z.toJSONSchema(SCHEMAS[kind], { io: "input", unrepresentable: "any" }) as FieldSchema;
    const rows = fieldRows(schema.properties?.["spec"] ?? {}, "").map((cells) => row(cells));
    return [
      `## ${kind}\n`,
      `${schema.description ?? ""}\n`,
      `\`\`\`yaml\n${exampleOf(kind).trimEnd()}\n\`\`\`\n`,
      "| field of `spec` | type | default | what it is |\n|---|---|---|---|",
      ...rows,
      "",
    ];
  });
}

function exampleOf(kind: Kind): string {
  const name = kind.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
  return readFileSync(join(EXAMPLES, `${name}.yaml`), "utf8");
}

function fieldRows(schema: FieldSchema, above: string): readonly (readonly string[])[] {
  const told = new Map<string, string>();
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${above}${name}`;
    const inner = innerOf(field);
    // `not` takes what `members` takes: told once.
    const text = inner === undefined ? "" : JSON.stringify(inner.properties);
    const before = told.get(text);
    if (inner !== undefined && before === undefined) told.set(text, name);
    const same = before === undefined ? "" : ` Fields as in \`${before}\`.`;
    const isRequired = schema.required?.includes(name) ?? false;
    const own = [`\`${path}\``, typeOf(field), defaultOf(field, isRequired), `${field.description ?? ""}${same}`.trim()];
    if (inner === undefined || before !== undefined) return [own];
    return [own, ...fieldRows(inner, field.type === "array" ? `${path}[].` : `${path}.`)];
  });
}

/** The fields inside, unless it is a selector, which is described once. */
function innerOf(field: FieldSchema): FieldSchema | undefined {
  if (isSelector(field)) return undefined;
  const inner = field.type === "array" ? field.items : field;
  return inner?.properties === undefined || Object.keys(inner.properties).length === 0 ? undefined : inner;
}

function isSelector(field: FieldSchema): boolean {
  return field.properties?.["matchLabels"] !== undefined;
}

function typeOf(field: FieldSchema): string {
  if (isSelector(field)) return "[selector](#selectors)";
  if (field.enum !== undefined) return field.enum.map((value) => `\`${value}\``).join(", ");
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.type === "array") return `list of ${field.items === undefined ? "values" : typeOf(field.items)}`;
  if (field.type === "integer") {
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = field;
    return maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;
  }
  if (field.type === "object") return field.properties === undefined ? "labels" : "fields";
  const example = field.examples?.[0];
  return `${field.type === "string" ? "text" : (field.type ?? "value")}${example === undefined ? "" : `, such as \`${example}\``}`;
}

function defaultOf({ default: value, properties }: FieldSchema, isRequired: boolean): string {
  if (isRequired) return "required";
  // The fields inside tell theirs.
  if (value === undefined || properties !== undefined) return "";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
