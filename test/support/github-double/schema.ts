/** GitHub's own description of its REST API (@octokit/openapi): the double's requests and answers are held to it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv, type ValidateFunction } from "ajv";

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Content {
  readonly content?: { readonly "application/json"?: { readonly schema: Schema } };
}

interface Operation {
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, (Content & { readonly $ref?: string }) | undefined>>;
}

interface Spec {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>> | undefined>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let loaded: { readonly spec: Spec; readonly ajv: Ajv } | undefined;
const validators = new Map<string, ValidateFunction>();

/** 13 MB: read once, and only the schemas that are used are compiled. */
function load(): { readonly spec: Spec; readonly ajv: Ajv } {
  if (loaded !== undefined) return loaded;
  const file = fileURLToPath(import.meta.resolve("@octokit/openapi/generated/api.github.com.json"));
  const spec = JSON.parse(readFileSync(file, "utf8")) as Spec;
  for (const schema of Object.values(spec.components.schemas)) typeNullable(schema);
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "github", components: spec.components });
  loaded = { spec, ajv };
  return loaded;
}

/** Ajv knows OpenAPI's `nullable` beside a `type` only: elsewhere it becomes a choice. */
function typeNullable(node: unknown): void {
  if (node === null || typeof node !== "object") return;
  for (const inner of Object.values(node)) typeNullable(inner);
  const schema = node as Record<string, unknown>;
  if (schema["nullable"] !== true) return;
  if (Array.isArray(schema["enum"]) && !schema["enum"].includes(null)) schema["enum"].push(null);
  if ("type" in schema) return;
  const { nullable: _, ...rest } = schema;
  for (const key of Object.keys(rest)) delete schema[key];
  delete schema["nullable"];
  schema["anyOf"] = [rest, { enum: [null] }];
}

function operation(method: string, path: string): Operation {
  const found = load().spec.paths[path]?.[method.toLowerCase()];
  if (found === undefined) throw new Error(`GitHub has no ${method} ${path}`);
  return found;
}

/** What is wrong with a request's body; undefined when nothing is. */
export function refuseBody(method: string, path: string, body: unknown): string | undefined {
  const schema = operation(method, path).requestBody?.content?.["application/json"]?.schema;
  if (schema === undefined) return undefined;
  return validate(`${method} ${path} body`, schema, body);
}

/** The answer with what its schema requires and was not given; throws when GitHub would not answer so. */
export function answerOf(method: string, path: string, status: number, given: unknown): unknown {
  const told = operation(method, path).responses[status];
  const schema = told?.content?.["application/json"]?.schema;
  if (told === undefined) throw new Error(`GitHub does not answer ${method} ${path} with ${status}`);
  if (schema === undefined) return undefined;
  const whole = complete(schema, given, `${method} ${path}`);
  const wrong = validate(`${method} ${path} ${status}`, schema, whole);
  if (wrong !== undefined) throw new Error(`${method} ${path} ${status}: ${wrong}`);
  return whole;
}

function validate(name: string, schema: Schema, value: unknown): string | undefined {
  let check = validators.get(name);
  if (check === undefined) {
    const own = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"github#/')) as object;
    typeNullable(own);
    check = load().ajv.compile(own);
    validators.set(name, check);
  }
  if (check(value)) return undefined;
  return JSON.stringify(check.errors?.slice(0, 3));
}

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  if (name === undefined) return schema;
  return resolve(load().spec.components.schemas[name] ?? {});
}

function complete(open: Schema, given: unknown, where: string): unknown {
  const schema = resolve(open);
  if (given === null || typeof given !== "object") return given;
  if (Array.isArray(given)) return given.map((item, index) => complete(schema.items ?? {}, item, `${where}[${index}]`));
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) return complete(options.find((option) => knows(option, given)) ?? {}, given, where);
  const { properties = {}, required = [] } = schema.allOf === undefined ? schema : merged(schema.allOf);
  const whole: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const property = properties[key];
    if (property === undefined && Object.keys(properties).length > 0) throw new Error(`${where}: GitHub has no ${key}`);
    whole[key] = complete(property ?? {}, value, `${where}.${key}`);
  }
  for (const key of required) if (!(key in whole)) whole[key] = sample(properties[key] ?? {}, `${where}.${key}`);
  return whole;
}

function knows(option: Schema, given: object): boolean {
  const { properties = {}, oneOf, anyOf } = resolve(option);
  const options = oneOf ?? anyOf;
  if (options !== undefined) return options.some((each) => knows(each, given));
  return Object.keys(given).every((key) => key in properties);
}

function merged(parts: readonly Schema[]): Schema {
  const all = parts.map(resolve);
  return {
    properties: Object.assign({}, ...all.map(({ properties }) => properties ?? {})) as Record<string, Schema>,
    required: all.flatMap(({ required }) => required ?? []),
  };
}

/** Something that fits. */
function sample(open: Schema, where: string): unknown {
  const schema = resolve(open);
  if (schema.nullable === true) return null;
  if (schema.enum !== undefined) return schema.enum[0];
  const options = schema.oneOf ?? schema.anyOf;
  if (options?.[0] !== undefined) return sample(options[0], where);
  switch (schema.type) {
    case "string":
      return typeof schema.example === "string" ? schema.example : "";
    case "integer":
    case "number":
      return 0;
    case "boolean":
      return false;
    case "array":
      return [];
    default:
      return complete(schema, {}, where);
  }
}
