import { parse as parseYaml } from "yaml";
import type { ZodError } from "zod";
import { FirebreakError } from "../model/error.ts";
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
 * @throws FirebreakError CONFIG_INVALID listing every problem
 */
export function parseSettings(text: string, environment: Readonly<Record<string, string | undefined>>): SettingsFile {
  refuseUnknownVariables(environment);
  const raw = parseFile(text);
  for (const [name, path] of Object.entries(ENVIRONMENT)) {
    const value = environment[name];
    if (value !== undefined && value !== "") setPath(raw, path.split("."), value);
  }
  const parsed = SettingsSchema.safeParse(raw);
  if (!parsed.success) throw new FirebreakError("CONFIG_INVALID", `firebreak.yaml:\n${describeIssues(parsed.error)}`);
  return parsed.data;
}

/** Variables that begin with FIREBREAK_ and are not settings of the service. */
const OTHER_VARIABLES = ["FIREBREAK_CACHE", "FIREBREAK_NO_APT"];

function refuseUnknownVariables(environment: Readonly<Record<string, string | undefined>>): void {
  const known = [...Object.keys(ENVIRONMENT), ...OTHER_VARIABLES];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("FIREBREAK_") || known.includes(name) || name.startsWith("FIREBREAK_SECRET_")) continue;
    throw new FirebreakError("CONFIG_INVALID", `unknown environment variable ${name}${suggestion(name, known)}`);
  }
}

function parseFile(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw new FirebreakError("CONFIG_INVALID", "firebreak.yaml is not valid YAML", { cause });
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

function setPath(root: Record<string, unknown>, path: readonly string[], value: string): void {
  let node = root;
  for (const key of path.slice(0, -1)) {
    const next = node[key];
    if (typeof next === "object" && next !== null && !Array.isArray(next)) node = next as Record<string, unknown>;
    else {
      const made: Record<string, unknown> = {};
      node[key] = made;
      node = made;
    }
  }
  node[path.at(-1) ?? ""] = value;
}

function describeIssues(error: ZodError): string {
  const lines: string[] = [];
  for (const issue of error.issues) {
    const where = issue.path.length === 0 ? "top level" : issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      const known = knownKeys(issue.path.map(String));
      for (const key of issue.keys) lines.push(`  ${where}: unknown setting "${key}"${suggestion(key, known)}`);
    } else {
      lines.push(`  ${where}: ${issue.message}`);
    }
  }
  return lines.join("\n");
}

/** Keys that the schema knows at a path. */
function knownKeys(path: readonly string[]): readonly string[] {
  let node: unknown = SettingsSchema;
  for (const key of path) node = shapeOf(node)?.[key];
  return Object.keys(shapeOf(node) ?? {});
}

function shapeOf(node: unknown): Record<string, unknown> | undefined {
  let current = node as { shape?: Record<string, unknown>; def?: { innerType?: unknown } } | undefined;
  while (current !== undefined && current.shape === undefined) current = current.def?.innerType as typeof current;
  return current?.shape;
}

function suggestion(key: string, known: readonly string[]): string {
  const nearest = suggest(key, known);
  return nearest === undefined ? `; known here: ${known.join(", ")}` : `; did you mean "${nearest}"?`;
}
