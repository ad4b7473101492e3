import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { FirebreakError } from "../../core/ground/error.ts";
import { SETTINGS_NAME, STARTER_FILES } from "../starter-files.ts";
import { tell } from "../output.ts";

/** What `firebreak init` takes. */
export interface InitOptions {
  readonly operator?: string;
}

/**
 * `firebreak init [DIR]`: writes what is not there yet; a file that is there stays as it is, and is named. With `--operator` the settings go
 * into a folder of their own, which names DIR as the repository.
 */
export async function init(dir: string, { operator }: InitOptions): Promise<number> {
  for (const [path, text] of Object.entries(STARTER_FILES)) {
    const isOperators = operator !== undefined && path === SETTINGS_NAME;
    const file = join(isOperators ? operator : dir, path);
    const shown = isOperators ? settingsFor(text, dir, operator) : text;
    tell(`${(await writeNew(file, shown, isOperators ? 0o700 : 0o777)) ? "wrote" : "kept "}  ${file}`);
  }
  const here = operator === undefined || resolve(operator) === resolve(".") ? "" : ` in ${operator}`;
  tell(
    `next: change them to what you have, then \`firebreak validate\`${here}, and \`firebreak doctor\` before the first \`firebreak up\``,
  );
  return 0;
}

/** The settings as they stand in the operator's folder: the repository is elsewhere. */
function settingsFor(text: string, dir: string, operator: string): string {
  const path = relative(resolve(operator), resolve(dir)) || ".";
  return text.replace(/^ {2}url: \.$/m, `  url: ${JSON.stringify(path)}`);
}

/** False when something is there already. @param mode of folders that are made */
async function writeNew(file: string, text: string, mode: number): Promise<boolean> {
  try {
    await mkdir(dirname(file), { recursive: true, mode });
    await writeFile(file, text, { flag: "wx" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new FirebreakError("USAGE", `write ${file}`, { cause });
  }
}
