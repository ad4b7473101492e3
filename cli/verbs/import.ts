import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { importManifests, type Imported } from "../../core/import/import.ts";
import { labelName } from "../../core/import/names.ts";
import { surroundingsOf } from "../../core/import/surroundings.ts";
import { authorOf, pathsOf, type ImportedFile } from "../../core/import/write.ts";
import type { ReadManifests } from "../../core/manifest/read.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Note } from "../../core/model/note.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import type { SourceFile } from "../../core/model/source.ts";
import { diffAnswer, formatDiffTable } from "../../core/text/diff.ts";
import { visible } from "../../core/ground/visible.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { profileNamed, readManifestFiles, readManifestsIn } from "../manifests.ts";
import { printResult } from "../output.ts";
import { readDefinitionFolder } from "../source.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak import` takes. */
export interface ImportVerbOptions extends OutputOptions {
  readonly manifests?: string;
  readonly kubeconfig?: string;
  readonly cluster: string;
  readonly context?: string;
  readonly to: string;
  readonly isolate: "observe" | "enforce";
  readonly owner?: string;
  readonly enforcer: string;
  readonly force?: true;
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
}

/** `firebreak import`: exit 1 when the manifests hold errors; with `--detailed-exitcode` 2 when the definitions do not say it all. */
export async function importVerb(options: ImportVerbOptions): Promise<number> {
  const profile = profileNamed(options.enforcer);
  const { cluster, context = cluster, isolate, owner } = options;
  if (!isName(cluster))
    throw new FirebreakError(
      "USAGE",
      `--cluster ${cluster}: a name has lower-case letters, digits and "-", at most 63; write the kubeconfig's own word as --context, such as --cluster ${labelName(cluster) || "prod-eu"} --context ${cluster}`,
    );
  const read =
    options.manifests === undefined ? await readLive(context, options.kubeconfig) : await readManifestsIn(options.manifests);
  if (read.manifests === undefined) return 1;
  const { manifests } = read;
  const others = await readOthers(options);
  const { taken, cluster: defined } = surroundingsOf(others, cluster);
  if (defined !== undefined && defined.labels["cluster"] !== cluster)
    throw new FirebreakError(
      "USAGE",
      `${defined.path} has the Cluster ${cluster} already, without the label by which imported segments choose it: add \`labels: {cluster: ${cluster}}\` to its metadata`,
    );
  const isDefined = defined !== undefined;
  const made = importManifests(manifests, { cluster, context, isolate, owner, profile, taken, isDefined, now: Date.now() });
  const imported = { ...made, leftOut: [...made.leftOut, ...unread(read.notes)] };
  const drafts = await refuseOthersFiles(imported.files, options);
  refuseWhatDoesNotRead(imported.files, others, options);
  const written = await writeDrafts(drafts, options);
  const { files, counts, leftOut } = imported;
  const answer = {
    files,
    written,
    counts,
    leftOut,
    differs: diffAnswer(imported.differs),
    withEssentials: diffAnswer(imported.withEssentials),
  };
  await printResult(options.output, answer, () => formatImport(imported, written, options));
  const isWhole =
    imported.differs.kind === "equivalent" && imported.differs.uncertain.length === 0 && imported.leftOut.length === 0;
  return options.detailedExitcode === true && !isWhole ? 2 : 0;
}

async function readLive(context: string, file: string | undefined): Promise<ReadManifests> {
  const { readClusterManifests } = await import("../live-manifests.ts");
  return readManifestFiles(await readClusterManifests(context, file), `context ${context}`);
}

/** Files of the folder that this import does not replace: they name things, and the whole must read. */
async function readOthers({ to, cluster }: ImportVerbOptions): Promise<readonly SourceFile[]> {
  if (!existsSync(to)) return [];
  const own = new Set(pathsOf(cluster).map((path) => resolve(to, path)));
  const isOwn = ({ path, bytes }: SourceFile): boolean =>
    own.has(resolve(path)) && authorOf(new TextDecoder().decode(bytes)) !== "other";
  return (await readDefinitionFolder(to)).filter((file) => !isOwn(file));
}

