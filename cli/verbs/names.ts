import { existsSync } from "node:fs";
import { API, type FindingAnswer, type StatusAnswer } from "../../core/api/shapes.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { clusterTargetId, hostTargetId } from "../../core/model/target.ts";
import type { SegmentsAnswer } from "../../core/segments/list.ts";
import { ApiClient } from "../api.ts";
import type { NameKind } from "../command-tree.ts";
import { folderOf } from "../definitions.ts";
import { loadSettings } from "../settings.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";
import { readDefinitionFolder } from "../source.ts";

/** What `firebreak names` takes. */
export interface NamesOptions {
  readonly config?: string;
}

/** Shells expand what a completion prints, and names come from strangers: others are left out. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;

/** `firebreak names KIND`: names that the shell completes, sorted; exit 1 when there is nobody to ask. */
export async function names(kind: NameKind, { config }: NamesOptions): Promise<number> {
  const file = config ?? DEFAULT_SETTINGS_FILE;
  const definitions = kind === "findings" ? undefined : await definitionsHere(file);
  const found = definitions === undefined ? await ofService(kind, file) : ofDefinitions(kind, definitions);
  const plain = [...new Set(found)].filter((name) => PLAIN.test(name)).sort();
  if (plain.length > 0) process.stdout.write(`${plain.join("\n")}\n`);
  return 0;
}

async function definitionsHere(file: string): Promise<Definitions | undefined> {
  const folder = existsSync(file) ? (folderOf(await loadSettings(file)) ?? "policies") : "policies";
  return existsSync(folder) ? parseDefinitions(await readDefinitionFolder(folder)).definitions : undefined;
}

function ofDefinitions(kind: NameKind, { clusters, fleets, segments, policies, externals }: Definitions): readonly string[] {
  const clusterIds = [...clusters.keys()].map(clusterTargetId);
  const hosts = [...fleets.values()].flatMap((fleet) => fleet.hosts.map((host) => hostTargetId(fleet.name, host.name)));
  switch (kind) {
    case "targets":
      return [...clusterIds, ...hosts];
    case "hosts":
      return hosts;
    case "clusters":
      return clusterIds;
    case "segments":
      return [...segments.keys()];
    case "policies":
      return [...policies.keys()];
    case "ends":
      return [...segments.keys(), ...externals.keys(), ...hosts.map((id) => id.slice("host/".length)), "internet"];
    case "findings":
      return [];
    default:
      return kind satisfies never;
  }
}

async function ofService(kind: NameKind, file: string): Promise<readonly string[]> {
  const api = await ApiClient.connect(file);
  if (kind === "findings") return (await api.get<readonly FindingAnswer[]>(API.findings)).map(({ fingerprint }) => fingerprint);
  if (kind === "policies") return []; // the service does not list them
  if (kind === "segments" || kind === "ends") {
    const { segments } = await api.get<SegmentsAnswer>(API.segments);
    return segments.map(({ name }) => name);
  }
  const ids = (await api.get<StatusAnswer>(API.status)).targets.map(({ target }) => target);
  const prefix = { targets: "", hosts: "host/", clusters: "cluster/" }[kind];
  return ids.filter((id) => id.startsWith(prefix));
}
