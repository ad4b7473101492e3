import { formatPrefix, parsePrefix, prefixOf } from "../address/index.ts";
import type { Note, Position } from "../model/note.ts";
import { parsedAddresses } from "../verdict/world.ts";
import type { WorldService } from "../verdict/world.ts";
import { formatPath } from "./check.ts";
import type { Path } from "./manifest-file.ts";

/** A policy that was read without an error. */
export interface ReadPolicy {
  /** `NetworkPolicy shop/web`. */
  readonly id: string;
  readonly spec: unknown;
  readonly at: (path: Path) => Position;
}

/**
 * Blocks of one address that is a Service's: policies see the pods behind it, after the address was translated, so that such a block
 * usually matches nothing. Nearly always a mistake, and silent in a cluster.
 */
export function noteServiceAddresses(policies: readonly ReadPolicy[], services: readonly WorldService[]): readonly Note[] {
  const byBlock = new Map<string, WorldService>();
  for (const service of services) {
    for (const address of parsedAddresses(service.addresses)) byBlock.set(formatPrefix(prefixOf(address)), service);
  }
  if (byBlock.size === 0) return [];
  return policies.flatMap(({ id, spec, at }) =>
    blocksOf(spec).flatMap(({ text, path }): readonly Note[] => {
      const service = byBlock.get(canonicalBlock(text));
      if (service === undefined) return [];
      const summary = `${id}: ${formatPath(path)}: ${text} is the address of Service ${service.namespace}/${service.name}`;
      const detail = "Policies see the pods behind a Service, at their own ports; select those pods instead";
      return [{ severity: "warning", code: "service-address", at: at(path), summary, detail }];
    }),
  );
}

function canonicalBlock(text: string): string {
  const parsed = parsePrefix(text);
  const prefix = "ok" in parsed ? parsed.ok : parsed.corrected;
  return prefix === undefined ? "" : formatPrefix(prefix);
}

/** Every `ipBlock.cidr` and every entry of `networks`, with its place. */
function blocksOf(spec: unknown): readonly { readonly text: string; readonly path: Path }[] {
  const ends = [
    ["ingress", "from"],
    ["egress", "to"],
  ] as const;
  return ends.flatMap(([direction, end]) =>
    entriesOf(fieldOf(spec, direction)).flatMap(([rule, index]) =>
      entriesOf(fieldOf(rule, end)).flatMap(([peer, position]) => {
        const path = ["spec", direction, index, end, position];
        const networks = entriesOf(fieldOf(peer, "networks")).map(([text, at]) => ({ text, path: [...path, "networks", at] }));
        const cidr = { text: fieldOf(fieldOf(peer, "ipBlock"), "cidr"), path: [...path, "ipBlock", "cidr"] };
        return [cidr, ...networks].flatMap(({ text, path: place }) => (typeof text === "string" ? [{ text, path: place }] : []));
      }),
    ),
  );
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined; // an object, just checked
}

function entriesOf(value: unknown): readonly (readonly [unknown, number])[] {
  return Array.isArray(value) ? value.map((item: unknown, index) => [item, index] as const) : [];
}
