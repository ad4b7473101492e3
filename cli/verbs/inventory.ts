import { writeFile } from "node:fs/promises";
import { parseInventoryFile, type InventoryFile } from "../../core/observed/inventory-file.ts";
import { API, type StatusAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { ApiClient } from "../api.ts";
import { tell } from "../output.ts";
import type { ConfigOptions } from "../tree/common.ts";

/** `firebreak inventory save FILE`: the file is written only when the answer is whole; names of workloads make it private (0600). */
export async function saveInventory(file: string, options: ConfigOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const saved: InventoryFile = parseInventoryFile(await api.get(API.inventory), "the answer of the service");
  const text = `${JSON.stringify(saved, undefined, 2)}\n`;
  if (file === "-") process.stdout.write(text);
  else await write(file, text);
  const clusters = Object.keys(saved.clusters).length;
  const hosts = Object.keys(saved.hosts).length;
  tell(`saved ${clusters} cluster${clusters === 1 ? "" : "s"} and ${hosts} host${hosts === 1 ? "" : "s"}`);
  const { targets } = await api.get<StatusAnswer>(API.status);
  for (const { target, state } of targets) {
    if (saved.clusters[target] === undefined && saved.hosts[target] === undefined) {
      tell(`not saved: ${target}, which was not seen whole (${state}): what is computed from this file knows nothing of it`);
    }
  }
  return 0;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (cause) {
    throw new FirebreakError("USAGE", `write the inventory to ${file}`, { cause });
  }
}
