import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

/** One step; what is copied has no `uses`. */
export interface Step {
  readonly name: string;
  readonly if?: string;
  readonly uses?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
}

export interface Job {
  readonly if?: string;
  readonly "runs-on": string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

export interface Workflow {
  readonly on: string | Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly defaults: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** What users copy. */
export const WORKFLOWS_FOLDER = resolve(import.meta.dirname, "../../workflows");

const FOLDER = join(WORKFLOWS_FOLDER, "github");

/** Paths of all workflows. */
export const WORKFLOW_FILES: readonly string[] = readdirSync(FOLDER).map((name) => join(FOLDER, name));

/** A workflow by its file's name without ending. */
export function readWorkflow(name: string): Workflow {
  return parse(readFileSync(join(FOLDER, `${name}.yml`), "utf8")) as Workflow; // the cast: actionlint holds them to their shape
}

/** All of them, by name. */
export function readWorkflows(): ReadonlyMap<string, Workflow> {
  const names = WORKFLOW_FILES.map((path) => path.slice(FOLDER.length + 1).replace(/\.yml$/, ""));
  return new Map(names.map((name) => [name, readWorkflow(name)]));
}
