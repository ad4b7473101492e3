import { existsSync } from "node:fs";
import { API, type DiffAnswer } from "../../core/api/shapes.ts";
import { revisionDiff } from "../../core/explain/between.ts";
import { FirebreakError } from "../../core/model/error.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { sourceDiff } from "../../core/reach/diff.ts";
import { manifestDiff } from "../../core/reach/manifest-diff.ts";
import { formatDiffTable } from "../../core/text/diff.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { ApiClient } from "../api.ts";
import { readWorld } from "../connectivity.ts";
import { commitNamed, filesAt, findClone, type Clone } from "../git-clone.ts";
import { loadManifests, profileNamed } from "../manifests.ts";
import { readInventory } from "../offline-world.ts";
import { printResult } from "../output.ts";
import { loadSettings } from "../settings.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak diff` takes. */
export interface DiffOptions extends OutputOptions {
  readonly live?: true;
  readonly manifests?: true;
  readonly definitions?: string;
  readonly inventory?: string;
  readonly enforcer: string;
  readonly config?: string;
  readonly detailedExitcode?: true;
}

/** `firebreak diff`: exit 1 when a side cannot be read; with `--detailed-exitcode` 2 when a connection opens or closes, or may. */
export async function diff(before: string | undefined, after: string | undefined, options: DiffOptions): Promise<number> {
  const answer = await answerAsked(before, after, options);
  if (answer === undefined) return 1;
  await printResult(options.output, plain(answer), () => `${answer.before} → ${answer.after}\n${formatDiffTable(answer.diff)}`);
  const { kind, uncertain } = answer.diff;
  return options.detailedExitcode === true && (kind !== "equivalent" || uncertain.length > 0) ? 2 : 0;
}

/** Port sets are for programs that share our code; the words say the same. */
function plain({ before, after, diff: found }: DiffAnswer): unknown {
  const lines = (list: DiffAnswer["diff"]["opened"]) => list.map(({ portSet: _, ...line }) => line);
  return { before, after, ...found, opened: lines(found.opened), closed: lines(found.closed) };
}

async function answerAsked(
  before: string | undefined,
  after: string | undefined,
  options: DiffOptions,
): Promise<DiffAnswer | undefined> {
  if (options.manifests === true) return await ofManifests(named(before, "DIR1"), named(after, "DIR2"), options);
  if (options.live === true) {
    if (before !== undefined)
      throw new FirebreakError("USAGE", "--live compares definitions with what is enforced; leave out the revisions");
    return await withLive(options);
  }
  return await ofRevisions(named(before, "REV1"), named(after, "REV2"), options);
}

function named(value: string | undefined, what: string): string {
  if (value !== undefined) return value;
  throw new FirebreakError("USAGE", `${what} is missing: firebreak diff REV1 REV2, --live, or --manifests DIR1 DIR2`);
}

async function ofManifests(before: string, after: string, { enforcer }: DiffOptions): Promise<DiffAnswer | undefined> {
  const profile = profileNamed(enforcer);
  const [first, second] = [await loadManifests(before), await loadManifests(after)];
  if (first === undefined || second === undefined) return undefined;
  return { before, after, diff: manifestDiff(first, second, profile) };
}

/** What definitions mean, and what is enforced. */
async function withLive(options: DiffOptions): Promise<DiffAnswer> {
  if (options.inventory === undefined) return await askService(options, { live: "true" });
  const { enforceable, approved, live } = await readWorld(options.definitions, options);
  if (live === undefined) throw new FirebreakError("USAGE", "this inventory holds nothing of what is enforced");
  return { before: "definitions", after: "live", diff: sourceDiff(enforceable ?? approved, live) };
}

async function ofRevisions(before: string, after: string, options: DiffOptions): Promise<DiffAnswer> {
  const folder = options.definitions ?? (await defaultFolder(options.config));
  const clone = await findClone(folder);
  if (clone === undefined) return await askService(options, { before, after });
  const sides = [await definitionsOf(clone, before), await definitionsOf(clone, after)] as const;
  const inventories = options.inventory === undefined ? undefined : await inventoriesOf(options.inventory);
  const [first, second] = sides;
  return { before, after, diff: revisionDiff(first, second, inventories, Date.now()) };
}

async function defaultFolder(config: string | undefined): Promise<string> {
  const file = config ?? DEFAULT_SETTINGS_FILE;
  const path = existsSync(file) ? (await loadSettings(file)).repository.path : undefined;
  return path ?? "policies";
}

async function definitionsOf(clone: Clone, name: string): Promise<Definitions> {
  const files = await filesAt(clone, await commitNamed(clone, name));
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions !== undefined) return definitions;
  const errors = notes.filter(({ severity }) => severity === "error");
  throw new FirebreakError("DEFINITION_INVALID", `the definitions of ${name} hold errors:\n${formatNotes(errors)}`);
}

async function inventoriesOf(file: string): Promise<ReadonlyMap<TargetId, ClusterInventory>> {
  const { clusters } = await readInventory(file);
  return new Map(Object.entries(clusters).map(([target, { inventory }]) => [target, inventory]));
}

async function askService({ config }: DiffOptions, query: Readonly<Record<string, string>>): Promise<DiffAnswer> {
  const api = await ApiClient.connect(config ?? DEFAULT_SETTINGS_FILE);
  return await api.get<DiffAnswer>(API.diff, query);
}
