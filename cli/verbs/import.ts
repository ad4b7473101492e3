import { importManifests, type Imported } from "../../core/import/import.ts";
import { labelName } from "../../core/import/names.ts";
import { surroundingsOf } from "../../core/import/surroundings.ts";
import type { ReadManifests } from "../../core/manifest/read.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Note } from "../../core/model/note.ts";
import { diffAnswer, formatDiffTable } from "../../core/text/diff.ts";
import { visible } from "../../core/ground/visible.ts";
import { counted, isName, readOthers, writeImported, writtenLines, type WriteFilesOptions, type Written } from "../import-files.ts";
import { pullLine, pullRequestOf } from "../import-pull.ts";
import { profileNamed, readManifestFiles, readManifestsIn } from "../manifests.ts";
import { printResult } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak import` takes. */
export interface ImportVerbOptions extends OutputOptions, WriteFilesOptions {
  readonly manifests?: string;
  readonly kubeconfig?: string;
  readonly cluster: string;
  readonly context?: string;
  readonly isolate: "observe" | "enforce";
  readonly enforcer: string;
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
  const others = await readOthers(options.to, cluster);
  const { taken, cluster: defined } = surroundingsOf(others, cluster);
  if (defined !== undefined && defined.labels["cluster"] !== cluster)
    throw new FirebreakError(
      "USAGE",
      `${defined.path} has the Cluster ${cluster} already, without the label by which imported segments choose it: add \`labels: {cluster: ${cluster}}\` to its metadata`,
    );
  const isDefined = defined !== undefined;
  const made = importManifests(manifests, { cluster, context, isolate, owner, profile, taken, isDefined, now: Date.now() });
  const imported = { ...made, leftOut: [...made.leftOut, ...unread(read.notes)] };
  const written = await writeImported(imported.files, others, options);
  const { files, counts, leftOut } = imported;
  const said = formatImport(imported, written, options);
  const pull = await pullRequestOf(
    { files, folder: cluster, title: `Import the NetworkPolicies of cluster ${cluster}`, said },
    options,
  );
  const answer = {
    pull,
    files,
    written,
    counts,
    leftOut,
    differs: diffAnswer(imported.differs),
    withEssentials: diffAnswer(imported.withEssentials),
  };
  await printResult(options.output, answer, () => [said, ...pullLine(pull)].join("\n"));
  const isWhole =
    imported.differs.kind === "equivalent" && imported.differs.uncertain.length === 0 && imported.leftOut.length === 0;
  return options.detailedExitcode === true && !isWhole ? 2 : 0;
}

async function readLive(context: string, file: string | undefined): Promise<ReadManifests> {
  const { readClusterManifests } = await import("../live-manifests.ts");
  return readManifestFiles(await readClusterManifests(context, file), `context ${context}`);
}

/** Policies of other kinds, and what makes pods that are not known: the comparison knows nothing of them either. */
function unread(notes: readonly Note[]): readonly string[] {
  const codes = ["ignored-policy", "ignored-workload", "ignored-template"];
  return notes.filter(({ code }) => codes.includes(code)).map(({ summary, detail = "" }) => `${summary}. ${detail}.`);
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
    ...writtenLines(written, dryRun),
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
