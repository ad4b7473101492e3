import { readFile } from "node:fs/promises";
import { FirebreakError } from "../../core/ground/error.ts";
import { visible } from "../../core/ground/visible.ts";
import { ansibleFleet, inventoryDifferences } from "../../core/import/ansible.ts";
import { filesOf } from "../../core/import/write.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { counted, isName, readOthers, writeImported, writtenLines, type WriteFilesOptions } from "../import-files.ts";
import { pullLine, pullRequestOf } from "../import-pull.ts";
import { printResult } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak import ansible` takes. */
export interface ImportAnsibleOptions extends OutputOptions, WriteFilesOptions {
  readonly detailedExitcode?: true;
}

/** `firebreak import ansible FLEET FILE`: with `--detailed-exitcode` 2 when a host of it is not in the definitions as it is there. */
export async function importAnsibleVerb(name: string, file: string, options: ImportAnsibleOptions): Promise<number> {
  const { to } = options;
  if (!isName(name))
    throw new FirebreakError("USAGE", `${name}: the name of a fleet has lower-case letters, digits and "-", at most 63`);
  const made = ansibleFleet(await inventoryOf(file), name);
  if (made === undefined)
    throw new FirebreakError(
      "USAGE",
      `${file} is not what \`ansible-inventory --list\` prints (JSON with _meta.hostvars and groups)`,
    );
  const others = await readOthers(to, name);
  const fleets = parseDefinitions(others, { allow: undefined }).definitions?.fleets;
  const defined = made.documents.flatMap(({ metadata }) => fleets?.get(metadata.name)?.hosts ?? []);
  const isThere = fleets?.has(name) === true;
  const files = isThere ? [] : filesOf(made.documents, name);
  const written = await writeImported(files, others, options);
  const differs = isThere ? inventoryDifferences(made, defined) : [];
  const said = [
    `${counted(made.hosts, "host")} of the inventory`,
    ...writtenLines(written, options.dryRun),
    ...(isThere
      ? [
          differs.length === 0
            ? `fleet ${name} is defined already, and has them as they are`
            : `fleet ${name} is defined already, and is yours; what differs:`,
        ]
      : []),
    ...differs.map((text) => `  ${visible(text)}`),
    ...(made.leftOut.length > 0 ? ["", "Not imported:", ...made.leftOut.map((text) => `  ${visible(text)}`)] : []),
    "",
    `Nothing is written to a host by this: the fleet is in mode: plan. Next: firebreak hosts setup NAME, and \`firebreak import hosts ${name} DIR\` for what their firewalls allow`,
  ].join("\n");
  const pull =
    files.length === 0
      ? undefined
      : await pullRequestOf({ files, folder: name, title: `Import fleet ${name} from Ansible`, said }, options);
  const answer = { pull, files, written, hosts: made.hosts, leftOut: made.leftOut, differs };
  await printResult(options.output, answer, () => [said, ...pullLine(pull)].join("\n"));
  return options.detailedExitcode === true && differs.length + made.leftOut.length > 0 ? 2 : 0;
}

async function inventoryOf(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file === "-" ? "/dev/stdin" : file, "utf8");
  } catch (cause) {
    throw new FirebreakError("NOT_FOUND", `read ${file}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
