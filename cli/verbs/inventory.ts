import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { inventoryFileOf, missingKinds } from "../../core/import/inventory-file.ts";
import { parseInventoryFile, type InventoryFile } from "../../core/observed/inventory-file.ts";
import { API, type StatusAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { ApiClient } from "../api.ts";
import { readManifestsInAll } from "../manifests.ts";
import { readInventory } from "../offline-world.ts";
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

/** What `firebreak inventory from` takes. */
export interface InventoryFromOptions {
  readonly cluster: string;
  readonly to: string;
}

/** `firebreak inventory from FILE…`: what kubectl wrote of one cluster as an inventory, put beside what the file has of other targets. */
export async function inventoryFrom(files: readonly string[], { cluster, to }: InventoryFromOptions): Promise<number> {
  const read = await readManifestsInAll(files);
  if (read.manifests === undefined) return 1;
  const missing = missingKinds(read.manifests);
  if (missing.length > 0)
    throw new FirebreakError(
      "USAGE",
      `${files.join(", ")}: there is no ${missing.map(({ kind }) => kind).join(", no ")}, and every cluster has one, so this is only a part; ask for all: kubectl get ns,nodes,pods,svc,networkpolicies -A -o yaml`,
    );
  const made = inventoryFileOf(read.manifests, cluster, new Date().toISOString());
  const before = to !== "-" && existsSync(to) ? await readInventory(to) : undefined;
  if (before !== undefined && before.instance !== made.instance && made.instance !== "offline" && before.instance !== "offline")
    throw new FirebreakError("USAGE", `${to} is of another Firebreak installation than the policies in ${files.join(", ")}`);
  const saved: InventoryFile =
    before === undefined
      ? made
      : {
          ...before,
          savedAt: made.savedAt,
          instance: before.instance === "offline" ? made.instance : before.instance,
          clusters: { ...before.clusters, ...made.clusters },
        };
  const text = `${JSON.stringify(saved, undefined, 2)}\n`;
  if (to === "-") process.stdout.write(text);
  else await write(to, text);
  const { world, services } = read.manifests;
  const counts = [
    ["namespaces", world.namespaces],
    ["nodes", world.nodes ?? []],
    ["pods", world.pods],
    ["services", services],
    ["NetworkPolicies", world.policies],
  ] as const;
  tell(`cluster/${cluster}: ${counts.map(([name, list]) => `${name}: ${list.length}`).join(", ")}`);
  for (const [name, word] of [
    ["pods", "pods"],
    ["NetworkPolicies", "networkpolicies"],
  ] as const)
    if (counts.some(([counted, list]) => counted === name && list.length === 0))
      tell(`no ${name} at all: right only if kubectl was asked for ${word} with -A`);
  return 0;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (cause) {
    throw new FirebreakError("USAGE", `write the inventory to ${file}`, { cause });
  }
}
