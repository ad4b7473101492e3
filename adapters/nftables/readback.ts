import { parseAddress } from "../../core/address/index.ts";
import { apartListing } from "./apart.ts";
import { tableFacts, type KeptForStart, type TableFacts } from "../../core/observed/observation.ts";
import { INSTALLED_DIGESTS } from "./keep.ts";
import { KEPT } from "./persist-script.ts";
import { parseListing } from "./parse-listing.ts";
import { splitSections } from "./sections.ts";
import type { Section, Sections } from "./sections.ts";
import { withFlags } from "./table-flags.ts";

/** What one run of the read-back script says of a host. */
export interface Readback {
  /** True only when every section came back whole. */
  readonly isComplete: boolean;
  /**
   * listed: `ruleset` is it · refused: nft or sudo does not list · broken: nft says that it listed, and it cannot be read: ask for the
   * tables one by one · strange: this is no read-back at all, or more than is read.
   */
  readonly outcome: "listed" | "refused" | "broken" | "strange";
  readonly ruleset: readonly unknown[];
  readonly ours: TableFacts;
  readonly legacyTables: readonly string[];
  readonly addresses: readonly string[];
  readonly resolvers: readonly string[];
  /** Addresses or names in the configuration of chrony, timesyncd or ntpd. */
  readonly timeServers: readonly string[];
  /** Generations that timers of earlier applies wait for. */
  readonly armed: readonly number[];
  /** What would be loaded at the next start; undefined when the host's script does not tell. */
  readonly kept: Omit<KeptForStart, "wanted"> | undefined;
  /** What says that this host is a node of a Kubernetes cluster; undefined when the host's script does not tell. */
  readonly node: readonly string[] | undefined;
  readonly machineId: string;
  /** What the first failed section said, for a message; from the host, so not to be trusted. */
  readonly trouble: string | undefined;
}

/** Sections that every read-back has, whichever version of the script a host holds. */
const ALWAYS = ["flags", "legacy", "addresses", "resolvers", "machine"] as const;

/** Parses the output of `readback.sh`. Never throws: what is missing or broken makes it incomplete. */
export function parseReadback(text: string): Readback {
  const sections = splitSections(text);
  const isApart = sections.has("tables");
  const failed = [isApart ? "tables" : "ruleset", ...ALWAYS].find((name) => sections.get(name).status !== 0);
  const ruleset = isApart ? apartListing(sections) : wholeListing(sections);
  const outcome = outcomeOf(sections, isApart ? "tables" : "ruleset", ruleset);
  return {
    isComplete: sections.isWhole && failed === undefined && outcome === "listed",
    outcome,
    ruleset: ruleset ?? [],
    ours: tableFacts(ruleset ?? []),
    legacyTables: [...new Set(trimmedLines(sections.get("legacy")))].sort(),
    addresses: addressesOf(sections.get("addresses").lines),
    resolvers: resolversOf(sections.get("resolvers").lines),
    // A script that a host has from an earlier version prints neither of these, and is whole without.
    timeServers: timeServersOf(sections.get("timeservers").lines),
    armed: trimmedLines(sections.get("armed")).map(Number).filter(isGeneration),
    kept: keptOf(sections.get("kept")),
    node: nodeOf(sections.get("node")),
    machineId: sections.get("machine").lines[0]?.trim() ?? "",
    trouble: failed === undefined ? undefined : `${failed}: ${sections.get(failed).lines.join("\n").slice(0, 2000)}`,
  };
}

function outcomeOf(sections: Sections, listing: string, ruleset: readonly unknown[] | undefined): Readback["outcome"] {
  const { status } = sections.get(listing);
  if (!sections.hasHead || status === undefined) return "strange";
  if (status !== 0) return "refused";
  return ruleset === undefined ? "broken" : "listed";
}

/** The listing, with the flags of our table as the text tells them; undefined when it is not one. */
function wholeListing(sections: Sections): readonly unknown[] | undefined {
  const objects = parseListing(sections.get("ruleset").lines.join("\n"));
  return objects?.map((object) => withFlags(object, sections.get("flags").lines[0] ?? ""));
}

function trimmedLines({ lines }: Section): readonly string[] {
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

function keptOf({ lines, status }: Section): Readback["kept"] {
  const start = (["systemd", "openrc", "none"] as const).find((name) => name === lines[0]);
  if (status !== 0 || start === undefined) return undefined;
  const digests = new Map(
    lines.flatMap((line): (readonly [string, string])[] => {
      const [, hash, path] = /^([0-9a-f]{64}) [ *](\/\S+)$/.exec(line) ?? [];
      return hash === undefined || path === undefined ? [] : [[path, hash]];
    }),
  );
  const ruleset = digests.get(KEPT.ruleset);
  if (ruleset === undefined && !lines.includes("missing")) return undefined; // this key may not read it
  const { unit, dropIn, initScript } = INSTALLED_DIGESTS;
  const isWhole =
    start === "systemd"
      ? digests.get(KEPT.unit) === unit && digests.get(KEPT.dropIn) === dropIn
      : digests.get(KEPT.initScript) === initScript;
  return { start, isInstalled: lines.includes("enabled") && isWhole, ruleset };
}

/** At most a few short words: they are shown, and come from the host. */
function nodeOf(section: Section): readonly string[] | undefined {
  if (section.status !== 0) return undefined;
  return trimmedLines(section)
    .filter((line) => /^[a-z0-9/-]{1,40}$/.test(line))
    .slice(0, 8);
}

function isGeneration(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && value < 2 ** 32;
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
