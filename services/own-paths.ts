import { lookup } from "node:dns/promises";
import { fromAddressTexts } from "../core/address/index.ts";
import type { OwnPath } from "../core/compile/host.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "postgres:": 5432,
  "postgresql:": 5432,
  "redis:": 6379,
  "rediss:": 6379,
};

/**
 * Where Firebreak itself must be able to go from the machine it runs on: Git, store, queue, forge.
 *
 * Names are resolved at start; one that does not resolve opens nothing. Only hosts with the local transport have use for it.
 */
export async function ownPaths(urls: readonly string[]): Promise<readonly OwnPath[]> {
  const paths: OwnPath[] = [];
  for (const text of urls) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const port = url === undefined ? undefined : url.port === "" ? DEFAULT_PORTS[url.protocol] : Number(url.port);
    if (url === undefined || port === undefined) continue;
    const found = await lookup(url.hostname.replace(/^\[|\]$/g, ""), { all: true }).catch(() => []);
    const { set } = fromAddressTexts(found.map(({ address }) => address));
    if (found.length > 0) paths.push({ addresses: set, ports: [{ protocol: "tcp", from: port, to: port }] });
  }
  return paths;
}
