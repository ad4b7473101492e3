import { parse as parseYaml } from "yaml";
import type { ZodError } from "zod";
import { FirebreakError } from "../ground/error.ts";
import { suggest } from "../model/parse/suggest.ts";
import { SettingsSchema, type SettingsFile } from "./settings-schema.ts";

/** Environment variables that override the file; each names the setting it replaces. */
export const ENVIRONMENT = {
  FIREBREAK_STATE_FOLDER: "stateFolder",
  FIREBREAK_LISTEN: "listen",
  FIREBREAK_LOG_LEVEL: "logLevel",
  FIREBREAK_REPOSITORY_URL: "repository.url",
  FIREBREAK_REPOSITORY_BRANCH: "repository.branch",
  FIREBREAK_DATABASE: "database",
  FIREBREAK_REDIS: "redis",
} as const;

/**
 * Parses firebreak.yaml and lays the environment over it.
 *
 * Pure: the caller reads the file, and later the secrets that the settings refer to. An unknown key, in the file or among
 * variables that begin with FIREBREAK_ (but for FIREBREAK_SECRET_…, free for references), fails the start and names the nearest known one.
 *
 * @param text contents of the file; may be empty when the environment says enough
 * @param file its name, for messages
 * @throws FirebreakError CONFIG_INVALID listing every problem
 */
export function parseSettings(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
  file: string = "firebreak.yaml",
): SettingsFile {
  const raw = parseFile(text, file);
  for (const [name, path] of Object.entries(ENVIRONMENT)) {
    const value = environment[name];
    if (value !== undefined && value !== "") setPath(raw, path.split("."), value);
  }
  const parsed = SettingsSchema.safeParse(raw);
  const problems = [...unknownVariables(environment), ...(parsed.success ? [] : describeIssues(parsed.error))];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new FirebreakError("CONFIG_INVALID", `${file}:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
}

/** Variables that begin with FIREBREAK_ and are not settings of the service: of the set-up, and of verbs that ask a service elsewhere. */
const OTHER_VARIABLES = ["FIREBREAK_CACHE", "FIREBREAK_NO_APT", "FIREBREAK_SERVICE_URL", "FIREBREAK_SERVICE_TOKEN"];

function unknownVariables(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = [...Object.keys(ENVIRONMENT), ...OTHER_VARIABLES];
  return Object.keys(environment)
    .filter((name) => name.startsWith("FIREBREAK_") && !known.includes(name) && !name.startsWith("FIREBREAK_SECRET_"))
    .map((name) => `unknown environment variable ${name}${suggestion(name, known)}`);
}

function parseFile(text: string, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 0, logLevel: "error" });
  } catch (error) {
    // The first line says what and where; the rest quotes the file, where somebody may have put a secret by mistake.
    const cause = new Error(String((error as Error).message).split("\n")[0]);
    throw new FirebreakError("CONFIG_INVALID", `${file} is not valid YAML`, { cause });
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new FirebreakError(
      "CONFIG_INVALID",
      "firebreak.yaml must hold settings as `name: value`; see docs/reference/settings.md",
    );
  }
  return value as Record<string, unknown>;
}

/** Where the file has something else than a section, it stays: the schema tells what is wrong with it. */
function setPath(root: Record<string, unknown>, path: readonly string[], value: string): void {
  let node = root;
  for (const key of path.slice(0, -1)) {
    const next = (node[key] ??= {});
    if (typeof next !== "object" || Array.isArray(next)) return;
    node = next as Record<string, unknown>; // the cast: an object that is no array, from YAML
  }
  node[path.at(-1) ?? ""] = value;
}

function describeIssues(error: ZodError): readonly string[] {
  return error.issues.flatMap((issue) => {
    const where = issue.path.length === 0 ? "top level" : issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      const known = knownKeys(issue.path.map(String));
      return issue.keys.map((key) => `${where}: unknown setting "${key}"${suggestion(key, known)}`);
    }
    const isMissing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
    return [`${where}: ${isMissing ? "is missing" : issue.message}`];
  });
}

/** Keys that the schema knows at a path. */
function knownKeys(path: readonly string[]): readonly string[] {
  let node: unknown = SettingsSchema;
  for (const key of path) node = shapeOf(node)?.[key] ?? unwrap(node)?.def?.valueType;
  return Object.keys(shapeOf(node) ?? {});
}

/** The part of a zod schema that is looked at: an object has a shape, a record a type of its values, others an inner type. */
interface SchemaNode {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly def?: { readonly innerType?: unknown; readonly valueType?: unknown };
}

function shapeOf(node: unknown): Readonly<Record<string, unknown>> | undefined {
  return unwrap(node)?.shape;
}

/** Without defaults and options around it. */
function unwrap(node: unknown): SchemaNode | undefined {
  let current = node as SchemaNode | undefined;
  while (current?.def?.innerType !== undefined) current = current.def.innerType as SchemaNode;
  return current;
}

function suggestion(key: string, known: readonly string[]): string {
  const nearest = suggest(key, known);
  return nearest === undefined ? `; known here: ${known.join(", ")}` : `; did you mean "${nearest}"?`;
}
