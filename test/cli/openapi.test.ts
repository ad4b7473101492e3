import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
}

const read = (): Document =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/reference/openapi.json"), "utf8")) as Document;

// Bug: a generator of clients refuses the reference, or makes nonsense of it.
test("the reference of the HTTP API is an OpenAPI document", async () => {
  const { valid, errors } = await new Validator().validate(read() as unknown as Record<string, unknown>);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  const spoilt = { ...read(), paths: { "/livez": { get: { responses: { "200": {} } } } } };
  expect((await new Validator().validate(spoilt)).valid).toBe(false);
});

// Bug: a schema in it that no validator compiles; the document's own schema does not look into schemas.
test("every schema in it compiles, and names are there once", () => {
  const ajv = new Ajv2020({ strict: false });
  for (const [path, operations] of Object.entries(read().paths)) {
    for (const { parameters = [], requestBody } of Object.values(operations)) {
      for (const { schema } of [...parameters, ...Object.values(requestBody?.content ?? {})])
        expect(() => ajv.compile(schema), path).not.toThrow();
      const names = parameters.map(({ name }) => name);
      expect(new Set(names).size, path).toBe(names.length);
    }
  }
});
