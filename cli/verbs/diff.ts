import { existsSync } from "node:fs";
import { API, type DiffAnswer } from "../../core/api/shapes.ts";
import { revisionDiff } from "../../core/explain/between.ts";
import { asIfApplied } from "../../core/guardrail/world.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Definitions, TargetId, TargetMode } from "../../core/model/kinds.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { listTargets } from "../../core/model/target.ts";
import { sourceDiff } from "../../core/reach/diff.ts";
import { manifestDiff } from "../../core/reach/manifest-diff.ts";
import { BASIS } from "../../core/text/basis.ts";
import { diffAnswer, formatDiffTable } from "../../core/text/diff.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { visible } from "../../core/ground/visible.ts";
import { ApiClient } from "../api.ts";
import { readWorld, serviceNamed } from "../connectivity.ts";
import { revisionOf } from "../commits.ts";
import { folderOf } from "../definitions.ts";
import { commitNamed, filesAt, findClone, type Clone } from "../git-clone.ts";
import { loadManifests, profileNamed } from "../manifests.ts";
import { readInventory } from "../offline-world.ts";
import { printResult, tell } from "../output.ts";
import { loadSettings } from "../settings.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak diff` takes. */
export interface DiffOptions extends OutputOptions {
  readonly live?: true;
  readonly manifests?: true;
  readonly definitions?: string;
  readonly inventory?: string;
  readonly asApplied?: true;
  readonly full?: true;
  readonly enforcer: string;
  readonly config?: string;
  readonly detailedExitcode?: true;
}

/** `firebreak diff`: exit 1 when a side cannot be read; with `--detailed-exitcode` 2 when a connection opens or closes, or may. */
export async function diff(before: string | undefined, after: string | undefined, options: DiffOptions): Promise<number> {
  const answer = await answerAsked(before, after, options);
  if (answer === undefined) return 1;
  await printResult(options.output, plain(answer), () => formatAnswer(answer, options.full === true));
  const { kind, uncertain } = answer.diff;
  return options.detailedExitcode === true && (kind !== "equivalent" || uncertain.length > 0) ? 2 : 0;
}

/** Port sets are for programs that share our code; the words say the same. */
function plain({ before, after, basis, planned = [], diff: found }: DiffAnswer): unknown {
  return { before, after, basis, planned, ...diffAnswer(found) };
}

function formatAnswer({ before, after, basis, diff: found }: DiffAnswer, isFull: boolean): string {
  return `${visible(before)} → ${visible(after)}${basis === null ? "" : `, ${BASIS[basis]}`}\n${formatDiffTable(found, isFull)}`;
}

async function answerAsked(
  before: string | undefined,
  after: string | undefined,
  options: DiffOptions,
): Promise<DiffAnswer | undefined> {
  if (options.manifests === true && (options.live === true || options.inventory !== undefined || options.definitions !== undefined))
    throw new FirebreakError("USAGE", "--manifests is another question than --live, --inventory and --definitions; ask one");
  if (options.manifests === true) return await ofManifests(named(before, "BEFORE"), named(after, "AFTER"), options);
  if (options.live === true) {
    if (before !== undefined)
      throw new FirebreakError("USAGE", "--live compares definitions with what is enforced; leave out the revisions");
    return await withLive(options);
  }
  return await ofRevisions(named(before, "BEFORE"), named(after, "AFTER"), options);
}

function named(value: string | undefined, what: string): string {
  if (value !== undefined) return value;
  throw new FirebreakError(
    "USAGE",
    `${what} is missing: firebreak diff BEFORE AFTER (two revisions), --live, or --manifests BEFORE AFTER (two folders)`,
  );
}

async function ofManifests(before: string, after: string, { enforcer }: DiffOptions): Promise<DiffAnswer | undefined> {
  const profile = profileNamed(enforcer);
  const [first, second] = [await loadManifests(before), await loadManifests(after)];
  if (first === undefined || second === undefined) return undefined;
  return { before, after, basis: null, diff: manifestDiff(first, second, profile) };
}

/** What definitions mean, and what is enforced. */
async function withLive(options: DiffOptions): Promise<DiffAnswer> {
  if (options.inventory === undefined) return await askService(options, { live: "true" });
  const { enforceable, approved, live } = await readWorld(options.definitions, options);
  if (live === undefined) throw new FirebreakError("USAGE", "this inventory holds nothing of what is enforced");
  return { before: "definitions", after: "live", basis: "inventory", diff: sourceDiff(enforceable ?? approved, live) };
}

