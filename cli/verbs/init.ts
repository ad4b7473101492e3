import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FirebreakError } from "../../core/model/error.ts";
import { STARTER_FILES } from "../starter-files.ts";
import { tell } from "../output.ts";

/** `firebreak init [DIR]`: writes what is not there yet; a file that is there stays as it is, and is named. */
export async function init(dir: string): Promise<number> {
  for (const [path, text] of Object.entries(STARTER_FILES)) {
    const file = join(dir, path);
    tell(`${(await writeNew(file, text)) ? "wrote" : "kept "}  ${file}`);
  }
  tell("next: change them to what you have, then `firebreak validate`");
  return 0;
}

/** False when something is there already. */
async function writeNew(file: string, text: string): Promise<boolean> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: "wx" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new FirebreakError("USAGE", `write ${file}`, { cause });
  }
}
