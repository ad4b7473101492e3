import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { FlowCounter } from "../../core/flow/aggregate.ts";
import { writeFlows } from "../../core/flow/file.ts";
import { identifier, type Picture } from "../../core/flow/identify.ts";
import { gapsOf } from "../../core/flow/ready.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { visible } from "../../core/ground/visible.ts";
import { unknownName } from "../../core/model/unknown-name.ts";
import { savedWorld } from "../../core/guardrail/world.ts";
import { formatCoverage, formatFlows } from "../../core/text/flows.ts";
import { readFlowFile, readFlowLines } from "../flow-files.ts";
import { readInventory, readOfflineWorld } from "../offline-world.ts";
import { printResult, tell } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak flows import` takes. */
export interface FlowsImportOptions extends OutputOptions, Partial<ConfigOptions> {
  readonly inventory: readonly string[];
  readonly save: string;
  readonly format?: string;
  readonly cluster?: string;
  readonly definitions?: string;
  readonly force?: true;
}

/** `firebreak flows import FILE… --inventory FILE… --save FILE`: counts who was seen to connect to whom. */
export async function flowsImport(files: readonly string[], options: FlowsImportOptions): Promise<number> {
  const { save, format, cluster } = options;
  if (existsSync(save) && options.force !== true)
    throw new FirebreakError("USAGE", `${save} is there already: --force writes it again, from the files of this call alone`);
  const { inventory: inventories, ...where } = options;
  const { definitions } = await readOfflineWorld(where);
  if (cluster !== undefined && !definitions.clusters.has(cluster))
    throw unknownName("cluster", cluster, definitions.clusters.keys(), "firebreak segments names the targets");
  const pictures: Picture[] = [];
  for (const file of inventories) {
    const saved = await readInventory(file);
    const at = Date.parse(saved.savedAt);
    pictures.push({ at, estate: savedWorld(definitions, saved, at).estate });
  }
  const counter = new FlowCounter(identifier(pictures, cluster));
  const whys = new Map<string, number>();
  for (const file of files) {
    for await (const { format: found, read } of readFlowLines(file, format)) {
      counter.add(file, found, read);
      if (read.kind === "broken") whys.set(read.why, (whys.get(read.why) ?? 0) + 1);
    }
  }
  const table = counter.table();
  await writeFile(save, writeFlows(table), { mode: 0o600 });
  for (const [why, count] of whys) tell(`not understood, ${count} ${count === 1 ? "line" : "lines"}: ${why}`);
  for (const gap of gapsOf(table)) tell(visible(gap));
  const answer = { flows: table.flows.length, file: save, coverage: table.coverage };
  await printResult(options.output, answer, () => `${formatCoverage(table.coverage)}\n\n${table.flows.length} flows in ${save}`);
  return 0;
}

/** What `firebreak flows list` takes. */
export interface FlowsListOptions extends OutputOptions {
  readonly full?: true;
}

/** `firebreak flows list FILE`: what `flows import` counted. */
export async function flowsList(file: string, options: FlowsListOptions): Promise<number> {
  const table = await readFlowFile(file);
  await printResult(options.output, table, () => formatFlows(table, { full: options.full === true }));
  return 0;
}
