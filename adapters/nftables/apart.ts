import { FAMILY, TABLE } from "../../core/render/nft-names.ts";
import { isRecord } from "../../core/render/nft-table.ts";
import { parseListing } from "./parse-listing.ts";
import type { Section, Sections } from "./sections.ts";
import { readFlags, tableOf } from "./table-flags.ts";

/** A table as the text listing heads it. */
interface Headed {
  readonly family: string;
  readonly name: string;
  readonly flags: readonly string[] | undefined;
}

/** A table that has flags and nothing else, as text: its name, the flags, a bracket. */
const EMPTY_LINES = 3;

/**
 * The listing put together from what was read table by table, because nft broke off in the middle of the whole one.
 *
 * Which tables there are, and their flags, the text says. One that could not be read as JSON is there all the same, with an object
 * `unread` that names it, so that nothing passes for understood; a dormant one of somebody else does nothing, and needs none. Of our own
 * table what tells whose it is (fence and mark) is read apart too: it can be replaced without having been read.
 *
 * Undefined when not even the text could be read.
 */
export function apartListing(sections: Sections): readonly unknown[] | undefined {
  const { lines, status } = sections.get("tables");
  if (status !== 0) return undefined;
  return headsOf(lines).flatMap((head) => (isOurs(head) ? ourTable(head, sections) : foreignTable(head, sections)));
}

function headsOf(lines: readonly string[]): readonly Headed[] {
  return lines.flatMap((line, index): Headed[] => {
    if (!line.startsWith("table ")) return [];
    const [, family = "?", name = "?"] = /^table (\S+) (\S+) \{/.exec(line) ?? [];
    return [{ family, name, flags: readFlags(lines[index + 1] ?? "") }];
  });
}

function ourTable({ flags }: Headed, sections: Sections): readonly unknown[] {
  const read = objectsOf(sections.get("ours"));
  const content = read ?? [...(objectsOf(sections.get("about")) ?? []), ...(objectsOf(sections.get("fence")) ?? [])];
  const whole = [tableOf({ family: FAMILY, name: TABLE }, flags), ...content.filter((object) => !isTable(object))];
  const isEmpty = Number(sections.get("lines").lines[0]) === EMPTY_LINES;
  return read === undefined && !isEmpty ? [...whole, unread({ family: FAMILY, name: TABLE })] : whole;
}

function foreignTable(head: Headed, sections: Sections): readonly unknown[] {
  const { family, name, flags } = head;
  const table = tableOf({ family, name }, flags);
  const read = objectsOf(sections.get(`table ${family} ${name}`));
  if (read !== undefined) return [table, ...read.filter((object) => !isTable(object))];
  return flags?.includes("dormant") === true ? [table] : [table, unread(head)];
}

function unread({ family, name }: Pick<Headed, "family" | "name">): unknown {
  return { unread: { family, table: name, name } };
}

function objectsOf({ lines, status }: Section): readonly unknown[] | undefined {
  return status === 0
    ? parseListing(lines.join("\n"))?.filter((object) => !isRecord(object) || !("metainfo" in object))
    : undefined;
}

function isTable(object: unknown): boolean {
  return isRecord(object) && "table" in object;
}

function isOurs({ family, name }: Headed): boolean {
  return family === FAMILY && name === TABLE;
}