async function ofRevisions(before: string, after: string, options: DiffOptions): Promise<DiffAnswer> {
  const folder = options.definitions ?? (await defaultFolder(options.config));
  const clone = await findClone(folder);
  if (clone === undefined) {
    if (serviceNamed(options.config) !== undefined) return await betweenOfService(before, after, options);
    throw new FirebreakError("USAGE", `${folder} is in no clone of a repository, and no settings name a service to ask (--config)`);
  }
  const sides = [await sideAt(clone, before), await sideAt(clone, after)] as const;
  const [first, second] = sides;
  if (sides.every(({ files }) => files === 0)) {
    throw new FirebreakError(
      "NOT_FOUND",
      `neither ${before} nor ${after} has definitions in ${clone.path || "this clone"}; --definitions names their folder`,
    );
  }
  for (const { name, files } of sides)
    if (files === 0) tell(`${name} has no definitions in ${clone.path || "this clone"}: all is open there`);
  const inventories = options.inventory === undefined ? undefined : await inventoriesOf(options.inventory);
  const as = (definitions: Definitions): Definitions =>
    options.asApplied === true ? asIfApplied(definitions).definitions : definitions;
  const found = revisionDiff(as(first.definitions), as(second.definitions), inventories, Date.now());
  const planned = plannedIn(first.definitions, second.definitions);
  const notes = [...found.notes, ...modeNotes(first.definitions, second.definitions)];
  if (inventories === undefined)
    return { before, after, basis: "definitions", diff: { ...found, notes: [...notes, ...countedNotes(planned)] } };
  const counted = options.asApplied === true ? [] : planned;
  return { before, after, basis: "inventory", planned: counted, diff: { ...found, notes: [...notes, ...plannedNotes(counted)] } };
}

/** Targets in `mode: plan` on both sides: whatever changes in rules, nothing opens or closes there. */
function plannedIn(...sides: readonly [Definitions, Definitions]): readonly TargetId[] {
  const [before, after] = sides.map((definitions) =>
    listTargets(definitions).flatMap(({ id, mode }) => (mode === "plan" ? [id] : [])),
  ) as [TargetId[], TargetId[]];
  return after.filter((id) => before.includes(id)).sort();
}

/** Targets that are named before the rest is counted. */
const NAMED = 5;

function someOf(targets: readonly TargetId[]): string {
  return `${targets.slice(0, NAMED).join(", ")}${targets.length > NAMED ? ` and ${targets.length - NAMED} more` : ""}`;
}

/** Targets that the second side begins to write, or writes no more. */
function modeNotes(before: Definitions, after: Definitions): readonly string[] {
  const was = new Map(listTargets(before).map(({ id, mode }) => [id, mode]));
  const turned = (from: TargetMode, to: TargetMode): readonly TargetId[] =>
    listTargets(after).flatMap(({ id, mode }) => (mode === to && was.get(id) === from ? [id] : []));
  const [begun, ended] = [turned("plan", "apply"), turned("apply", "plan")];
  return [
    ...(begun.length === 0 ? [] : [`${someOf(begun)}: written from now on; before, mode: plan, nothing was enforced there`]),
    ...(ended.length === 0
      ? []
      : [`${someOf(ended)}: written no more (mode: plan); what is enforced there stays, whatever is said of it here`]),
  ];
}

function countedNotes(planned: readonly TargetId[]): readonly string[] {
  if (planned.length === 0) return [];
  return [`${someOf(planned)}: mode: plan, counted here as if it were applied; nothing is written there until it is`];
}

function plannedNotes(planned: readonly TargetId[]): readonly string[] {
  if (planned.length === 0) return [];
  return [`nothing is written to ${someOf(planned)} (mode: plan), so nothing opens or closes there; --as-applied asks what would`];
}

/** One revision as the clone has it. */
interface Side {
  readonly name: string;
  readonly files: number;
  readonly definitions: Definitions;
}

async function defaultFolder(config: string | undefined): Promise<string> {
  const file = config ?? DEFAULT_SETTINGS_FILE;
  const path = existsSync(file) ? folderOf(await loadSettings(file)) : undefined;
  return path ?? "policies";
}

async function sideAt(clone: Clone, name: string): Promise<Side> {
  const files = await filesAt(clone, await commitNamed(clone, name));
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions !== undefined) return { name, files: files.length, definitions };
  const errors = notes.filter(({ severity }) => severity === "error");
  throw new FirebreakError("DEFINITION_INVALID", `the definitions of ${name} hold errors:\n${formatNotes(errors)}`);
}

async function inventoriesOf(file: string): Promise<ReadonlyMap<TargetId, ClusterInventory>> {
  const { clusters } = await readInventory(file);
  return new Map(Object.entries(clusters).map(([target, { inventory }]) => [target, inventory]));
}

/** Numbers of revisions, and commits, also short ones of which the service speaks. */
async function betweenOfService(before: string, after: string, options: DiffOptions): Promise<DiffAnswer> {
  const api = await ApiClient.connect(options.config ?? DEFAULT_SETTINGS_FILE);
  const sides = [await revisionOf(api, before), await revisionOf(api, after)] as const;
  return await api.get<DiffAnswer>(API.diff, { before: sides[0], after: sides[1] });
}

async function askService({ config }: DiffOptions, query: Readonly<Record<string, string>>): Promise<DiffAnswer> {
  const api = await ApiClient.connect(config ?? DEFAULT_SETTINGS_FILE);
  return await api.get<DiffAnswer>(API.diff, query);
}
