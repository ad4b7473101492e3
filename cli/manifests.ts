import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import pc from "picocolors";
import type { Manifests, ReadManifests } from "../core/manifest/read.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { SourceFile } from "../core/model/source.ts";
import { formatNotes } from "../core/text/notes.ts";
import { PROFILES } from "../core/verdict/profile.ts";
import type { Profile } from "../core/verdict/profile.ts";
import { tell } from "./output.ts";

/**
 * The manifests of a folder (or one file); notes go to standard error. Undefined when they hold errors: nothing may be analysed then.
 *
 * @throws FirebreakError NOT_FOUND when the folder cannot be read or holds no manifest
 */
export async function loadManifests(folder: string): Promise<Manifests | undefined> {
  return (await readManifestsIn(folder)).manifests;
}

/** The same with the notes that were told. */
export async function readManifestsIn(folder: string): Promise<ReadManifests> {
  return await readManifestFiles(await readManifestFolder(folder), folder);
}

/** The same of several folders or files, as of one. */
export async function readManifestsInAll(places: readonly string[]): Promise<ReadManifests> {
  const files = await Promise.all(places.map(readManifestFolder));
  return await readManifestFiles(files.flat(), places.join(", "));
}

/** The same of files that are read already. @param where what is named when they are refused */
export async function readManifestFiles(files: readonly SourceFile[], where: string): Promise<ReadManifests> {
  const { readManifests } = await import("../core/manifest/read.ts");
  const { manifests, notes } = readManifests(files);
  if (notes.length > 0) tell(formatNotes(notes, { color: pc.isColorSupported && process.stderr.isTTY }));
  if (manifests === undefined) tell(`${where}: refused; nothing is analysed while a manifest holds an error`);
  return { manifests, notes };
}

/** The profile that `--enforcer` names. */
export function profileNamed(name: string): Profile {
  if (Object.hasOwn(PROFILES, name)) return PROFILES[name as keyof typeof PROFILES]; // a key, just checked
  throw new FirebreakError("USAGE", `--enforcer ${name}: it may be ${Object.keys(PROFILES).join(", ")}`);
}

async function readManifestFolder(folder: string): Promise<readonly SourceFile[]> {
  try {
    const files = (await stat(folder)).isDirectory() ? await walk(folder) : [{ path: folder, bytes: await readFile(folder) }];
    if (files.length > 0) return files;
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError("NOT_FOUND", `read the manifests in ${folder}`, { cause });
  }
  throw new FirebreakError("NOT_FOUND", `${folder} holds no manifest: no file that ends in .yaml, .yml or .json`);
}

async function walk(folder: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    const isLink = (await lstat(path)).isSymbolicLink();
    if ((await stat(path)).isDirectory()) {
      if (isLink)
        throw new FirebreakError("USAGE", `${path} is a link to a folder, which is not followed; name that folder itself`);
      if (name !== ".git") files.push(...(await walk(path)));
    } else if (/\.(ya?ml|json)$/i.test(name)) files.push({ path, bytes: await readFile(path) });
  }
  return files;
}
