import { parseAddress } from "../../core/address/index.ts";
import { FAMILY, TABLE } from "../../core/render/nft-names.ts";
import { isRecord } from "../../core/render/nft-table.ts";

/** What one run of the read-back script says of a host. */
export interface Readback {
  /** True only when every section came back whole. */
  readonly isComplete: boolean;
  readonly ruleset: readonly unknown[];
  readonly legacyTables: readonly string[];
  readonly addresses: readonly string[];
  readonly resolvers: readonly string[];
  /** Addresses or names in the configuration of chrony, timesyncd or ntpd. */
  readonly timeServers: readonly string[];
  readonly machineId: string;
  /** What the first failed section said, for a message; from the host, so not to be trusted. */
  readonly trouble: string | undefined;
}

interface Section {
  readonly lines: readonly string[];
  readonly status: number | undefined;
}

const SECTIONS = ["ruleset", "flags", "legacy", "addresses", "resolvers", "machine"] as const;
const MISSING: Section = { lines: [], status: undefined };

/** Parses the output of `readback.sh`. Never throws: what is missing or broken makes it incomplete. */
export function parseReadback(text: string): Readback {
  const { sections, isWhole } = splitSections(text);
  const section = (name: (typeof SECTIONS)[number] | "timeservers"): Section => sections.get(name) ?? MISSING;
  const ruleset = parseRuleset(section("ruleset"), section("flags"));
  const failed = SECTIONS.find((name) => section(name).status !== 0);
  return {
    isComplete: isWhole && failed === undefined && ruleset !== undefined,
    ruleset: ruleset ?? [],
    legacyTables: [
      ...new Set(
        section("legacy")
          .lines.map((line) => line.trim())
          .filter((line) => line !== ""),
      ),
    ].sort(),
    addresses: addressesOf(section("addresses").lines),
    resolvers: resolversOf(section("resolvers").lines),
    // A script that a host has from an earlier version does not print them, and is whole without.
    timeServers: timeServersOf(section("timeservers").lines),
    machineId: section("machine").lines[0]?.trim() ?? "",
    trouble: failed === undefined ? undefined : `${failed}: ${section(failed).lines.join("\n")}`,
  };
}

function splitSections(text: string) {
  const sections = new Map<string, Section>();
  const [head, ...blocks] = `\n${text}`.split("\n@");
  const isWhole = head === "" && blocks[0]?.trim() === "firebreak-readback 1" && blocks.at(-1)?.trim() === "end";
  for (const block of blocks.slice(1, -1)) {
    const [name = "", ...lines] = block.split("\n");
    const last = lines.findLastIndex((line) => line.startsWith(" ="));
    const status = /^ =([0-9]+)$/.exec(lines[last] ?? "")?.[1];
    const content = lines.slice(0, Math.max(last, 0)).map((line) => line.slice(1));
    sections.set(name, { lines: content, status: status === undefined ? undefined : Number(status) });
  }
  return { sections, isWhole };
}

/** The `nftables` array, with the flags of our table as the text listing tells them; undefined when it is not a listing. */
function parseRuleset(ruleset: Section, flags: Section): readonly unknown[] | undefined {
  const listing = parseJson(ruleset.lines.join("\n"));
  if (!isRecord(listing) || !Array.isArray(listing["nftables"])) return undefined;
  const objects: readonly unknown[] = listing["nftables"];
  if (!objects.some((object) => isRecord(object) && "metainfo" in object)) return undefined;
  const told = /^\s*flags (.+)$/
    .exec(flags.lines[0] ?? "")?.[1]
    ?.split(",")
    .map((flag) => flag.trim());
  return objects.map((object) => withFlags(object, told));
}

function withFlags(object: unknown, told: readonly string[] | undefined): unknown {
  if (!isRecord(object) || !isRecord(object["table"])) return object;
  const { flags, ...table } = object["table"];
  if (table["family"] !== FAMILY || table["name"] !== TABLE) return object;
  const known = told ?? (flags === undefined ? undefined : ["unknown"]);
  return { table: { ...table, ...(known === undefined ? {} : { flags: known }) } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `2: eth0    inet 10.0.0.1/24 scope global eth0`; loopback and link-local left out. */
function addressesOf(lines: readonly string[]): readonly string[] {
  const found = lines.flatMap((line) => / inet6? ([0-9a-f.:]+)[/ ]/.exec(line)?.[1] ?? []);
  return [...new Set(found.filter((text) => !isLocal(text)))].sort();
}

function resolversOf(lines: readonly string[]): readonly string[] {
  const found = lines.flatMap((line) => /^\s*nameserver\s+([0-9a-fA-F.:]+)/.exec(line)?.[1] ?? []);
  return [...new Set(found.filter((text) => "ok" in parseAddress(text) && !isLocal(text)))].sort();
}

/** `server 10.0.0.1 iburst`, `pool …`, `peer …` of chrony and ntpd; `NTP=… …` of timesyncd. Told as they stand: names too. */
function timeServersOf(lines: readonly string[]): readonly string[] {
  const found = lines.flatMap((line) => {
    const server = /^\s*(?:server|pool|peer)\s+(?:-[46]\s+)?(\S+)/.exec(line)?.[1];
    const list = /^\s*NTP\s*=\s*(.*)$/.exec(line)?.[1] ?? "";
    return [...(server === undefined ? [] : [server]), ...list.split(/\s+/)].filter((text) => isHostText(text) && !isLocal(text));
  });
  return [...new Set(found)].sort();
}

/** An address or a name; from the host, so nothing else may come of it. */
function isHostText(text: string): boolean {
  return "ok" in parseAddress(text) || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text);
}

function isLocal(text: string): boolean {
  return /^(127\.|169\.254\.|::1$|fe[89ab][0-9a-f]:)/i.test(text);
}