/** What a repository with the import would not read is not written: its next commit would be refused. */
function refuseWhatDoesNotRead(
  files: readonly ImportedFile[],
  others: readonly SourceFile[],
  { to, owner }: ImportVerbOptions,
): void {
  const added = files.map(({ path, text }) => ({ path: join(to, path), bytes: new TextEncoder().encode(text) }));
  const errors = parseDefinitions([...others, ...added], { allow: undefined }).notes.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const wantsOwner =
    owner === undefined && errors.some(({ code, summary }) => code === "required-field" && summary.includes("owner"));
  throw new FirebreakError(
    "DEFINITION_INVALID",
    `with the import, ${to} would hold errors, so nothing is written${wantsOwner ? "; --owner TEAM names who owns the policies whose NetworkPolicy names nobody" : ""}:\n${formatNotes(errors.slice(0, 20))}`,
  );
}

/** An RFC 1123 label, as names of definitions are. */
function isName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
}

/** Policies of other kinds, and what makes pods that are not known: the comparison knows nothing of them either. */
function unread(notes: readonly Note[]): readonly string[] {
  const codes = ["ignored-policy", "ignored-workload", "ignored-template"];
  return notes.filter(({ code }) => codes.includes(code)).map(({ summary, detail = "" }) => `${summary}. ${detail}.`);
}

interface Written {
  readonly path: string;
  readonly how: "new" | "changed" | "the same" | "replaced, with what was edited in it";
}

/** A file as it is to be, and as it is. */
interface Draft {
  readonly path: string;
  readonly text: string;
  readonly before: string | undefined;
  readonly author: "import" | "edited" | "other";
}

/** A file that an import did not write is never replaced, and one that was edited since only with --force; then none is written. */
async function refuseOthersFiles(files: readonly ImportedFile[], { to, force }: ImportVerbOptions): Promise<readonly Draft[]> {
  const drafts = await Promise.all(
    files.map(async ({ path, text }): Promise<Draft> => {
      const before = await textOf(join(to, path));
      const author = before === undefined || before === text ? "import" : authorOf(before);
      return { path: join(to, path), text, before, author };
    }),
  );
  refuse(drafts, "other", "not written by an import, so it is not replaced; give another folder with --to");
  if (force !== true)
    refuse(
      drafts,
      "edited",
      "edited since an import wrote it, so it is not replaced; rename it, or replace it with what was edited by --force",
    );
  return drafts;
}

async function writeDrafts(drafts: readonly Draft[], { dryRun }: ImportVerbOptions): Promise<readonly Written[]> {
  return await Promise.all(
    drafts.map(async ({ path, text, before, author }): Promise<Written> => {
      if (before === text) return { path, how: "the same" };
      if (dryRun !== true) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      if (author === "edited") return { path, how: "replaced, with what was edited in it" };
      return { path, how: before === undefined ? "new" : "changed" };
    }),
  );
}

function refuse(drafts: readonly Draft[], author: Draft["author"], why: string): void {
  const names = drafts.filter((draft) => draft.author === author).map(({ path }) => path);
  if (names.length > 0) throw new FirebreakError("USAGE", `${names.join(", ")}: ${why}`);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function formatImport(
  imported: Imported,
  written: readonly Written[],
  { dryRun, to, cluster, isolate }: ImportVerbOptions,
): string {
  const { counts, differs, withEssentials, leftOut } = imported;
  const isSame = differs.kind === "equivalent" && differs.uncertain.length === 0;
  const lines = [
    `${counted(counts.read, "NetworkPolicy", "NetworkPolicies")} → ${counted(counts.segments, "segment")}, ${counted(counts.policies, "policy", "policies")}, ${counted(counts.rules, "rule")}`,
    ...written.map(({ path, how }) => `  ${dryRun === true && how !== "the same" ? `would be ${how}` : how}: ${visible(path)}`),
    "",
    isSame
      ? "Compiled back and compared: enforced, they let through the same connections as the policies that were read."
      : `Compiled back and compared; enforced, they ${differs.kind === "equivalent" ? "may" : "would"} differ:\n${formatDiffTable(differs)}`,
  ];
  if (withEssentials.openedCount > differs.openedCount)
    lines.push("", `Firebreak itself keeps open (Workspace, essentials):\n${formatDiffTable({ ...withEssentials, closed: [] })}`);
  if (leftOut.length > 0) lines.push("", "Not imported:", ...leftOut.map((text) => `  ${visible(text)}`));
  lines.push(
    "",
    `Nothing is enforced by this: cluster ${visible(cluster)} is in mode: plan${isolate === "observe" ? ", and its segments observe" : ""}. Next: firebreak validate ${visible(to)}`,
  );
  return lines.join("\n");
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
