import { z } from "zod";
import { API_VERSION } from "../kinds.ts";
import { SCHEMAS } from "./index.ts";

/** A JSON Schema, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * One JSON Schema (draft 7, which editors' YAML servers know best) for every definition, chosen by `kind`.
 *
 * `if`/`then` per kind instead of `oneOf`, so that an editor completes and complains for the kind that is written, not for all.
 */
export function definitionsJsonSchema(): JsonSchema {
  const definitions: Record<string, unknown> = {};
  for (const [kind, schema] of Object.entries(SCHEMAS)) {
    const { $schema: _draft, ...body } = z.toJSONSchema(schema, { target: "draft-07", io: "input" });
    definitions[kind] = body;
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Firebreak definition",
    description: "Generated from core/model/schema; do not edit.",
    type: "object",
    required: ["apiVersion", "kind"],
    properties: {
      apiVersion: { const: API_VERSION, description: "The version of these definitions." },
      kind: { enum: Object.keys(SCHEMAS), description: "What is defined." },
    },
    allOf: Object.keys(SCHEMAS).map((kind) => ({
      if: { required: ["kind"], properties: { kind: { const: kind } } },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { $ref: `#/definitions/${kind}` },
    })),
    definitions,
  };
}

/** The text of the schema file. */
export function definitionsJsonSchemaText(): string {
  return `${JSON.stringify(definitionsJsonSchema(), undefined, 2)}\n`;
}
