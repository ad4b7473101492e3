import { readFile } from "node:fs/promises";
import { lookup } from "node:dns/promises";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { fromAddressTexts } from "../core/address/index.ts";
import type { OwnPath } from "../core/compile/host.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { readSecret } from "./secrets.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "postgres:": 5432,
  "postgresql:": 5432,
  "redis:": 6379,
  "rediss:": 6379,
};

const Kubeconfig = z.object({ clusters: z.array(z.object({ cluster: z.object({ server: z.string() }) })) });

/** Where Firebreak itself must be able to go: Git, forge, store, queue, and the API servers of its kubeconfigs. */
export async function ownUrls(
  settings: SettingsFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const secrets = [settings.database, settings.redis].filter((reference) => reference !== undefined);
  const files = [settings.kubernetes.kubeconfig, settings.readOnly.kubeconfig].filter((file) => file !== undefined);
  return [
    settings.repository.url,
    ...(settings.forge === undefined ? [] : [settings.forge.url]),
    ...(await Promise.all(secrets.map(async (reference) => await readSecret(reference, environment)))),
    ...(await Promise.all(files.map(serversOf))).flat(),
  ];
}

/** API servers of a kubeconfig; none of one that cannot be read, which the clusters' own connections tell. */
async function serversOf(file: string): Promise<readonly string[]> {
  try {
    const parsed = Kubeconfig.safeParse(parseYaml(await readFile(file, "utf8")));
    return parsed.success ? parsed.data.clusters.map(({ cluster }) => cluster.server) : [];
  } catch {
    return [];
  }
}

/**
 * These URLs as addresses and ports that stay open on a host with the local transport: the machine that the service runs on.
 *
 * Names are resolved at start; one that does not resolve opens nothing.
 */
export async function ownPaths(urls: readonly string[]): Promise<readonly OwnPath[]> {
  const paths: OwnPath[] = [];
  for (const text of new Set(urls)) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const port = url === undefined ? undefined : url.port === "" ? DEFAULT_PORTS[url.protocol] : Number(url.port);
    if (url === undefined || port === undefined) continue;
    const found = await lookup(url.hostname.replace(/^\[|\]$/g, ""), { all: true }).catch(() => []);
    const { set } = fromAddressTexts(found.map(({ address }) => address));
    if (found.length > 0) paths.push({ addresses: set, ports: [{ kind: "range", protocol: "tcp", from: port, to: port }] });
  }
  return paths;
}
