import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { FirebreakError } from "../../core/ground/error.ts";
import { visible } from "../../core/ground/visible.ts";
import { isIptablesSave, MOST_LINES, readIptablesSave } from "../../core/import/iptables.ts";
import { importHosts, type HostListing, type ImportedHosts } from "../../core/import/hosts.ts";
import { surroundingsOf } from "../../core/import/surroundings.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { formatHostEffect } from "../../core/verdict/nft.ts";
import { counted, readOthers, writeImported, writtenLines, type WriteFilesOptions, type Written } from "../import-files.ts";
import { pullLine, pullRequestOf } from "../import-pull.ts";
import { printResult } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak import hosts` takes. */
export interface ImportHostsOptions extends OutputOptions, WriteFilesOptions {
  readonly isolate: "observe" | "enforce";
  readonly detailedExitcode?: true;
}

/** `firebreak import hosts FLEET PATH…`: with `--detailed-exitcode` 2 when the definitions do not say it all. */
export async function importHostsVerb(name: string, paths: readonly string[], options: ImportHostsOptions): Promise<number> {
  const { to, isolate, owner } = options;
  const others = await readOthers(to, name);
  const { definitions, notes } = parseDefinitions(others, { allow: undefined });
  if (definitions === undefined)
    throw new FirebreakError(
      "DEFINITION_INVALID",
      `${to} holds errors already, so nothing is written:\n${formatNotes(notes.slice(0, 20))}`,
    );
  const fleet = definitions.fleets.get(name);
  if (fleet === undefined)
    throw new FirebreakError(
      "NOT_FOUND",
      `${to} has no HostFleet ${name}: define its hosts first, or have \`firebreak import ansible ${name} FILE\` do it`,
    );
  const { taken } = surroundingsOf(others, "");
  const listings = await readListings(paths);
  const imported = importHosts(listings, { fleet, definitions, taken, isolate, owner, folder: name });
  const written = await writeImported(imported.files, others, options);
  const { files, counts, differs, leftOut } = imported;
  const said = formatImported(imported, written, options);
  const pull = await pullRequestOf({ files, folder: name, title: `Import the firewalls of fleet ${name}`, said }, options);
  await printResult(options.output, { pull, files, written, counts, differs, leftOut }, () => [said, ...pullLine(pull)].join("\n"));
  return options.detailedExitcode === true && differs.length + leftOut.length > 0 ? 2 : 0;
}

const ENDINGS = /\.(json|nft|iptables|rules|txt)$/;

async function readListings(paths: readonly string[]): Promise<readonly HostListing[]> {
  const files = (await Promise.all(paths.map(filesIn))).flat().toSorted();
  if (files.length === 0)
    throw new FirebreakError("NOT_FOUND", `${paths.join(", ")}: no file named after a host, such as db-1.json`);
  const read = await Promise.all(files.map(readOne));
  const twice = [...Map.groupBy(read, ({ host }) => host)].find(([, alike]) => alike.length > 1);
  if (twice !== undefined) throw new FirebreakError("USAGE", `two files are named after host ${twice[0]}`);
  return read;
}

async function filesIn(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    return (await readdir(path)).filter((file) => ENDINGS.test(file)).map((file) => join(path, file));
  } catch (cause) {
    throw new FirebreakError("NOT_FOUND", `read ${path}`, { cause });
  }
}

async function readOne(path: string): Promise<HostListing> {
  const host = basename(path).replace(ENDINGS, "");
  const text = await readFile(path, "utf8");
  if (isIptablesSave(text)) {
    if (text.split("\n").length > MOST_LINES) throw new FirebreakError("USAGE", `${path}: more than ${MOST_LINES} lines`);
    return { host, ...readIptablesSave(text) };
  }
  const listing = jsonOf(text);
  if (listing === undefined)
    throw new FirebreakError(
      "USAGE",
      `${path} is neither what \`nft -j list ruleset\` prints nor what iptables-save does; ufw and firewalld are read that way, too`,
    );
  return { host, listing, leftOut: [] };
}

function jsonOf(text: string): unknown {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null && "nftables" in read ? read : undefined;
  } catch {
    return undefined;
  }
}

function formatImported(
  { counts, differs, leftOut }: ImportedHosts,
  written: readonly Written[],
  { dryRun, to, isolate }: ImportHostsOptions,
): string {
  const lines = [
    `${counted(counts.hosts, "host")} → ${counted(counts.segments, "segment")}, ${counted(counts.policies, "policy", "policies")}, ${counted(counts.rules, "rule")}`,
    ...writtenLines(written, dryRun),
    "",
    differs.length === 0
      ? "Compiled back and compared: enforced, they let through the same connections as the firewalls that were read."
      : "Compiled back and compared; enforced, they would differ:",
    ...differs.flatMap(({ host, effect }) => formatHostEffect(effect).map((line) => `  ${host}: ${visible(line)}`)),
  ];
  if (leftOut.length > 0) lines.push("", "Not imported:", ...leftOut.map(({ host, text }) => `  ${host}: ${visible(text)}`));
  lines.push(
    "",
    isolate === "observe"
      ? `Nothing is enforced by this: the segments observe. Next: firebreak validate ${visible(to)}`
      : `The segments enforce wherever their fleet is in mode: apply. Next: firebreak plan`,
  );
  return lines.join("\n");
}
