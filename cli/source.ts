import { lstat, readdir, readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { FirebreakError } from "../core/ground/error.ts";
import type { SourceFile } from "../core/model/source.ts";

/**
 * The definition files below a folder, as Git would store them: a symbolic link is not followed, its mode is told, also of one to a
 * folder, because a commit with it is refused.
 *
 * @param prefix what positions begin with; the folder as the user typed it
 * @throws FirebreakError NOT_FOUND when the folder cannot be read
 */
export async function readDefinitionFolder(folder: string): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  await walk(folder);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));

  async function walk(current: string): Promise<void> {
    for (const name of await namesIn(current)) {
      const path = join(current, name);
      const status = await lstat(path);
      if (status.isDirectory()) {
        if (name !== ".git" && name !== "node_modules") await walk(path);
      } else if (/\.ya?ml$/i.test(name) || status.isSymbolicLink()) {
        const shown = relative(resolve("."), resolve(path)).startsWith("..") ? path : relative(resolve("."), resolve(path));
        const mode = status.isSymbolicLink() ? "120000" : (status.mode & 0o111) === 0 ? "100644" : "100755";
        files.push({ path: shown, bytes: status.isSymbolicLink() ? new Uint8Array() : await readFile(path), mode });
      }
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    if (codeOf(cause) === "ENOTDIR")
      throw new FirebreakError(
        "USAGE",
        `${folder} is a file: definitions name each other, so a folder is read whole; name its folder`,
      );
    if (codeOf(cause) === "ENOENT")
      throw new FirebreakError(
        "NOT_FOUND",
        `there is no folder ${folder}; name one that is there, or \`firebreak init\` writes one`,
      );
    throw new FirebreakError("NOT_FOUND", `read the folder ${folder}`, { cause });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
