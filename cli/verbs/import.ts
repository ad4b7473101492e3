import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { importManifests, type Imported } from "../../core/import/import.ts";
import { labelName } from "../../core/import/names.ts";
import { MARK, type ImportedFile } from "../../core/import/write.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Note } from "../../core/model/note.ts";
import { diffAnswer, formatDiffTable } from "../../core/text/diff.ts";
import { visible } from "../../core/ground/visible.ts";
import { profileNamed, readManifestsIn } from "../manifests.ts";
import { printResult } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak import` takes. */
export interface ImportVerbOptions extends OutputOptions {
  readonly manifests: string;
  readonly cluster: string;
  readonly context?: string;
  readonly to: string;
  readonly isolate: "observe" | "enforce";
  readonly enforcer: string;
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
}

/** `firebreak import`: exit 1 when the manifests hold errors; with `--detailed-exitcode` 2 when the definitions do not say it all. */
export async function importVerb(options: ImportVerbOptions): Promise<number> {
  const profile = profileNamed(options.enforcer);
  const { cluster, context = cluster, isolate } = options;
  if (!isName(cluster))
    throw new FirebreakError(
      "USAGE",
      `--cluster ${cluster}: a name has lower-case letters, digits and "-", at most 63; write the kubeconfig's own word as --context, such as --cluster ${labelName(cluster) || "prod-eu"} --context ${cluster}`,
    );
  const read = await readManifestsIn(options.manifests);
  if (read.manifests === undefined) return 1;
  const { manifests } = read;
  const made = importManifests(manifests, { cluster, context, isolate, profile, now: Date.now() });
  const imported = { ...made, leftOut: [...made.leftOut, ...unread(read.notes)] };
  const written = await settleFiles(imported.files, options);
  const { files, counts, leftOut } = imported;
  const answer = {
    files,
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
  readonly how: "new" | "changed" | "the same";
}

/** Writes what is new or changed; a file that an import did not write is never replaced, and then none is written. */
async function settleFiles(files: readonly ImportedFile[], { to, dryRun }: ImportVerbOptions): Promise<readonly Written[]> {
  const found = await Promise.all(
    files.map(async ({ path, text }) => ({ path: join(to, path), text, before: await textOf(join(to, path)) })),
  );
  const others = found.filter(({ before }) => before !== undefined && !before.startsWith(MARK));
  if (others.length > 0) {
    const names = others.map(({ path }) => path).join(", ");
    throw new FirebreakError(
      "CONFLICT",
      `${names}: not written by an import, so it is not replaced; give another folder with --to`,
    );
  }
  return await Promise.all(
    found.map(async ({ path, text, before }): Promise<Written> => {
      if (before === text) return { path, how: "the same" };
      if (dryRun !== true) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      return { path, how: before === undefined ? "new" : "changed" };
    }),
  );
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
